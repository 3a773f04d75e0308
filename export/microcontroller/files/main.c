/* Says what ten handwritten digits are, and whether the answers are those of the computer. Made by python -m export.c. */
#include "${name}_selftest.h"
#include "board.h"

static void print_number(unsigned number)
{
    char text[11];
    char *digit = text + sizeof text - 1;
    *digit = '\0';
    do {
        *--digit = (char)('0' + number % 10U);
        number /= 10U;
    } while (number);
    board_print(digit);
}

int main(void)
{
    static const char *const labels[${guard}_CLASSES] = ${guard}_LABELS;
    int others;
    for (int i = 0; i < ${guard}_TEST_DIGITS; ++i) {
        uint8_t probabilities[${guard}_CLASSES];
        const int best = ${name}_predict(${name}_test_pixels[i], probabilities);
        board_print("digit ");
        print_number((unsigned)i);
        board_print(": ");
        board_print(labels[best]);
        board_print(", ");
        print_number(probabilities[best]);
        board_print("/256\n");
    }
    others = ${name}_selftest();
    board_print(others ? "answers differ from the computer's\n" : "all answers are the computer's\n");
    return others;
}
