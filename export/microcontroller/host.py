"""The generated C on this computer: compiled, and called from Python."""

import ctypes
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

from keras_classics import children
from keras_classics.errors import InputError

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")


def compiler():
    """Path of a C compiler; None where there is none."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build(sources, target, *flags, tool=None):
    """Compile C files into ``target``.

    Raises:
        InputError: the compiler does not take them; a warning counts too.
    """
    command = [tool or compiler(), *STRICT, *flags, "-o", str(target), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    children.check_signal(done.returncode, "the C compiler")
    if done.returncode:
        raise InputError(f"the C compiler refuses the files: {(done.stderr.strip().splitlines() or ['no reason'])[0]}.")


def outputs(files, name, pixels, classes):
    """``uint8 (n, classes)``: what the C code answers on this computer.

    Args:
        files: ``{file name: text}`` of ``generate.files``.
        name: of the functions.
        pixels: ``uint8 (n, side, side, 1)``.
        classes: how many outputs there are.
    """
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for file in (f"{name}.h", f"{name}.c"):
            (folder / file).write_text(files[file], encoding="utf-8")
        build([folder / f"{name}.c"], folder / "network.so", "-O2", "-shared", "-fPIC")
        predict = getattr(ctypes.CDLL(str(folder / "network.so")), f"{name}_predict")
        answers = np.zeros((len(pixels), classes), np.uint8)
        bytes_of = np.ctypeslib.ndpointer(np.uint8, flags="C_CONTIGUOUS")
        predict.argtypes, predict.restype = [bytes_of, bytes_of], ctypes.c_int
        for picture, row in zip(np.ascontiguousarray(pixels), answers, strict=True):
            if predict(picture, row) != row.argmax():
                raise InputError("the C code names another class than its most probable one.")
        return answers
