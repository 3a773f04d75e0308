"""What the tests of the exporting commands share."""

import importlib
import types

import pytest


@pytest.fixture
def called(capsys):
    """``called("export.tflite", …)``: as the fixture ``command``, but in this process, which has TensorFlow loaded."""

    def call(module, *arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            importlib.import_module(module).main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return types.SimpleNamespace(returncode=end.value.code, stdout=said.out, stderr=said.err)

    return call
