"""A conversion that fails for want of disk, memory or a library is not blamed on the model."""

import contextlib
import errno
import os
import resource
import tempfile

import pytest
import tensorflow as tf

import keras_classics
from export.convert import failures, quantize
from keras_classics import lenet
from keras_classics.errors import InputError


@contextlib.contextmanager
def files_of_at_most(count):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_no_more_is_never_blamed_on_the_model(tmp_path, monkeypatch):
    """TensorFlow's converter passes over it. Later it fails for another reason, or finds a way without the disk."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    whole = quantize.convert(keras_classics.LeNet5(weights="mnist"), lenet.PREPROCESSING, "float32")
    with files_of_at_most(50_000):
        try:
            found = quantize.convert(keras_classics.LeNet5(weights="mnist"), lenet.PREPROCESSING, "float32")
        except InputError as error:
            found = error
    if isinstance(found, InputError):
        assert isinstance(found, failures.SurroundingsError)
        assert f"temporary files to {tmp_path}" in str(found)
        assert "File too large" in str(found)
        assert "TMPDIR" in str(found)
    else:
        assert abs(len(found) - len(whole)) < 1_000


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
