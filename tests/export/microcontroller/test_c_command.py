"""``python -m export.c``: what it writes and prints, and the models and options that it refuses."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from export.convert import quantize
from export.litert import flatbuffer, metadata
from export.microcontroller import layers
from keras_classics import LeNet5, lenet
from keras_classics.errors import InputError
from tests.export.microcontroller.conftest import ABOUT, changed, foreign

needs_compiler = pytest.mark.needs_tools("cc|gcc|clang")


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


def _other_operator(model):
    def change(operator, name, content):
        code = content.operatorCodes[operator.opcodeIndex]
        if name == "TANH":
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.ABS

    return changed(model, change)


def _fewer_labels(model):
    return metadata.embed(foreign(model), {**ABOUT, "labels": list("012")})


BAD = {
    "not of this project": (foreign, "does not say what its classes are"),
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
