/* Probabilities of 1/256 from logits, in fixed point as gemmlowp has it; Qn.m has n bits before the point, m after. */

/* exp of a number below or equal 0, Q5.26 to Q0.31: a Taylor series around -1/8 times powers of e. */
static int32_t exponential(int32_t a)
{
    static const int32_t power[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t quarter = (int32_t)1 << 24;
    const int32_t fraction = (a & (quarter - 1)) - quarter;
    const int32_t rest = fraction - a; /* a multiple of a quarter */
    const int32_t x = fraction * 32 + ((int32_t)1 << 28);
    const int32_t x2 = high_product(x, x), x3 = high_product(x2, x), x4 = high_product(x2, x2);
    const int32_t third = high_product(rounded_shift(x4, 2) + x3, 715827883);
    int32_t result = 1895147668 + high_product(1895147668, x + rounded_shift(third + x2, 1));
    if (a == 0)
        return INT32_MAX;
    for (int i = 0; i < 7; ++i)
        if (rest & (quarter << i))
            result = high_product(result, power[i]);
    return result;
}

/* 1 / (1 + a) of a number from 0 to 1, Q0.31, by three of Newton's steps. */
static int32_t reciprocal(int32_t a)
{
    const int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) / 2);
    int32_t x = 1515870810 + high_product(half, -1010580540);
    for (int i = 0; i < 3; ++i)
        x += high_product(x, ((int32_t)1 << 29) - high_product(half, x)) * 4;
    return x >= (int32_t)1 << 30 ? INT32_MAX : x * 2;
}

static void softmax(const uint8_t *logits, int classes, int32_t multiplier, int left, int least, uint8_t *probabilities)
{
    int largest = 0, zeros = 0;
    int32_t sum = 0, scale;
    for (int i = 0; i < classes; ++i)
        if (logits[i] > largest)
            largest = logits[i];
    for (int i = 0; i < classes; ++i)
        if (logits[i] - largest >= least)
            sum += rounded_shift(exponential(high_product((logits[i] - largest) * ((int32_t)1 << left), multiplier)), 12);
    while (((uint32_t)sum << zeros) < (uint32_t)1 << 31)
        ++zeros;
    scale = reciprocal((int32_t)(((uint32_t)sum << zeros) - ((uint32_t)1 << 31)));
    for (int i = 0; i < classes; ++i) {
        int32_t value = 0;
        if (logits[i] - largest >= least) {
            const int32_t power = exponential(high_product((logits[i] - largest) * ((int32_t)1 << left), multiplier));
            value = rounded_shift(high_product(scale, power), 12 - zeros + 31 - 8);
        }
        probabilities[i] = (uint8_t)(value > 255 ? 255 : value);
    }
}
