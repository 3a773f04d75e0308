"""A conversion that fails for want of disk, memory or a library is not blamed on the model."""

import errno
import os
import pathlib
import subprocess
import sys
import tempfile

import pytest
import tensorflow as tf

from export.convert import failures, quantize
from keras_classics.errors import InputError


def test_a_disk_that_takes_no_more_is_named(tmp_path):
    """TensorFlow's converter passes over it and fails later for another reason."""
    told = ("export.tflite", "lenet5", "--weights", "mnist", "--dataset", "embedded", "--out", tmp_path / "out")
    limited = ("bash", "-c", 'ulimit -f 40; exec "$@"', "-", sys.executable, "-m", *map(str, told))
    surroundings = {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[3]), "TMPDIR": str(tmp_path)}
    done = subprocess.run(limited, cwd=tmp_path, env=surroundings, capture_output=True, text=True)
    assert done.returncode == 2, done.stdout + done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("python -m export.tflite")]
    assert f"cannot write its temporary files to {tmp_path}: File too large" in sentence
    assert "TMPDIR" in sentence


def test_room_is_looked_for_where_the_converter_gives_another_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    failing = raised_by(TypeError("'NoneType' object is not callable"))
    with pytest.raises(failures.SurroundingsError, match=f"temporary files to {tmp_path}: .*TMPDIR"):
        quantize.run(failing, needed=2**60)
    with pytest.raises(InputError, match="cannot take this model"):
        quantize.run(failing, needed=1_000)


def raised_by(error, cause=None):
    def convert():
        raise error from cause

    return convert


@pytest.mark.parametrize(
    ("convert", "said"),
    [
        (raised_by(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x")), "cannot write to here: No space left on"),
        (raised_by(TypeError("x"), PermissionError(errno.EACCES, "Permission denied")), "here: Permission denied"),
        (raised_by(tf.errors.UnknownError(None, None, "x/variables: No space left on device")), "here: No space left"),
        (raised_by(MemoryError()), "not enough memory"),
        (raised_by(tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")), "not enough memory"),
        (raised_by(ModuleNotFoundError("No module named 'flatbuffers'")), "'flatbuffers'.*install it anew"),
    ],
)
def test_what_failed_is_said(convert, said):
    with pytest.raises(failures.SurroundingsError, match=said):
        quantize.run(convert, "here")


def test_the_model_is_blamed_for_the_rest_alone():
    with pytest.raises(InputError, match=r"the converter cannot take this model \(no such operator\)") as raised:
        quantize.run(raised_by(ValueError("no such operator\nmore\nlines")))
    assert not isinstance(raised.value, failures.SurroundingsError)
    with pytest.raises(InputError, match=r"^named$"):
        quantize.run(raised_by(InputError("named")))
