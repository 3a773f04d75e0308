/* From sums of 32 bits to values of 8 bits. All values in memory are 0 to 255: those of the .tflite plus 128. */
struct output {
    const int32_t *bias;       /* one a map; the zero point of the input is in it */
    const int32_t *multiplier; /* one a map, or one for all */
    const int8_t *shift;
    const uint8_t *table; /* the activation of each of 256 values, or 0 */
    int maps;
    int per_map; /* 1: a multiplier and a shift a map; 0: one for all */
    int once;    /* whether the product is rounded once */
    int32_t zero;
    int32_t lowest, highest;
};

static uint8_t finished(int32_t sum, const struct output *o, int map)
{
    const int scale = o->per_map ? map : 0;
    int32_t value = o->once ? scaled_once(sum, o->multiplier[scale], o->shift[scale])
                            : scaled_twice(sum, o->multiplier[scale], o->shift[scale]);
    value += o->zero;
    if (value < o->lowest)
        value = o->lowest;
    if (value > o->highest)
        value = o->highest;
    return o->table ? o->table[value] : (uint8_t)value;
}
