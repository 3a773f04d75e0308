/* Four sums of one map to their places in a tile. */
static void finish_4(int32_t a, int32_t b, int32_t c, int32_t d, const struct output *o, int map, uint8_t *y)
{
    y[map] = finished(a, o, map);
    y[map + o->maps] = finished(b, o, map);
    y[map + 2 * o->maps] = finished(c, o, map);
    y[map + 3 * o->maps] = finished(d, o, map);
}
