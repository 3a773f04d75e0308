"""Which LeNet-5 goes into the page: a ``.tflite`` as it is, or a Keras model by way of one in float32."""

import importlib.resources
import pathlib

from export.inputs import networks
from keras_classics import recognition
from keras_classics.errors import InputError
from keras_classics.recognition.recognizer import PACKAGED

_SUFFIXES = (".tflite", ".keras")


def as_tflite(path):
    """``(bytes of a .tflite, what messages call it)``.

    Args:
        path: of a ``.tflite`` or ``.keras`` file; None: the model that ``keras_classics.Recognizer`` uses.

    Raises:
        InputError: there is no such file, or it is not LeNet-5.
    """
    if path is None:
        return importlib.resources.files(recognition).joinpath(PACKAGED).read_bytes(), PACKAGED
    path = pathlib.Path(path)
    if path.suffix not in _SUFFIXES:
        raise InputError(f"{path} is no model; expected a file whose name ends in {' or '.join(_SUFFIXES)}.")
    if not path.is_file():
        raise InputError(f"there is no model file {path}.")
    return (path.read_bytes() if path.suffix == ".tflite" else _converted(path)), str(path)


def _converted(path):
    """The bytes of a ``.keras`` file as a ``.tflite`` in float32."""
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from export.convert import quantize
    from export.litert import metadata
    from export.prediction import keras_model

    model = networks.load_model(path)
    network, variant = networks.identify(model, path, str(path))
    if network == "alexnet":
        raise InputError(f"{path} is AlexNet; the page is for LeNet-5.")
    preprocessing, shape = networks.row_of(network, variant)
    if tuple(model.input_shape[1:]) != shape:
        raise InputError(f"{path} takes {model.input_shape}; expected {(None, *shape)}.")
    labels = keras_model.labels_of(path, network, model.output_shape[-1])
    described = {"network": networks.TITLES[network], "mode": "float32", "labels": list(labels)}
    return metadata.embed(quantize.convert(model, preprocessing, "float32"), described)
