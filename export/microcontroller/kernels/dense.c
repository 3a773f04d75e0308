/* One output position of all maps; weights are stored as they are. step: from a row of the input to the next. */
static void multiply_dense(const struct weights *w, const struct output *o, const uint8_t *x, int step, uint8_t *y)
{
    const int8_t *weight = w->codes;
    for (int map = 0; map < o->maps; ++map) {
        int32_t sum = o->bias[map];
        for (int row = 0; row < w->rows; ++row) {
            const uint8_t *value = x + row * step;
            for (const uint8_t *end = value + w->run; value < end;)
                sum += *weight++ * *value++;
        }
        y[map] = finished(sum, o, map);
    }
}
