/* Rounds once, as LiteRT's reference kernel does in fully connected layers. */
static int32_t scaled_once(int32_t x, int32_t multiplier, int shift)
{
    const int total = 31 - shift;
    return (int32_t)(((int64_t)x * multiplier + ((int64_t)1 << (total - 1))) >> total);
}
