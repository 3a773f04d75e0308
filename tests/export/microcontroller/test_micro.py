"""The microcontroller's side: answers and memory in its own interpreter, and C++ source that says the same."""

import importlib.util
import re
import shutil
import subprocess
import sys

import pytest
from ai_edge_litert import schema_py_generated as schema

from export import micro
from export.convert import quantize
from export.litert import flatbuffer, metadata
from export.litert.classifier import as_input
from export.microcontroller import interpreter
from keras_classics import LeNet5, datasets, lenet
from keras_classics.errors import InputError
from tests import needs

COMPILERS = "c++|g++|clang++"
needs_compiler = pytest.mark.needs_tools(COMPILERS)
pytestmark = pytest.mark.needs_extras("tflite_micro")

# What main.cc uses of tflite-micro, with an interpreter that answers what the test tells it to.
TFLM = """
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#define TFLITE_SCHEMA_VERSION 3
#define MicroPrintf(...) (std::printf(__VA_ARGS__), std::puts(""))
enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };
union TfLitePtrUnion { char* raw; };
struct TfLiteTensor { TfLitePtrUnion data; };
namespace tflite {
struct Model { unsigned version() const { return 3; } };
inline const Model* GetModel(const void* bytes) { return static_cast<const Model*>(bytes); }
inline void InitializeTarget() {}
template <unsigned kOperators> struct MicroMutableOpResolver {
  unsigned added = 0;
  TfLiteStatus Add() { return added++ < kOperators ? kTfLiteOk : kTfLiteError; }
  TfLiteStatus AddAveragePool2D() { return Add(); }
  TfLiteStatus AddConv2D() { return Add(); }
  TfLiteStatus AddFullyConnected() { return Add(); }
  TfLiteStatus AddQuantize() { return Add(); }
  TfLiteStatus AddReshape() { return Add(); }
  TfLiteStatus AddSoftmax() { return Add(); }
  TfLiteStatus AddTanh() { return Add(); }
};
struct MicroInterpreter {
  template <typename Resolver> MicroInterpreter(const Model*, const Resolver&, uint8_t* arena, size_t size)
      : used(size) { first.data.raw = reinterpret_cast<char*>(arena); last.data.raw = answer; }
  TfLiteStatus AllocateTensors() { return kTfLiteOk; }
  TfLiteStatus Invoke() { return kTfLiteOk; }
  TfLiteTensor* input(size_t) { return &first; }
  TfLiteTensor* output(size_t) { return &last; }
  size_t arena_used_bytes() const { return used; }
  TfLiteTensor first, last;
  size_t used;
  char answer[10] = {ANSWER};
};
}  // namespace tflite
"""


@pytest.fixture(scope="module")
def model_file(embedded, tmp_path_factory):
    """LeNet-5 in 8 bits, and one with int8 pixels: ``path(io)``."""
    folder, images = tmp_path_factory.mktemp("micro"), datasets.stratified(embedded.train, 200, 0)[0].images
    about = {"network": "LeNet-5", "mode": "int8", "labels": list("0123456789")}

    def path(io="uint8"):
        file = folder / f"lenet5_{io}.tflite"
        if not file.exists():
            forms = quantize.best_forms("int8", "micro")
            trained = LeNet5(weights="mnist")
            tflite = quantize.convert(trained, lenet.PREPROCESSING, "int8", images, dtype=io, forms=forms)
            file.write_bytes(metadata.embed(tflite, about))
        return file

    return path


@pytest.fixture(scope="module")
def written(command, model_file):
    """The folder of what the command writes within the memory there is, and what it said."""
    path = model_file()
    done = command("export.micro", path, "--out", path.parent / "c", "--max-arena", 14_848, "--max-size", 72_000)
    assert done.returncode == 0, done.stdout + done.stderr
    return path.parent / "c", done.stdout


def compiled(folder, *sources, flags=()):
    """Path of the program that the system's compiler makes of ``sources``, without a warning."""
    program = folder / "program"
    options = ["-std=c++17", "-Wall", "-Wextra", "-Werror", *flags, "-I", str(folder), "-o", str(program)]
    done = subprocess.run([needs.tool(COMPILERS), *options, *map(str, sources)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


def test_answers_are_those_of_litert_s_reference_kernels(model_file, embedded):
    model, test = model_file().read_bytes(), embedded.test
    assert len(model) <= 72_000
    run = interpreter.run(model, test.images)
    reference = interpreter.run_on_reference(model, test.images)
    few = interpreter.compare(run.outputs[:200], reference[:200], test.labels[:200])
    assert few["steps"] <= 1
    found = interpreter.compare(run.outputs, reference, test.labels)
    assert found["images"] == 1000
    assert found["apart"] <= 5
    assert abs(found["drop"]) <= 0.2
    assert found["accuracy"] > 0.985
    assert run.arena <= 14_848


def test_without_tanh_the_arena_is_below_10_kb(embedded):
    images = datasets.stratified(embedded.train, 200, 0)[0].images
    forms = quantize.best_forms("int8", "micro")
    network = LeNet5(weights="mnist", activation="relu")
    model = quantize.convert(network, lenet.PREPROCESSING, "int8", images, forms=forms)
    assert interpreter.run(model, embedded.test.images[:1]).arena <= 10_240


def test_the_arena_is_the_smallest_that_will_do(model_file, embedded):
    arena = interpreter.run(model_file().read_bytes(), embedded.test.images[:1]).arena
    program = (
        "import sys\n"
        "from tflite_micro.python.tflite_micro.runtime import Interpreter\n"
        "Interpreter.from_bytes(open(sys.argv[1], 'rb').read(), arena_size=int(sys.argv[2])).invoke()"
    )
    for size, works in ((arena, True), (arena - 64, False)):
        done = subprocess.run([sys.executable, "-c", program, model_file(), str(size)], capture_output=True, text=True)
        assert (done.returncode == 0) == works, done.stderr


def test_a_difference_in_one_output_is_seen(model_file, embedded):
    outputs = interpreter.run_on_reference(model_file().read_bytes(), embedded.test.images[:200])
    others = outputs.copy()
    others[7, 3] ^= 2
    found = interpreter.compare(others, outputs, embedded.test.labels[:200])
    assert (found["steps"], found["apart"]) == (2, 1)
    allowed = {"max_size": None, "max_arena": None}
    assert not micro.failures(1, 1, found, _arguments(**allowed))
    others[:2, 0] ^= 2
    found = interpreter.compare(others, outputs, embedded.test.labels[:200])
    assert "3 of 200 digits" in micro.failures(1, 1, found, _arguments(**allowed))[0]


def _arguments(**values):
    import argparse

    return argparse.Namespace(**values)


@needs_compiler
def test_sources_hold_the_model_its_numbers_and_the_expected_answer(written, model_file, tmp_path, embedded):
    folder, said = written
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "show.cc").write_text(
        """
#include <cstdio>
#include "lenet5_uint8_model.h"
#include "lenet5_uint8_test_digit.h"
using namespace lenet5_uint8;
int main() {
  std::fprintf(stderr, "%d %u %d %d %d %g %d %g %d %s", reinterpret_cast<std::size_t>(kModel) % 16 == 0, kModelSize,
               kArenaSize, kInputSize, kOperators, kInputScale, kInputZeroPoint, kOutputScale, kOutputZeroPoint,
               kLabels[kTestLabel]);
  std::fwrite(kModel, 1, sizeof(kModel), stdout);
  std::fwrite(kTestPixels, 1, sizeof(kTestPixels), stdout);
  std::fwrite(kTestOutput, 1, sizeof(kTestOutput), stdout);
}
"""
    )
    program = compiled(tmp_path, tmp_path / "show.cc", tmp_path / "lenet5_uint8_model.cc")
    shown = subprocess.run([program], capture_output=True)
    model, first = model_file().read_bytes(), embedded.test.images[0]
    run = interpreter.run(model, first[None])
    assert shown.stdout == model + first.tobytes() + run.outputs[0].tobytes()
    assert shown.stderr.decode() == f"1 {len(model)} {run.arena} 1024 7 1 0 0.00390625 0 {embedded.test.labels[0]}"
    assert f"Model: {len(model):,} bytes; arena: {run.arena:,} bytes" in said


@needs_compiler
@pytest.mark.parametrize(("changed", "code"), [(0, 0), (1, 0), (2, 1)])
def test_main_says_whether_the_answer_is_within_one_step(written, changed, code, tmp_path, model_file, embedded):
    """Against declarations of what it uses of tflite-micro, not against tflite-micro itself."""
    shutil.copytree(written[0], tmp_path, dirs_exist_ok=True)
    answer = interpreter.run_on_reference(model_file().read_bytes(), embedded.test.images[:1])[0]
    answer[5] += changed
    for line in (tmp_path / "main.cc").read_text().splitlines():
        if line.startswith('#include "tensorflow/'):
            header = tmp_path / line.split('"')[1]
            header.parent.mkdir(parents=True, exist_ok=True)
            header.write_text('#include "tflm.h"\n')
    numbers = ", ".join(f"static_cast<char>({value})" for value in answer)
    (tmp_path / "tflm.h").write_text(TFLM.replace("ANSWER", numbers))
    program = compiled(tmp_path, tmp_path / "main.cc", tmp_path / "lenet5_uint8_model.cc")
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == code
    assert f"{embedded.test.labels[0]}; outputs differ by {changed} at most" in done.stdout


@needs_compiler
@pytest.mark.parametrize("file", ["model.h", "model.cc", "settings.h", "test_digit.h"])
def test_a_file_of_another_export_among_the_others_does_not_compile(file, written, tmp_path):
    shutil.copytree(written[0], tmp_path, dirs_exist_ok=True)
    path = tmp_path / f"lenet5_uint8_{file}"
    text, stamps = re.subn(r"(EXPORT (?:!= )?0x)[0-9a-f]{8}", r"\g<1>0badc0de", path.read_text())
    path.write_text(text)
    assert stamps == 1
    (tmp_path / "all.cc").write_text('#include "lenet5_uint8_test_digit.h"\n#include "lenet5_uint8_model.cc"\n')
    command = [needs.tool(COMPILERS), "-fsyntax-only", tmp_path / "all.cc"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode
    assert '#error "these files are of two exports; write them again"' in done.stderr


@needs_compiler
def test_pixels_of_an_int8_model_are_less_128(model_file, called, tmp_path, embedded):
    done = called("export.micro", model_file("int8"), "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "show.cc").write_text(
        '#include <cstdio>\n#include "lenet5_int8_test_digit.h"\nusing namespace lenet5_int8;\n'
        "int main() { std::fwrite(kTestPixels, 1, sizeof(kTestPixels), stdout); return kInputZeroPoint == -128; }\n"
    )
    shown = subprocess.run([compiled(tmp_path, tmp_path / "show.cc")], capture_output=True)
    assert shown.stdout == as_input(embedded.test.images[:1], "int8").tobytes()
    assert shown.returncode == 1


@pytest.mark.parametrize("limit", ["--max-arena", "--max-size"])
def test_a_model_too_large_for_the_device_is_rejected_and_not_written(limit, model_file, called, tmp_path):
    done = called("export.micro", model_file(), "--out", tmp_path, limit, 10_000)
    assert done.returncode == micro.REJECTED
    assert f"more than {limit} 10,000" in done.stdout
    assert not list(tmp_path.iterdir())


def test_an_operator_that_it_does_not_have_is_named(model_file, embedded):
    content = flatbuffer.load(model_file().read_bytes())
    for code in content.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.TANH:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RELU_N1_TO_1
    content = flatbuffer.dump(content)
    with pytest.raises(InputError, match="RELU_N1_TO_1"):
        interpreter.run(content, embedded.test.images[:1])


def test_a_model_of_floats_is_refused(embedded, tmp_path):
    tflite = quantize.convert(LeNet5(weights="mnist"), lenet.PREPROCESSING, "float32")
    about = {"network": "LeNet-5", "mode": "float32", "labels": list("0123456789")}
    with pytest.raises(InputError, match="not of 8 bits from input to output"):
        micro.opened(metadata.embed(tflite, about), tmp_path / "x.tflite")


def test_without_the_interpreter_one_sentence_says_what_to_install(monkeypatch, model_file, called, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = called("export.micro", model_file(), "--out", tmp_path)
    assert done.returncode == 2
    assert "pip install 'keras-classics[micro]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_operators_are_named_as_the_resolver_names_its_methods():
    names = {"CONV_2D": "AddConv2D", "FULLY_CONNECTED": "AddFullyConnected", "BATCH_MATMUL": "AddBatchMatMul"}
    assert {name: micro.resolver_method(name) for name in names} == names
