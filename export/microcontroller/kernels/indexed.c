/* $positions
 * A weight is an index of 1, 2 or 4 bits, the lowest bits of a byte first. A row begins with a new byte. */
static void multiply_indexed$suffix(const struct weights *w, const struct output *o, const uint8_t *x, int step,$offsets uint8_t *y)
{
    const uint8_t *code = w->codes;
    const int8_t *codebook = w->codebook;
    const unsigned mask = (1U << w->bits) - 1U;$both
    for (int map = 0; map < o->maps; ++map, codebook += w->codebook_step) {
        int32_t $sums;
        for (int row = 0; row < w->rows; ++row) {
            const uint8_t *value = x + row * step;
            unsigned byte = 0;
            int left = 0;
            for (const uint8_t *end = value + w->run; value < end; left -= w->bits$and_next) {
                if (left == 0) {
                    byte = *code++;
                    left = 8;
                }
                const int32_t factor = codebook[byte & mask];
                $add
                byte >>= w->bits;
            }
        }
        $finish
    }
}
