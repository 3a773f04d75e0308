/* The same at four positions, across and down from the first: a code is decoded once for all of them. */
static void multiply_sparse_4(const struct weights *w, const struct output *o, const uint8_t *x, int step, int across,
                              int down, uint8_t *y)
{
    const uint8_t *code = w->codes, *count = w->counts;
    const int8_t *codebook = w->codebook;
    const unsigned mask = (1U << w->bits) - 1U;
    const int both = down + across;
    for (int map = 0; map < o->maps; ++map, codebook += w->codebook_step) {
        int32_t a = o->bias[map], b = a, c = a, d = a;
        for (int row = 0; row < w->rows; ++row) {
            const uint8_t *value = x + row * step;
            for (const uint8_t *end = code + *count++; code < end; ++code, ++value) {
                const int32_t factor = codebook[*code & mask];
                value += *code >> w->bits;
                a += factor * value[0];
                b += factor * value[across];
                c += factor * value[down];
                d += factor * value[both];
            }
        }
        finish_4(a, b, c, d, o, map, y);
    }
}
