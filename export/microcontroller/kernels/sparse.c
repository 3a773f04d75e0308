/* $positions
 * Only weights that are not 0 are stored. A code is a byte: the upper bits say how many zeros come before the weight,
 * the lower ones which value of the codebook it has. A longer gap has a code of value 0 in it. */
static void multiply_sparse$suffix(const struct weights *w, const struct output *o, const uint8_t *x, int step,$offsets uint8_t *y)
{
    const uint8_t *code = w->codes, *count = w->counts;
    const int8_t *codebook = w->codebook;
    const unsigned mask = (1U << w->bits) - 1U;$both
    for (int map = 0; map < o->maps; ++map, codebook += w->codebook_step) {
        int32_t $sums;
        for (int row = 0; row < w->rows; ++row) {
            const uint8_t *value = x + row * step;
            for (const uint8_t *end = code + *count++; code < end; ++code$and_next) {
                const int32_t factor = codebook[*code & mask];
                value += *code >> w->bits;
                $add
            }
        }
        $finish
    }
}
