/* The same at four positions, across and down from the first: a weight is read once for all of them. */
static void multiply_dense_4(const struct weights *w, const struct output *o, const uint8_t *x, int step, int across,
                             int down, uint8_t *y)
{
    const int8_t *weight = w->codes;
    const int both = down + across;
    for (int map = 0; map < o->maps; ++map) {
        int32_t a = o->bias[map], b = a, c = a, d = a;
        for (int row = 0; row < w->rows; ++row) {
            const uint8_t *value = x + row * step;
            for (const uint8_t *end = value + w->run; value < end; ++value) {
                const int32_t factor = *weight++;
                a += factor * value[0];
                b += factor * value[across];
                c += factor * value[down];
                d += factor * value[both];
            }
        }
        finish_4(a, b, c, d, o, map, y);
    }
}
