/* The same at four positions, across and down from the first: an index is decoded once for all of them. */
static void multiply_indexed_4(const struct weights *w, const struct output *o, const uint8_t *x, int step, int across,
                               int down, uint8_t *y)
{
    const uint8_t *code = w->codes;
    const int8_t *codebook = w->codebook;
    const unsigned mask = (1U << w->bits) - 1U;
    const int both = down + across;
    for (int map = 0; map < o->maps; ++map, codebook += w->codebook_step) {
        int32_t a = o->bias[map], b = a, c = a, d = a;
        for (int row = 0; row < w->rows; ++row) {
            const uint8_t *value = x + row * step;
            unsigned byte = 0;
            int left = 0;
            for (const uint8_t *end = value + w->run; value < end; ++value, left -= w->bits) {
                if (left == 0) {
                    byte = *code++;
                    left = 8;
                }
                const int32_t factor = codebook[byte & mask];
                a += factor * value[0];
                b += factor * value[across];
                c += factor * value[down];
                d += factor * value[both];
                byte >>= w->bits;
            }
        }
        finish_4(a, b, c, d, o, map, y);
    }
}
