"""What an export starts from: a trained model, and the data it was trained on."""

import dataclasses
import json
import sys
import zipfile

import numpy as np

from keras_classics import datasets
from keras_classics.errors import InputError


@dataclasses.dataclass(frozen=True)
class Source:
    """A trained model and its dataset; ``held_out`` tells whether its test split is known not to have trained it."""

    model: object  # keras.Model
    dataset: datasets.Dataset
    held_out: bool | None


def check_model_file(path):
    """Refuse what cannot be a Keras model file, before TensorFlow is imported.

    Raises:
        InputError: there is no file, or not one that Keras writes.
    """
    if not path.is_file():
        raise InputError(f"there is no model {path}; train one with python -m train.lenet, or give --model PATH.")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a Keras model file (.keras).")


def load(path, network, dataset_name, data_dir):
    """The model at ``path`` and its dataset.

    Args:
        path: of a ``.keras`` file; the ``NAME_history.json`` that training wrote beside it tells the dataset.
        network: the module of the network (``lenet``), for its image size and labels.
        dataset_name: a dataset's name, or None for the one of the history ("auto" where there is none).
        data_dir: where TFDS data lies; None takes the history's.

    Raises:
        InputError: the file is not such a model, or the data is not to be had.
    """
    model = _load_model(path, network)
    trained_on = _trained_on(path)
    name = dataset_name or trained_on.get("name", "auto")
    if name == trained_on.get("name"):
        data_dir = data_dir or trained_on.get("data_dir")
    datasets.check_name(name, datasets.DIGITS)
    dataset = datasets.load(name, data_dir).padded(network.IMAGE_SIZE)
    return Source(model, dataset, _held_out(trained_on, dataset))


def check_outputs(probabilities, path):
    """Refuse a model whose outputs are not probabilities: logits could not be told from them on a device.

    Raises:
        InputError: so it is.
    """
    if not np.isfinite(probabilities).all():
        raise InputError(f"{path} gives outputs that are no numbers; train it anew.")
    if not (probabilities >= 0).all() or not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):
        raise InputError(f"{path} does not end in class probabilities; build it with classifier_activation='softmax'.")


def _load_model(path, network):
    import keras

    try:
        model = keras.models.load_model(path, compile=False)
        shapes = model.input_shape, model.output_shape
    except Exception as error:  # Keras raises whatever the broken part of the file leads to
        raise InputError(f"{path} cannot be read as a Keras model: {_first_line(error)}.") from error
    expected = (None, network.IMAGE_SIZE, network.IMAGE_SIZE, 1), (None, len(network.LABELS))
    if shapes != expected:
        raise InputError(f"{path} maps {shapes[0]} to {shapes[1]}; expected {expected[0]} to {expected[1]}.")
    return model


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _trained_on(path):
    """What training wrote of the dataset; empty where there is no history that can be read."""
    try:
        dataset = json.loads(path.with_name(f"{path.stem}_history.json").read_text(encoding="utf-8"))["dataset"]
        return dataset if isinstance(dataset["name"], str) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _held_out(trained_on, dataset):
    if trained_on.get("sha256") == dataset.describe()["sha256"]:
        return True
    if trained_on.get("name") == "mnist" and dataset.name == datasets.EMBEDDED:
        print(
            "The model was trained on all of MNIST, which the embedded digits are part of: "
            "accuracy below is not on held-out data.",
            file=sys.stderr,
        )
        return False
    return None
