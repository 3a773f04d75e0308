/* A tile of positions to its maximum, one a map. */
static void maximum(const uint8_t *tile, int positions, int maps, int lowest, int highest, uint8_t *y)
{
    for (int map = 0; map < maps; ++map) {
        int largest = lowest;
        for (int i = map; i < positions * maps; i += maps)
            if (tile[i] > largest)
                largest = tile[i];
        y[map] = (uint8_t)(largest > highest ? highest : largest);
    }
}
