/* Ten handwritten digits and what $kernels say of them. Made by python -m export.c.
 *
 * $compile */
#include "${name}_selftest.h"

#include <string.h>

#if ${guard}_EXPORT != 0x$stamp
#error "these files are of two exports; write them again"
#endif

const uint8_t ${name}_test_pixels[${guard}_TEST_DIGITS][${guard}_PIXELS] = {
$pixels
};

const uint8_t ${name}_test_answers[${guard}_TEST_DIGITS][${guard}_CLASSES] = {
$answers
};

int ${name}_selftest(void)
{
    int others = 0;
    for (int i = 0; i < ${guard}_TEST_DIGITS; ++i) {
        uint8_t probabilities[${guard}_CLASSES];
        (void)${name}_predict(${name}_test_pixels[i], probabilities);
        others += memcmp(probabilities, ${name}_test_answers[i], sizeof probabilities) != 0;
    }
    return others;
}

#ifdef ${guard}_SELFTEST_MAIN
int main(void)
{
    return ${name}_selftest();
}
#endif
