"""Plain C of a digit model: it answers as LiteRT's reference kernels do, to the last bit, here and on a Cortex-M."""

import functools
import json
import re
import subprocess

import numpy as np
import pytest

from export.microcontroller import c_code, host, qemu, reference
from keras_classics import datasets
from tests.export.microcontroller.conftest import KINDS, in_folder

needs_compiler = pytest.mark.needs_tools("cc|gcc|clang")
needs_qemu = pytest.mark.needs_tools(*qemu.TOOLS)


@pytest.fixture(scope="session")
def expected(int8_models, embedded):
    """``expected(kind)``: what LiteRT's reference kernels answer to the 1,000 embedded test digits."""
    return functools.cache(lambda kind: reference.outputs(int8_models(kind).bytes, embedded.test.images))


def middle(images, side):
    """The middle of ``(n, 32, 32, 1)``."""
    margin = (32 - side) // 2
    return np.ascontiguousarray(images[:, margin : 32 - margin, margin : 32 - margin])


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


@pytest.mark.parametrize("tool", [pytest.param(name, marks=pytest.mark.needs_tools(name)) for name in ("gcc", "clang")])
@pytest.mark.parametrize("kind", KINDS)
def test_compilers_have_nothing_to_warn_of(kind, tool, code, tmp_path):
    folder = in_folder(code(kind, side=28), tmp_path)
    for name in ("lenet5", "lenet5_selftest"):
        host.build([folder / f"{name}.c"], folder / f"{name}.o", "-O2", "-c", tool=tool)


@pytest.mark.needs_tools("gcc")
@pytest.mark.parametrize("file", ["lenet5.c", "lenet5.h", "lenet5_selftest.c", "lenet5_selftest.h"])
def test_a_file_of_another_export_among_the_others_does_not_compile(file, code, tmp_path):
    """As a process leaves them that is killed between two renames."""
    mixed = code("tanh") | {file: code("relu")[file]}
    folder = in_folder(mixed, tmp_path)
    sources = [folder / "lenet5.c", folder / "lenet5_selftest.c"]
    done = subprocess.run(["gcc", "-std=c99", "-fsyntax-only", *sources], capture_output=True, text=True)
    assert done.returncode
    assert '#error "these files are of two exports; write them again"' in done.stderr


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


def test_the_source_says_where_it_came_from_and_what_it_takes(code):
    text = code("tanh")["lenet5.c"]
    assert "Made by python -m export.c from tanh.tflite" in text
    assert "C5: 48,000 weights in 48,000 bytes, one byte a weight" in text
