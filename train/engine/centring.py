"""The mean of each pixel subtracted (section 2 of Krizhevsky et al., 2012), as a layer before the network.

The network's preprocessing subtracts the mean of each channel; the layer subtracts what is then left of the mean
picture. So a saved model takes what any other of its kind takes, and carries the picture inside.
"""

import pathlib
import zipfile

import keras
import numpy as np

from keras_classics.errors import InputError
from keras_classics.weights import keras_files

_LAYER, _KIND = "centre", "Normalization"


def centred(mean):
    """A Keras input less ``mean``, an array of the network's input shape, for ``input_tensor=`` of a network."""
    layer = keras.layers.Normalization(
        axis=tuple(range(1, mean.ndim + 1)),
        mean=mean,
        variance=np.ones_like(mean),
        name=_LAYER,
        dtype="float32",  # under mixed precision too: 16 bits would round the pixels
    )
    return layer(keras.Input(mean.shape))


def mean_in(weights):
    """The mean that the model in a ``.keras`` file subtracts, or None.

    Raises:
        InputError: the file is no Keras model.
    """
    if pathlib.Path(weights).suffix != ".keras" or not pathlib.Path(weights).is_file():
        return None
    try:
        layers = keras_files.configuration_of(weights)["config"]["layers"]
        means = [layer["config"]["mean"] for layer in layers if layer["class_name"] == _KIND]
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{weights} cannot be read as a Keras model ({type(error).__name__}).") from error
    return np.asarray(means[0], "float32") if means else None
