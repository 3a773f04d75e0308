/* $title. Made by python -m export.c from $model ($model_size bytes, SHA-256 $digest).
 *
 * Integers only; no heap. The answers are those of $kernels, to the last bit.
 * Flash: $weights_size bytes of weights, $scales_size of biases and scales, $tables_size of activations. Static RAM: $arena bytes.
 *
$summary
 *
 * Assumed of the compiler, as TensorFlow Lite for Microcontrollers does: >> of a negative number is arithmetic. */
#include "$name.h"

#if ${guard}_EXPORT != 0x$stamp
#error "these files are of two exports; write them again"
#endif

typedef char right_shift_is_arithmetic[(-1 >> 1) == -1 ? 1 : -1];

$code
/* The layers' numbers. */

$constants
/* Maps at 0 to $maps, one over the other where the older is done with; after them what is made of one tile. */
static uint8_t arena[${guard}_ARENA];

$stages
int ${name}_predict(const uint8_t pixels[${guard}_PIXELS], uint8_t probabilities[${guard}_CLASSES])
{
    int best = 0;
$calls
    softmax(arena + $logits_at, ${guard}_CLASSES, $softmax, probabilities);
    for (int i = 1; i < ${guard}_CLASSES; ++i)
        if (probabilities[i] > probabilities[best])
            best = i;
    return best;
}
