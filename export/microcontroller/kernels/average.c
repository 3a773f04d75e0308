/* A tile of positions to its average, one a map; halves of the signed values away from zero. */
static void average(const uint8_t *tile, int positions, int maps, int lowest, int highest, uint8_t *y)
{
    for (int map = 0; map < maps; ++map) {
        int sum = -128 * positions;
        for (int i = map; i < positions * maps; i += maps)
            sum += tile[i];
        sum = (sum > 0 ? sum + positions / 2 : sum - positions / 2) / positions + 128;
        y[map] = (uint8_t)(sum < lowest ? lowest : sum > highest ? highest : sum);
    }
}
