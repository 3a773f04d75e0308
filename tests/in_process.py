"""Commands called in the tests' own process, which has TensorFlow loaded."""

import contextlib
import importlib
import io
import types

import pytest


def called(module, *arguments):
    """What ``python -m module arguments`` would end with and print: ``returncode``, ``stdout`` and ``stderr``."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
    with (
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
        pytest.raises(SystemExit) as end,
    ):
        importlib.import_module(module).main([str(argument) for argument in arguments])
    stdout, stderr = (stream.seek(0) or stream.read() for stream in streams)
    return types.SimpleNamespace(returncode=end.value.code, stdout=stdout, stderr=stderr)
