"""Counting connections as LeCun et al. 1998 do: every use of a weight, a bias or, in subsampling, a pixel."""

import math

import keras

from keras_classics.layers import EuclideanRBF, SparselyConnectedConv2D, TrainableSubsampling


def connections(model):
    """Connections of a network of this package: 340,908 for ``LeNet5(variant="1998")``, as in section II.B.

    A convolution has each of its weights and biases at every position of its maps; subsampling, each pixel of its
    window and, where it has one, its bias; a fully connected layer, its weights and biases; RBF units, their
    prototypes.

    Args:
        model: a Keras model with known image size.

    Returns:
        int: how many; a layer of another kind counts as 0.

    Raises:
        ValueError: the size of the maps is not known.
    """
    return sum(connections(layer) if isinstance(layer, keras.Model) else _of_layer(layer) for layer in model.layers)


def _of_layer(layer):
    if isinstance(layer, keras.layers.Dense):
        return layer.count_params()
    if isinstance(layer, EuclideanRBF):
        return len(layer.prototypes) * len(layer.prototypes[0])
    if isinstance(layer, (keras.layers.Conv2D, SparselyConnectedConv2D)):
        return layer.count_params() * _positions(layer)
    if isinstance(layer, TrainableSubsampling):
        return layer.bias.shape[0] * _positions(layer) * (layer.size**2 + 1)
    if isinstance(layer, (keras.layers.AveragePooling2D, keras.layers.MaxPooling2D)):
        return math.prod(layer.output.shape[1:]) * math.prod(layer.pool_size)
    return 0


def _positions(layer):
    """Pixels of a map of ``layer``."""
    shape = layer.output.shape
    sides = shape[1:3] if layer.data_format == "channels_last" else shape[2:4]
    if None in sides:
        raise ValueError(f"layer {layer.name} has maps of unknown size; build the network with input_shape.")
    return math.prod(sides)
