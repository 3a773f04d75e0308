/* x times a factor below 1 that is multiplier / 2^31 * 2^shift, as integers. */

/* (a * b) / 2^31, to the nearest; halves away from zero. a and b are not both -2^31. */
static int32_t high_product(int32_t a, int32_t b)
{
    const int64_t product = (int64_t)a * b;
    const int64_t half = product >= 0 ? ((int64_t)1 << 30) : 1 - ((int64_t)1 << 30);
    return (int32_t)((product + half) / ((int64_t)1 << 31));
}

/* x / 2^exponent, to the nearest; halves away from zero. */
static int32_t rounded_shift(int32_t x, int exponent)
{
    const int32_t mask = (int32_t)(((uint32_t)1 << exponent) - 1U);
    const int32_t rest = x & mask;
    return (x >> exponent) + (rest > (mask >> 1) + (x < 0) ? 1 : 0);
}

/* Rounds twice, as the reference kernels of LiteRT and TFLM do in convolutions. */
static int32_t scaled_twice(int32_t x, int32_t multiplier, int shift)
{
    const int left = shift > 0 ? shift : 0;
    return rounded_shift(high_product(x * ((int32_t)1 << left), multiplier), left - shift);
}
