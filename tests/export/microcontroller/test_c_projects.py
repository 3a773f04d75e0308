"""The C of a digit model as a project: CMake, here and on a Cortex-M, Arduino and PlatformIO."""

import re
import shutil
import subprocess

import pytest

from export.litert import metadata
from export.microcontroller import c_code, host, qemu
from tests.export.microcontroller.conftest import ABOUT, foreign, in_folder

needs_compiler = pytest.mark.needs_tools("cc|gcc|clang")


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
def test_names_from_the_file_cannot_become_code(int8_models, tmp_path):
    about = {**ABOUT, "network": "*/ int x;\n#error\\\n", "labels": [*"012345678", '"};??/\\ é']}
    path = tmp_path / "a model.tflite"
    path.write_bytes(metadata.embed(foreign(int8_models("relu").bytes), about))
    files = c_code.sources(c_code.Request(path, project="cmake"))[0]
    folder = in_folder(files, tmp_path / "out")
    sources = [folder / name for name in ("main.c", "board_host.c", "lenet5.c", "lenet5_selftest.c")]
    host.build(sources, folder / "program")
    assert '"};??/\\ é, ' in subprocess.run([folder / "program"], capture_output=True, text=True).stdout
