"""Which LeNet-5 goes into the page: a ``.tflite`` as it is, or a Keras model by way of one in float32."""

import json
import pathlib

from export.inputs import networks
from keras_classics.errors import InputError

_PACKAGED = ("lenet5", "modern", {"weights": "mnist"})
_OF_DIGITS = ("mnist", "embedded")  # datasets whose labels are LeNet-5's own
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
        return _converted(networks.build(*_PACKAGED), *_PACKAGED[:2], "the packaged model"), "the packaged model"
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
    loaded = networks.load_model(path)
    network, variant = networks.identify(loaded, path, str(path))
    if network == "alexnet":
        raise InputError(f"{path} is AlexNet; the page is for LeNet-5.")
    return _converted(loaded, network, variant, path)


def _converted(model, network, variant, path):
    from export.convert import quantize
    from export.litert import metadata
    from keras_classics import lenet

    trained_on = _trained_on(pathlib.Path(path))
    if model.output_shape[-1] != len(lenet.LABELS) or trained_on not in _OF_DIGITS:
        raise InputError(
            f"{path} does not say what its classes are; give the .tflite that python -m export.tflite makes."
        )
    preprocessing, shape = networks.row_of(network, variant)
    if tuple(model.input_shape[1:]) != shape:
        raise InputError(f"{path} takes {model.input_shape}; expected {(None, *shape)}.")
    described = {"network": networks.TITLES[network], "mode": "float32", "labels": list(lenet.LABELS)}
    return metadata.embed(quantize.convert(model, preprocessing, "float32"), described)


def _trained_on(path):
    """The dataset that training wrote down beside a model; "mnist" where it wrote nothing."""
    try:
        history = json.loads(path.with_name(f"{path.stem}_history.json").read_text(encoding="utf-8"))
        return history["dataset"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return "mnist"
