"""Which LeNet-5 goes into the page: a ``.tflite`` as it is, or a Keras model by way of one in float32."""

import importlib.resources
import pathlib

from export.contract import TITLES
from export.inputs import networks
from keras_classics import recognition
from keras_classics.errors import InputError
from keras_classics.recognition import untrusted
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
    return (untrusted.read(path) if path.suffix == ".tflite" else _converted(path)), str(path)


def _converted(path):
    """The bytes of a ``.keras`` file as a ``.tflite`` in float32."""
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from export.convert import quantize
    from export.litert import metadata
    from keras_classics import lenet

    model = networks.load_model(path)
    known = networks.described(model, path)
    if known.network == "alexnet":
        raise InputError(f"{path} is AlexNet; the page is for LeNet-5.")
    shape, classes = networks.image_shape(model, known, path), model.output_shape[-1]
    if shape[0] != lenet.IMAGE_SIZE:
        raise InputError(f"{path} takes {model.input_shape}; expected {(None, lenet.IMAGE_SIZE, lenet.IMAGE_SIZE, 1)}.")
    own = known.labels if known.labels and len(known.labels) == classes else None
    labels = own or networks.default_labels(known.network, classes)
    described = {"network": TITLES[known.network], "mode": "float32", "labels": list(labels)}
    return metadata.embed(quantize.convert(model, known.preprocessing, "float32"), described)
