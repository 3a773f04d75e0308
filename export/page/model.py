"""Which LeNet-5 goes into the page: a ``.tflite`` as it is, or a Keras model by way of one in float32."""

import pathlib

from export.contract import TITLES
from export.inputs import networks
from keras_classics.errors import InputError

_PACKAGED = ("lenet5", "modern", {"weights": "mnist"})
_SUFFIXES = (".tflite", ".keras")


def as_tflite(path):
    """``(bytes of a .tflite, what messages call it)``.

    Args:
        path: of a ``.tflite`` or ``.keras`` file; None: the weights that come with the package.

    Raises:
        InputError: there is no such file, or it is not LeNet-5 for digits.
    """
    if path is None:
        from keras_classics.runtime import start_tensorflow

        start_tensorflow()
        return _converted(networks.build(*_PACKAGED), "the packaged model"), "the packaged model"
    path = pathlib.Path(path)
    if path.suffix not in _SUFFIXES:
        raise InputError(f"{path} is no model; expected a file whose name ends in {' or '.join(_SUFFIXES)}.")
    if not path.is_file():
        raise InputError(f"there is no model file {path}.")
    if path.suffix == ".tflite":
        return path.read_bytes(), str(path)
    return _of_keras(path), str(path)


def _of_keras(path):
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    return _converted(networks.load_model(path), path)


def _converted(model, path):
    from export.convert import quantize
    from export.litert import metadata
    from keras_classics import lenet

    known = networks.described(model, path)
    if known.network == "alexnet":
        raise InputError(f"{path} is AlexNet; the page is for LeNet-5.")
    if model.output_shape[-1] != len(lenet.LABELS) or known.labels not in (None, lenet.LABELS):
        raise InputError(f"{path} is not for digits; the page is for models whose classes are 0 to 9.")
    shape = networks.image_shape(model, known, path)
    if shape[0] != lenet.IMAGE_SIZE:
        raise InputError(f"{path} takes {model.input_shape}; expected {(None, lenet.IMAGE_SIZE, lenet.IMAGE_SIZE, 1)}.")
    described = {"network": TITLES[known.network], "mode": "float32", "labels": list(lenet.LABELS)}
    return metadata.embed(quantize.convert(model, known.preprocessing, "float32"), described)
