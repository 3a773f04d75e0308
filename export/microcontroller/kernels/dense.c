/* $positions
 * Weights are stored as they are. step: from a row of the input to the next. */
static void multiply_dense$suffix(const struct weights *w, const struct output *o, const uint8_t *x, int step,$offsets uint8_t *y)
{
    const int8_t *weight = w->codes;$both
    for (int map = 0; map < o->maps; ++map) {
        int32_t $sums;
        for (int row = 0; row < w->rows; ++row) {
            const uint8_t *value = x + row * step;
            for (const uint8_t *end = value + w->run; value < end;$next) {
                const int32_t factor = *weight++;
                $add
            }
        }
        $finish
    }
}
