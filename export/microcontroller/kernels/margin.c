/* A square of the picture, side x side, with background where it is outside. */
static void cut_out(const uint8_t *pixels, int size, int top, int left, int side, uint8_t *square)
{
    for (int row = top; row < top + side; ++row)
        for (int column = left; column < left + side; ++column) {
            const int inside = row >= 0 && row < size && column >= 0 && column < size;
            *square++ = inside ? pixels[row * size + column] : 0;
        }
}
