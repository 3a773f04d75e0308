"""C++ source around a model for TensorFlow Lite for Microcontrollers: texts with places for names and numbers."""

import string

_METHODS = {  # of MicroMutableOpResolver, where they are not the schema's names in capitals and small letters
    "BATCH_MATMUL": "BatchMatMul",
    "CUMSUM": "CumSum",
    "PADV2": "PadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
}
_BYTES_A_LINE = 16

_MODEL_H = """\
// $title: the whole .tflite file, in read-only memory.
#ifndef KERAS_CLASSICS_MODEL_H_
#define KERAS_CLASSICS_MODEL_H_

#include <cstddef>

namespace keras_classics {

constexpr size_t kModelBytes = $model_bytes;
extern const unsigned char kModel[kModelBytes];

}  // namespace keras_classics

#endif  // KERAS_CLASSICS_MODEL_H_
"""

_MODEL_CC = """\
#include "model.h"

namespace keras_classics {

// The interpreter reads 32-bit numbers in place; 16 is the alignment of the file's own buffers.
alignas(16) extern const unsigned char kModel[kModelBytes] = {
$model
};

}  // namespace keras_classics
"""

_SETTINGS_H = """\
// What a program must know of the model: shapes, quantization, labels, memory, operators.
#ifndef KERAS_CLASSICS_SETTINGS_H_
#define KERAS_CLASSICS_SETTINGS_H_

#include <cstddef>
#include <cstdint>

namespace keras_classics {

// Smallest arena that the interpreter ran this model in, measured on a 64-bit computer with the reference kernels; a
// 32-bit device needs less for its pointers, optimized kernels (CMSIS-NN and others) need scratch memory on top.
constexpr size_t kArenaBytes = $arena;

using InputType = $input_type;
constexpr int kInputHeight = $height;
constexpr int kInputWidth = $width;
constexpr float kInputScale = ${input_scale}f;
constexpr int kInputZeroPoint = $input_zero;

using OutputType = $output_type;
constexpr int kClasses = $classes;
constexpr float kOutputScale = ${output_scale}f;
constexpr int kOutputZeroPoint = $output_zero;
constexpr const char* kLabels[kClasses] = {$labels};

// Quantized value of a pixel, 0 background to 255 stroke.
inline InputType QuantizedPixel(uint8_t pixel) {
  return static_cast<InputType>($quantized);
}

inline float Probability(OutputType value) {
  return kOutputScale * static_cast<float>(value - kOutputZeroPoint);
}

// For a tflite::MicroMutableOpResolver<kOperators>.
constexpr unsigned int kOperators = $operator_count;

template <typename Resolver>
bool AddOperators(Resolver& resolver) {
$operators
  return true;
}

}  // namespace keras_classics

#endif  // KERAS_CLASSICS_SETTINGS_H_
"""

_TEST_DIGIT_H = """\
// A digit of the test images, and what the model says of it in the microcontroller's interpreter.
#ifndef KERAS_CLASSICS_TEST_DIGIT_H_
#define KERAS_CLASSICS_TEST_DIGIT_H_

#include "settings.h"

namespace keras_classics {

constexpr int kTestLabel = $label;
extern const uint8_t kTestPixels[kInputHeight * kInputWidth];
extern const OutputType kTestOutput[kClasses];

}  // namespace keras_classics

#endif  // KERAS_CLASSICS_TEST_DIGIT_H_
"""

_TEST_DIGIT_CC = """\
#include "test_digit.h"

namespace keras_classics {

extern const uint8_t kTestPixels[kInputHeight * kInputWidth] = {
$pixels
};

extern const OutputType kTestOutput[kClasses] = {$output};

}  // namespace keras_classics
"""

_MAIN_CC = """\
// Recognizes the digit of test_digit.cc and says whether the answer is the expected one.

#include <cstdint>

#include "model.h"
#include "settings.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"
#include "test_digit.h"

namespace {

using namespace keras_classics;

alignas(16) uint8_t arena[kArenaBytes];

int MostLikely(const OutputType* output) {
  int best = 0;
  for (int i = 1; i < kClasses; ++i) {
    if (output[i] > output[best]) best = i;
  }
  return best;
}

}  // namespace

int main() {
  tflite::InitializeTarget();
  const tflite::Model* model = tflite::GetModel(kModel);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    MicroPrintf("The library reads models of another version.");
    return 1;
  }
  tflite::MicroMutableOpResolver<kOperators> resolver;
  if (!AddOperators(resolver)) {
    MicroPrintf("An operator cannot be registered.");
    return 1;
  }
  tflite::MicroInterpreter interpreter(model, resolver, arena, kArenaBytes);
  if (interpreter.AllocateTensors() != kTfLiteOk) {
    MicroPrintf("%d bytes of arena do not suffice with these kernels.", static_cast<int>(kArenaBytes));
    return 1;
  }

  InputType* input = interpreter.typed_input_tensor<InputType>(0);
  for (int i = 0; i < kInputHeight * kInputWidth; ++i) input[i] = QuantizedPixel(kTestPixels[i]);
  if (interpreter.Invoke() != kTfLiteOk) {
    MicroPrintf("The model cannot be run.");
    return 1;
  }

  const OutputType* output = interpreter.typed_output_tensor<OutputType>(0);
  int largest_difference = 0;
  for (int i = 0; i < kClasses; ++i) {
    const int difference = output[i] - kTestOutput[i];
    const int size = difference < 0 ? -difference : difference;
    if (size > largest_difference) largest_difference = size;
  }
  const int best = MostLikely(output);
  MicroPrintf("This is a %s, with a probability of %d %%.", kLabels[best],
              static_cast<int>(100 * Probability(output[best]) + 0.5f));
  MicroPrintf("Arena used: %d bytes. Largest difference from the expected output: %d.",
              static_cast<int>(interpreter.arena_used_bytes()), largest_difference);
  return largest_difference <= 1 ? 0 : 1;  // optimized kernels may round otherwise
}
"""

_README = """\
# $title for TensorFlow Lite for Microcontrollers

| file | what it is |
| --- | --- |
| `model.h`, `model.cc` | the `.tflite` file, $model_bytes bytes (SHA-256 $sha256) |
| `settings.h` | arena, shapes, quantization, labels, operators |
| `test_digit.h`, `test_digit.cc` | one digit, and the output expected for it |
| `main.cc` | recognizes that digit and compares; returns 0 if the output is as expected, within one step |

Copy them into an example of the TFLM tree (github.com/tensorflow/tflite-micro) in place of its own sources and main, or
into any project that has the library, and build. C++17.

Arena: $arena bytes, the smallest that TFLM's interpreter ran this model in (PyPI package tflite-micro, a 64-bit
computer, reference kernels). Its own report:

```
$report
```

Input: `$input_type`, $height × $width, quantized = pixel / $input_scale $input_plus; pixels run from 0 (background) to
255 (stroke), the digit 28 × 28 in the middle. Output: `$output_type`, $classes probabilities,
(value - $output_zero) × $output_scale.

What has been tested: the model itself, in TFLM's interpreter on a computer. These sources are checked by a compiler
without the TFLM tree: all but `main.cc` compile and their sizes are as said; `main.cc` against declarations of the few
functions it calls. They have not been linked with the library, nor run on a board.
"""

_FILES = {
    "model.h": _MODEL_H,
    "model.cc": _MODEL_CC,
    "settings.h": _SETTINGS_H,
    "test_digit.h": _TEST_DIGIT_H,
    "test_digit.cc": _TEST_DIGIT_CC,
    "main.cc": _MAIN_CC,
    "README.md": _README,
}
NAMES = tuple(_FILES)


def files(*, operators, model, pixels, output, labels, **numbers):
    """``{name: text}`` of all files.

    Args:
        operators: names of the model's operators in the TFLite schema.
        model: bytes of the file.
        pixels: ``uint8`` pixels of the test digit, any shape.
        output: the integers expected for it.
        labels: of the classes.
        numbers: what else the texts have places for.
    """
    names = sorted(set(operators))
    plain = numbers["input_scale"] == "1.0" and numbers["input_type"] == "uint8_t" and not numbers["input_zero"]
    values = {
        **numbers,
        "model": _numbers(model),
        "model_bytes": len(model),
        "pixels": _numbers(pixels.ravel()),
        "output": ", ".join(map(str, output)),
        "classes": len(labels),
        "labels": ", ".join(map(_quoted, labels)),
        "operators": "\n".join(f"  if (resolver.{method(name)}() != 0) return false;" for name in names),
        "operator_count": len(names),
        "input_plus": f"+ {numbers['input_zero']}" if numbers["input_zero"] >= 0 else f"- {-numbers['input_zero']}",
        "quantized": "pixel" if plain else "pixel / kInputScale + kInputZeroPoint",
    }
    return {name: string.Template(text).substitute(values) for name, text in _FILES.items()}


def method(operator):
    """The method of ``MicroMutableOpResolver`` that adds ``operator``, such as AddConv2D for CONV_2D."""
    words = operator.split("_")
    camel = "".join(word if word[0].isdigit() else word.capitalize() for word in words)
    return f"Add{_METHODS.get(operator, camel)}"


def _numbers(values):
    rows = (values[start : start + _BYTES_A_LINE] for start in range(0, len(values), _BYTES_A_LINE))
    return "\n".join("    " + " ".join(f"{value}," for value in row) for row in rows)


def _quoted(label):
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}" for byte in label.encode()
    )
    return f'"{escaped}"'
