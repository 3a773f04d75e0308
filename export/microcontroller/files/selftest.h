/* Ten handwritten digits and what $kernels say of them. Made by python -m export.c. */
#ifndef ${guard}_SELFTEST_H
#define ${guard}_SELFTEST_H

#include "$name.h"

#if ${guard}_EXPORT != 0x$stamp
#error "these files are of two exports; write them again"
#endif

#define ${guard}_TEST_DIGITS $count

#ifdef __cplusplus
extern "C" {
#endif

extern const uint8_t ${name}_test_pixels[${guard}_TEST_DIGITS][${guard}_PIXELS];
extern const uint8_t ${name}_test_answers[${guard}_TEST_DIGITS][${guard}_CLASSES];

/* How many of the digits get other answers; 0 where all is well. */
int ${name}_selftest(void);

#ifdef __cplusplus
}
#endif

#endif
