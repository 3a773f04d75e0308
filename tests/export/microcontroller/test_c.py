"""Plain C of a digit model: it answers as LiteRT's reference kernels do, to the last bit, here and on a Cortex-M."""

import ctypes
import functools
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from export.convert import quantize
from export.litert import flatbuffer, metadata
from export.microcontroller import c_code, c_text, fixed_point, host, interpreter, layers, qemu, reference, storage
from keras_classics import LeNet5, datasets, lenet
from keras_classics.errors import InputError
from tests.export.microcontroller.conftest import ABOUT, KINDS, changed

needs_compiler = pytest.mark.needs_tools("cc|gcc|clang")
needs_qemu = pytest.mark.needs_tools(*qemu.TOOLS)
ARDUINO = """
#pragma once
#include <cstdint>
struct Port {
  void begin(long) {}
  void print(const char*) {}
  void print(long) {}
  void println(const char*) {}
};
extern Port Serial;
inline unsigned long micros() { return 0; }
inline void delay(unsigned long) {}
"""


@pytest.fixture(scope="session")
def code(int8_models):
    """``code(kind, …)``: the files of a model, with the arguments of ``c_code.Request``."""

    @functools.cache
    def files(kind, **options):
        return c_code.sources(c_code.Request(int8_models(kind).path, **options))[0]

    return files


@pytest.fixture(scope="session")
def expected(int8_models, embedded):
    """``expected(kind)``: what LiteRT's reference kernels answer to the 1,000 embedded test digits."""
    return functools.cache(lambda kind: reference.outputs(int8_models(kind).bytes, embedded.test.images))


def middle(images, side):
    """The middle of ``(n, 32, 32, 1)``."""
    margin = (32 - side) // 2
    return np.ascontiguousarray(images[:, margin : 32 - margin, margin : 32 - margin])


def in_folder(files, folder):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@needs_compiler
@pytest.mark.parametrize("side", [32, 28])
@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_litert_s_reference_kernels_to_the_last_bit(kind, side, code, expected, embedded):
    found = host.outputs(code(kind, side=side), "lenet5", middle(embedded.test.images, side), 10)
    assert np.array_equal(found, expected(kind))


@needs_compiler
@pytest.mark.parametrize("kind", ["tanh", "relu"])
def test_all_of_mnist_s_test_digits_get_the_same_answers(kind, code, int8_models, data_dir):
    test = datasets.load("mnist", data_dir).padded(32).test
    found = host.outputs(code(kind), "lenet5", test.images, 10)
    assert len(found) == 10_000
    assert np.array_equal(found, reference.outputs(int8_models(kind).bytes, test.images))


@needs_compiler
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_that_are_no_digits_get_the_same_answers_too(kind, code, int8_models):
    noise = np.random.default_rng(0).integers(0, 256, (100, 32, 32, 1), dtype=np.uint8)
    pictures = np.concatenate([noise, noise // 255 * 255, np.zeros_like(noise[:1]), np.full_like(noise[:1], 255)])
    found = host.outputs(code(kind), "lenet5", pictures, 10)
    assert np.array_equal(found, reference.outputs(int8_models(kind).bytes, pictures))


@needs_compiler
@pytest.mark.needs_extras("tflite_micro")
@pytest.mark.parametrize("kind", ["tanh", "sparse"])
def test_with_its_rounding_the_answers_are_those_of_the_microcontrollers_interpreter(kind, code, int8_models, embedded):
    files, images = code(kind, rounding="tflm"), embedded.test.images[:300]
    expected = c_code.expected(int8_models(kind).bytes, "tflm", images)
    assert np.array_equal(host.outputs(files, "lenet5", images, 10), expected)


@needs_compiler
@pytest.mark.parametrize("scale", [0.004, 0.09, 1.2, 40.0])
def test_the_softmax_is_the_reference_kernel_s_for_logits_of_any_scale(scale, int8_models, tmp_path):
    content = flatbuffer.load(int8_models("tanh").bytes)
    graph = content.subgraphs[0]
    operator = graph.operators[-2]
    graph.tensors[operator.inputs[0]].quantization.scale = [scale]
    graph.operators, graph.inputs, graph.outputs = [operator], [operator.inputs[0]], [operator.outputs[0]]
    content.signatureDefs = []
    model = flatbuffer.dump(content)
    numbers = fixed_point.softmax(float(np.float32(scale)))
    logits = np.random.default_rng(1).integers(-128, 128, (2000, 10)).astype(np.int8)
    logits[::5] = logits[::5] // 16  # close to one another
    expected = (interpreter.run_on_reference(model, logits).astype(int) + 128).astype(np.uint8)
    code = "#include <stdint.h>\n" + c_text.kernel_text("rounding") + c_text.kernel_text("softmax")
    code += "void all(const uint8_t *x, int n, uint8_t *y)\n{\n    for (int i = 0; i < n; ++i)\n"
    code += f"        softmax(x + 10 * i, 10, {numbers.multiplier}, {numbers.left}, {numbers.least}, y + 10 * i);\n}}\n"
    assert np.array_equal(_called(code, "all", (logits.astype(int) + 128).astype(np.uint8), tmp_path), expected)


def _called(code, function, values, folder):
    (folder / "code.c").write_text(code)
    host.build([folder / "code.c"], folder / "code.so", "-O1", "-shared", "-fPIC", "-Wno-unused-function")
    result = np.zeros_like(values)
    pointer = np.ctypeslib.ndpointer(values.dtype, flags="C_CONTIGUOUS")
    call = getattr(ctypes.CDLL(str(folder / "code.so")), function)
    call.argtypes, call.restype = [pointer, ctypes.c_int, pointer], None
    call(np.ascontiguousarray(values), len(values), result)
    return result


def _one_operator(model, kind, scales, sums):
    """A model of one operator of weights 0, whose sums are its biases ``sums``."""

    def shape(tensor, *sides):
        tensor.shape, tensor.shapeSignature = sides, None

    content = flatbuffer.load(model)
    graph, count, full = content.subgraphs[0], len(sums), kind == "FULLY_CONNECTED"
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if name.isupper()}
    codes = [names[code.builtinCode] for code in content.operatorCodes]
    operator = next(each for each in graph.operators if codes[each.opcodeIndex] == kind)
    pixels, weights, biases = (graph.tensors[index] for index in operator.inputs)
    output = graph.tensors[operator.outputs[0]]
    shape(pixels, *([1, 4] if full else [1, 1, 1, 4]))
    shape(weights, *([count, 4] if full else [count, 1, 1, 4]))
    shape(biases, count)
    shape(output, *([1, count] if full else [1, 1, 1, count]))
    content.buffers[weights.buffer].data = np.zeros((count, 4), np.int8).tobytes()
    content.buffers[biases.buffer].data = sums.astype(np.int32).tobytes()
    of_each = 1 if full else count
    for tensor, scale, number in zip((pixels, weights, output), scales, (1, of_each, 1), strict=True):
        tensor.quantization.scale, tensor.quantization.zeroPoint = [float(scale)] * number, [0] * number
    biases.quantization.scale = [float(scales[0] * scales[1])] * of_each
    biases.quantization.zeroPoint = [0] * of_each
    graph.operators, graph.inputs, graph.outputs = [operator], [operator.inputs[0]], [operator.outputs[0]]
    content.signatureDefs, content.metadata = [], []
    return flatbuffer.dump(content)


@needs_compiler
@pytest.mark.parametrize(
    "interpreted", ["litert", pytest.param("tflm", marks=pytest.mark.needs_extras("tflite_micro"))]
)
@pytest.mark.parametrize("kind", ["FULLY_CONNECTED", "CONV_2D"])
def test_sums_nearest_to_a_half_are_rounded_as_by_the_kernels(kind, interpreted, int8_models, tmp_path):
    """Of millions of sums those that tell one way of rounding, and one product of scales, from another."""
    random = np.random.default_rng(1)
    scales = random.uniform(0.005, 0.03, 2).astype(np.float32)
    factor = float(scales[0]) * float(scales[1])
    scales = (*scales, np.float32(factor * 2.0**19.7))
    exact = (sums := np.unique(random.integers(-(2**25), 2**25, 3_000_000))) * (factor / float(scales[2]))
    sums = sums[np.argsort(np.abs(np.abs(exact) % 1 - 0.5))[:500]]
    model = _one_operator(int8_models("tanh").bytes, kind, scales, sums)
    zero = np.zeros((1, 4) if kind == "FULLY_CONNECTED" else (1, 1, 1, 4), np.int8)
    run = interpreter.run_on_reference if interpreted == "litert" else lambda *given: interpreter.run(*given).outputs
    expected = run(model, zero).ravel()
    ((multiplier, shift),) = fixed_point.multipliers(scales[0], scales[1:2], scales[2])
    rounded = "once" if (kind, interpreted) == ("FULLY_CONNECTED", "litert") else "twice"
    code = "#include <stdint.h>\n" + c_text.kernel_text("rounding") + c_text.kernel_text("rounding_once")
    code += "void all(const int32_t *x, int n, int32_t *y)\n{\n    for (int i = 0; i < n; ++i)\n"
    code += f"        y[i] = scaled_{rounded}(x[i], {multiplier}, {shift});\n}}\n"
    found = _called(code, "all", sums.astype(np.int32), tmp_path)
    assert np.array_equal(np.clip(found, -128, 127), expected)
    assert len(np.unique(found)) > 50


@pytest.mark.parametrize("tool", [pytest.param(name, marks=pytest.mark.needs_tools(name)) for name in ("gcc", "clang")])
@pytest.mark.parametrize("kind", KINDS)
def test_compilers_have_nothing_to_warn_of(kind, tool, code, tmp_path):
    folder = in_folder(code(kind, side=28), tmp_path)
    for name in ("lenet5", "lenet5_selftest"):
        host.build([folder / f"{name}.c"], folder / f"{name}.o", "-O2", "-c", tool=tool)


@pytest.mark.needs_tools("gcc")
@pytest.mark.parametrize("kind", KINDS)
def test_sanitizers_find_nothing(kind, code, tmp_path):
    """Of addresses and of undefined behaviour, on the ten digits of the self-test."""
    folder = in_folder(code(kind, side=28), tmp_path)
    sources = [folder / "lenet5.c", folder / "lenet5_selftest.c"]
    flags = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DLENET5_SELFTEST_MAIN"]
    host.build(sources, folder / "selftest", *flags, tool="gcc")
    done = subprocess.run([folder / "selftest"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@needs_compiler
@pytest.mark.needs_tools("nm")
def test_it_needs_no_library_no_heap_and_no_float(code, tmp_path):
    folder = in_folder(code("sparse"), tmp_path)
    host.build([folder / "lenet5.c"], folder / "lenet5.o", "-O2", "-c")
    undefined = subprocess.run(["nm", "-u", folder / "lenet5.o"], capture_output=True, text=True).stdout.split()
    assert {name for name in undefined if name != "U"} <= {"memcpy", "memset"}
    text = (folder / "lenet5.c").read_text()
    assert re.findall(r'#include (?!<stdint|"lenet5.h)', text) == []
    assert not re.search(r"\b(float|double|malloc|long)\b", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))


@needs_compiler
@pytest.mark.parametrize("wrong", ["lenet5.c", "lenet5_selftest.c"])
def test_the_self_test_notices_one_changed_number(wrong, code, tmp_path):
    folder = in_folder(code("tanh"), tmp_path)
    text = (folder / wrong).read_text()
    found = re.search(r"(C3_bias\[16\] = |test_answers\[.*= {\n    ){\n *(-?\d+)", text)
    text = text[: found.start(2)] + str(int(found[2]) // 2 + 77) + text[found.end(2) :]
    (folder / wrong).write_text(text)
    sources = [folder / "lenet5.c", folder / "lenet5_selftest.c"]
    host.build(sources, folder / "selftest", "-DLENET5_SELFTEST_MAIN")
    assert subprocess.run([folder / "selftest"]).returncode > 0


@needs_qemu
@pytest.mark.parametrize("machine", qemu.MACHINES)
@pytest.mark.parametrize("kind", ["tanh", "sparse"])
def test_a_cortex_m_gives_the_same_answers_within_the_memory_it_has(kind, machine, code, expected, embedded):
    images = embedded.test.images[:30]
    run = qemu.run(code(kind, side=28), "lenet5", middle(images, 28), 10, machine)
    assert np.array_equal(run.answers, expected(kind)[: len(images)])
    assert run.ram == 1320
    assert run.stack < 600
    assert run.code < 3500
    weights = 64_000 if kind == "tanh" else 20_000
    assert weights * 0.5 < run.flash < weights + 4000
    # 416,520 multiplications in all; sparse layers leave some out.
    assert 1_000_000 < run.instructions <= run.most_instructions < 6_000_000


@needs_compiler
@needs_qemu
def test_the_benchmark_compares_all_digits_here_and_some_there(called, int8_models):
    options = ["--dataset", "embedded", "--digits", 10, "--machine", "microbit", "--json"]
    done = called("benchmarks.microcontroller", int8_models("sparse").path, *options)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout.splitlines()[-1])["rows"]
    assert row["identical_here"] == [1000, 1000]
    assert row["identical_there"] == [10, 10]
    assert row["processor"] == "cortex-m0"
    low, high = row["interval_95"]
    assert low < row["accuracy"] < high


@pytest.mark.parametrize("shape", [(3, 1, 400), (4, 5, 30), (2, 3, 7)])
@pytest.mark.parametrize(("values", "zeros"), [(1, 0.97), (3, 0.9), (15, 0.5), (15, 0.0), (60, 0.9), (200, 0.2)])
def test_stored_weights_are_the_weights(shape, values, zeros):
    random = np.random.default_rng(values)
    book = random.choice(np.setdiff1d(np.arange(-127, 128), [0]), values, replace=False)
    kernel = np.where(random.random(shape) < zeros, 0, random.choice(book, shape)).astype(np.int8)
    for form in (storage.smallest(kernel), storage._sparse(kernel, True), storage._indexed(kernel, False)):
        if form is not None:
            assert np.array_equal(_weights(form, shape), kernel), form.kind
    assert storage.smallest(kernel).size <= kernel.size


def _weights(form, shape):
    """What the kernels make of stored weights, in other words."""
    if form.kind == "dense":
        return form.codes.reshape(shape)
    found = np.zeros(shape, np.int8)
    place = 0
    for number, row in enumerate(found.reshape(-1, shape[2])):
        book = form.codebook[number // shape[1] * form.step :]
        if form.kind == "indexed":
            bits = np.unpackbits(form.codes, bitorder="little").reshape(-1, form.bits)
            per_row = -(-shape[2] * form.bits // 8) * 8 // form.bits
            indices = (bits << np.arange(form.bits)).sum(axis=1)[number * per_row :][: shape[2]]
            row[:] = book[indices]
            continue
        column = 0
        for code in form.codes[place : place + int(form.counts[number])]:
            column += int(code) >> form.bits
            row[column] += book[int(code) & ((1 << form.bits) - 1)]
            column += 1
        place += int(form.counts[number])
    return found


@pytest.mark.needs_tools("cmake", "make|ninja", "cc|gcc|clang")
def test_the_cmake_project_builds_and_runs_here(code, tmp_path):
    said = _built_by_cmake(in_folder(code("sparse", project="cmake"), tmp_path))
    assert re.search(r"digit 9: \d, \d+/256", said)
    assert "all answers are the computer's" in said


@pytest.mark.needs_tools("cmake", "make|ninja", *qemu.TOOLS)
def test_the_cmake_project_builds_and_runs_on_a_cortex_m(code, tmp_path):
    folder = in_folder(code("tanh", project="cmake", name="digits"), tmp_path)
    said = _built_by_cmake(folder, "-DCMAKE_TOOLCHAIN_FILE=cortex-m/toolchain.cmake", "-DMACHINE=microbit")
    assert "digit 9: 9" in said
    assert "all answers are the computer's" in said


def _built_by_cmake(folder, *options):
    steps = (["cmake", "-B", "build", *options], ["cmake", "--build", "build"], ["ctest", "--test-dir", "build", "-V"])
    for step in steps:
        done = subprocess.run(step, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "warning" not in (done.stdout + done.stderr).lower(), done.stdout + done.stderr
    return done.stdout


@pytest.mark.needs_tools("c++|g++|clang++", "cc|gcc|clang")
@pytest.mark.parametrize("project", ["arduino", "platformio"])
def test_the_sketch_compiles_against_what_it_uses_of_arduino(project, code, tmp_path):
    folder = in_folder(code("tanh", project=project), tmp_path)
    (folder / "Arduino.h").write_text(ARDUINO)
    if project == "arduino":  # as its tools do: the sketch has the name of its folder, and gets the header by itself
        sketch, library = folder / "lenet5" / "lenet5.ino", folder / "lenet5"
    else:
        sketch, library = folder / "src" / "main.cpp", folder / "lib" / "lenet5"
    options = ["-std=c++11", "-Wall", "-Wextra", "-Werror", "-I", folder, "-I", library, "-include", "Arduino.h"]
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    (folder / "end.cpp").write_text("void setup();\nvoid loop();\nPort Serial;\nint main() { setup(); loop(); }\n")
    subprocess.run([compiler, *options, "-x", "c++", "-c", sketch, "-o", folder / "sketch.o"], check=True)
    subprocess.run([compiler, *options, "-c", folder / "end.cpp", "-o", folder / "end.o"], check=True)
    for name in ("lenet5", "lenet5_selftest"):
        host.build([library / f"{name}.c"], folder / f"{name}.o", "-c")
    objects = [folder / f"{name}.o" for name in ("sketch", "end", "lenet5", "lenet5_selftest")]
    subprocess.run([compiler, *objects, "-o", folder / "program"], check=True)


@needs_compiler
def test_the_command_says_what_it_takes_of_flash_and_ram(called, int8_models, tmp_path):
    done = called("export.c", int8_models("sparse").path, "--out", tmp_path / "new", "--side", 28, "--name", "digit")
    assert done.returncode == 0, done.stderr
    assert "static RAM: 1,320 bytes" in done.stdout
    assert "1,000 of 1,000 test digits get the answers of LiteRT's reference kernels, to the last bit" in done.stdout
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == ["digit.c", "digit.h", "digit_selftest.c", "digit_selftest.h"]
    header = (tmp_path / "new" / "digit.h").read_text()
    assert "int digit_predict(const uint8_t pixels[DIGIT_PIXELS], uint8_t probabilities[DIGIT_CLASSES]);" in header
    assert "#define DIGIT_PIXELS (28 * 28)" in header


def _float_model(model):
    return metadata.embed(quantize.convert(LeNet5(weights="mnist"), lenet.PREPROCESSING, "float32"), ABOUT)


def _foreign(model):
    content = flatbuffer.load(model)
    content.metadata = []
    return flatbuffer.dump(content)


def _other_operator(model):
    def change(operator, name, content):
        code = content.operatorCodes[operator.opcodeIndex]
        if name == "TANH":
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.ABS

    return changed(model, change)


def _fewer_labels(model):
    return metadata.embed(_foreign(model), {**ABOUT, "labels": list("012")})


BAD = {
    "not of this project": (_foreign, "does not say what its classes are"),
    "of floats": (_float_model, "is not of 8 bits from input to output"),
    "with an operator that has no C": (_other_operator, "ABS"),
    "with labels for other outputs": (_fewer_labels, "has 10 outputs and 3 labels"),
    "cut off": (lambda model: model[: len(model) // 2], "x.tflite"),
    "not a model": (lambda model: b"PK\3\4" * 20, "is not a TFLite model"),
    "empty": (lambda model: b"", "is not a TFLite model"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_model_that_cannot_be_used_is_one_sentence_and_nothing_is_written(what, called, int8_models, tmp_path):
    change, sentence = BAD[what]
    (tmp_path / "x.tflite").write_bytes(change(int8_models("tanh").bytes))
    done = called("export.c", tmp_path / "x.tflite", "--out", tmp_path / "out")
    assert done.returncode == 2, done.stdout
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--side", 20], "expected a side of 28 to 32 in steps of 2"),
        (["--side", 31], "expected a side of 28 to 32 in steps of 2"),
        (["--name", "5lenet"], "is not a name for C functions"),
        (["--name", "int"], "is not a name for C functions"),
        (["--project", "make"], "make"),
    ],
)
def test_what_does_not_go_with_the_model_is_one_sentence(arguments, sentence, called, int8_models, tmp_path):
    done = called("export.c", int8_models("tanh").path, "--out", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("byte", [60, 5000, -3000])
def test_a_damaged_file_is_a_sentence_or_a_model(byte, command, int8_models, tmp_path):
    """In a process of its own: LiteRT may end it."""
    content = bytearray(int8_models("tanh").bytes)
    content[byte : byte + 8] = b"\xff" * 8
    (tmp_path / "x.tflite").write_bytes(bytes(content))
    done = command("export.c", tmp_path / "x.tflite", "--out", tmp_path / "out")
    assert done.returncode in (0, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "out").exists() == (done.returncode == 0)


def _operator(name, **options):
    def change(operator, kind, content):
        if kind == name:
            for option, value in options.items():
                setattr(operator.builtinOptions, option, value)

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_operator("CONV_2D", padding=schema.Padding.SAME), "CONV_2D with padding"),
        (_operator("CONV_2D", dilationHFactor=2), "CONV_2D with dilation"),
        (_operator("CONV_2D", strideW=2), "CONV_2D with two strides"),
        (_operator("AVERAGE_POOL_2D", strideH=1, strideW=1), "overlaps the next"),
        (_operator("FULLY_CONNECTED", fusedActivationFunction=schema.ActivationFunctionType.TANH), "activation TANH"),
    ],
)
def test_forms_of_operators_that_have_no_c_are_named(change, sentence, int8_models):
    with pytest.raises(InputError, match=sentence):
        layers.read(changed(int8_models("tanh").bytes, change))


def test_sums_that_32_bits_might_not_hold_are_refused(int8_models):
    content = flatbuffer.load(int8_models("tanh").bytes)
    for tensor in content.subgraphs[0].tensors:
        if tuple(tensor.shape) == (84,) and tensor.type == schema.TensorType.INT32:
            content.buffers[tensor.buffer].data = np.full(84, 2**31 - 1, np.int32).tobytes()
    with pytest.raises(InputError, match="do not fit into 32 bits"):
        layers.read(flatbuffer.dump(content))


def test_if_one_file_cannot_be_written_none_is(called, int8_models, tmp_path):
    (tmp_path / "lenet5_selftest.h").mkdir()
    done = called("export.c", int8_models("tanh").path, "--out", tmp_path)
    assert done.returncode == 2
    assert "there is a folder of that name" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["lenet5_selftest.h"]


@needs_compiler
def test_names_from_the_file_cannot_become_code(int8_models, tmp_path):
    about = {**ABOUT, "network": "*/ int x;\n#error\\\n", "labels": [*"012345678", '"};??/\\ é']}
    path = tmp_path / "a model.tflite"
    path.write_bytes(metadata.embed(_foreign(int8_models("relu").bytes), about))
    files = c_code.sources(c_code.Request(path, project="cmake"))[0]
    folder = in_folder(files, tmp_path / "out")
    sources = [folder / name for name in ("main.c", "board_host.c", "lenet5.c", "lenet5_selftest.c")]
    host.build(sources, folder / "program")
    assert '"};??/\\ é, ' in subprocess.run([folder / "program"], capture_output=True, text=True).stdout


def test_the_source_says_where_it_came_from_and_what_it_takes(code):
    text = code("tanh")["lenet5.c"]
    assert "Made by python -m export.c from tanh.tflite" in text
    assert "C5: 48,000 weights in 48,000 bytes, one byte a weight" in text
