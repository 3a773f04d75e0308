"""The arithmetic of the C kernels: softmax, rounding of sums, and stored weights, each for itself."""

import ctypes

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from export.litert import flatbuffer
from export.microcontroller import c_text, fixed_point, host, interpreter, storage

needs_compiler = pytest.mark.needs_tools("cc|gcc|clang")


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
