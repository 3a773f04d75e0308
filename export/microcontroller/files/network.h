/* $title: a picture of $side x $side pixels to one of $classes classes. Made by python -m export.c. */
#ifndef ${guard}_H
#define ${guard}_H

#include <stdint.h>

#define ${guard}_EXPORT 0x$stamp /* the same in all files that belong together */
#define ${guard}_SIDE $side
#define ${guard}_PIXELS ($side * $side)
#define ${guard}_CLASSES $classes
#define ${guard}_ARENA $arena /* bytes of static memory */
#define ${guard}_LABELS $labels

#ifdef __cplusplus
extern "C" {
#endif

/* pixels: row by row, 0 the background to 255 the stroke$inside.
 * probabilities: of each class, in steps of 1/256.
 * Returns the most probable class. Uses one static arena: one call at a time. */
int ${name}_predict(const uint8_t pixels[${guard}_PIXELS], uint8_t probabilities[${guard}_CLASSES]);

#ifdef __cplusplus
}
#endif

#endif
