"""The C++ files and the README that ``export.micro`` writes, as ``string.Template`` texts."""

from string import Template

MODEL_HEADER = Template("""\
// $model: the network itself, as TensorFlow Lite for Microcontrollers reads it. Made by python -m export.micro.
#ifndef ${guard}_MODEL_H_
#define ${guard}_MODEL_H_

#define ${guard}_EXPORT 0x$stamp  // the same in all files that belong together

namespace $name {

constexpr unsigned int kModelSize = $model_size;  // bytes, of flash
extern const unsigned char kModel[kModelSize];    // begins at a multiple of 16, as the interpreter needs it

}  // namespace $name

#endif  // ${guard}_MODEL_H_
""")

MODEL_SOURCE = Template("""\
#include "${name}_model.h"

#if ${guard}_EXPORT != 0x$stamp
#error "these files are of two exports; write them again"
#endif

namespace $name {

alignas(16) const unsigned char kModel[kModelSize] = {
$model_bytes
};

}  // namespace $name
""")

SETTINGS = Template("""\
// $model: what a program has to know of the network. Made by python -m export.micro.
#ifndef ${guard}_SETTINGS_H_
#define ${guard}_SETTINGS_H_

#include <cstdint>

#include "${name}_model.h"

#if ${guard}_EXPORT != 0x$stamp
#error "these files are of two exports; write them again"
#endif

namespace $name {

// Measured: the smallest arena in which the interpreter ($interpreter, 64-bit, reference kernels) runs
// this model; $tensors bytes of it are tensors, the rest are the interpreter's own tables, which take less where
// pointers have 32 bits. Kernels such as CMSIS-NN or ESP-NN may ask for scratch memory on top.
constexpr int kArenaSize = $arena;  // bytes, of RAM

// Input: $shape pixels, row by row, $pixels_are; the digit 28 x 28 in the middle.
constexpr int kInputHeight = $height, kInputWidth = $width, kInputChannels = $channels;
constexpr int kInputSize = kInputHeight * kInputWidth * kInputChannels;
constexpr float kInputScale = ${input_scale}f;
constexpr int kInputZeroPoint = $input_zero_point;
typedef $input_type InputType;

// Output: one number a label; (value - kOutputZeroPoint) * kOutputScale is its probability.
constexpr int kOutputSize = $classes;
constexpr float kOutputScale = ${output_scale}f;
constexpr int kOutputZeroPoint = $output_zero_point;
typedef $output_type OutputType;
constexpr const char* kLabels[kOutputSize] = {$labels};

// The operators: $operators.
// Resolver is a tflite::MicroMutableOpResolver<kOperators> (or larger). Returns what its methods do, 0 (kTfLiteOk) for
// success.
constexpr int kOperators = $operator_count;
template <typename Resolver>
int AddOperators(Resolver& resolver) {
$add_operators
  return 0;
}

}  // namespace $name

#endif  // ${guard}_SETTINGS_H_
""")

DIGIT = Template("""\
// A handwritten $digit and what $model says of it. Made by python -m export.micro.
#ifndef ${guard}_TEST_DIGIT_H_
#define ${guard}_TEST_DIGIT_H_

#include "${name}_settings.h"

#if ${guard}_EXPORT != 0x$stamp
#error "these files are of two exports; write them again"
#endif

namespace $name {

constexpr int kTestLabel = $digit;
constexpr InputType kTestPixels[kInputSize] = {
$pixels
};
// Of the reference kernels; others may be one step beside it.
constexpr OutputType kTestOutput[kOutputSize] = {$expected};

}  // namespace $name

#endif  // ${guard}_TEST_DIGIT_H_
""")

MAIN = Template("""\
// Runs $model on the test digit and compares; prints with MicroPrintf. Made by python -m export.micro.
#include <cstring>

#include "${name}_model.h"
#include "${name}_settings.h"
#include "${name}_test_digit.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

#if ${guard}_EXPORT != 0x$stamp
#error "these files are of two exports; write them again"
#endif

namespace {
alignas(16) unsigned char arena[$name::kArenaSize];
}

int main() {
  tflite::InitializeTarget();
  const tflite::Model* model = tflite::GetModel($name::kModel);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    MicroPrintf("the model is of another version of the schema");
    return 1;
  }
  static tflite::MicroMutableOpResolver<$name::kOperators> resolver;
  if ($name::AddOperators(resolver) != 0) return 1;
  static tflite::MicroInterpreter interpreter(model, resolver, arena, sizeof(arena));
  if (interpreter.AllocateTensors() != kTfLiteOk) return 1;
  std::memcpy(interpreter.input(0)->data.raw, $name::kTestPixels, sizeof($name::kTestPixels));
  if (interpreter.Invoke() != kTfLiteOk) return 1;

  const auto* output = reinterpret_cast<const $name::OutputType*>(interpreter.output(0)->data.raw);
  int best = 0, worst_difference = 0;
  for (int i = 0; i < $name::kOutputSize; ++i) {
    if (output[i] > output[best]) best = i;
    const int difference = output[i] - $name::kTestOutput[i];
    const int size = difference < 0 ? -difference : difference;
    if (size > worst_difference) worst_difference = size;
  }
  MicroPrintf("%s; outputs differ by %d at most; %d bytes of arena", $name::kLabels[best], worst_difference,
              static_cast<int>(interpreter.arena_used_bytes()));
  return best == $name::kTestLabel && worst_difference <= 1 ? 0 : 1;
}
""")

README = Template("""\
# $model on a microcontroller

Made by `python -m export.micro`, for [TensorFlow Lite for Microcontrollers](https://github.com/tensorflow/tflite-micro).

| file | what it holds |
| --- | --- |
| `${name}_model.h`, `.cc` | the network, $model_size bytes of flash |
| `${name}_settings.h` | arena size, input and output, labels, operators |
| `${name}_test_digit.h` | a handwritten $digit with the expected output |
| `main.cc` | runs the test digit and compares: a `main` to begin with |

The arena of $arena bytes is measured: it is the smallest in which the real interpreter ($interpreter, 64-bit, reference
kernels) runs this model. $tensors bytes of it are tensors. Its own report:

```text
$report
```

To try it, put the files into an example's folder of a tflite-micro checkout (`hello_world`, say) in place of its own
sources and build that example. `main` returns 0, and prints $digit, where the board answers as the laptop does.

What has been checked: the network ran in that interpreter, and of its answers to $images digits $same are within one of
256 steps of those of LiteRT's reference kernels, none further than $steps. What has not: the project's tests compile
these files with the system's C++ compiler, `main.cc` against declarations of the few names of tflite-micro that it
uses; they have not been linked with tflite-micro, and no board was at hand.
""")

FILES = {  # name, in which {space} is the C++ namespace → template
    "{space}_model.h": MODEL_HEADER,
    "{space}_model.cc": MODEL_SOURCE,
    "{space}_settings.h": SETTINGS,
    "{space}_test_digit.h": DIGIT,
    "main.cc": MAIN,
    "README.md": README,
}
