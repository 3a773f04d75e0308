/* A tile of positions to one value a map, with weights of its own for each map. */
static void multiply_depthwise(const int8_t *weight, const struct output *o, const uint8_t *tile, int positions,
                               uint8_t *y)
{
    for (int map = 0; map < o->maps; ++map) {
        int32_t sum = o->bias[map];
        for (int i = map; i < positions * o->maps; i += o->maps)
            sum += weight[i] * tile[i];
        y[map] = finished(sum, o, map);
    }
}
