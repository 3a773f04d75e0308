"""A network as a plain list of steps with their numbers, free of layers that only its training or its fame needs.

Reading takes the layers of 1998 apart into what every device knows: trainable subsampling is an average with a gain and
a bias a map; C3 a convolution with zeros; the scaled tanh a tanh between two factors that belong to the weights around
it; and distances to prototypes, of which a softmax makes probabilities, a product with these prototypes.
"""

import dataclasses

import keras
import numpy as np

from keras_classics.errors import InputError
from keras_classics.layers import (
    EuclideanRBF,
    LocalResponseNormalization,
    SparselyConnectedConv2D,
    TrainableSubsampling,
    scaled_tanh,
)
from keras_classics.layers.lenet1998 import AMPLITUDE, SLOPE


@dataclasses.dataclass(frozen=True)
class Convolution:
    """``kernel (height, width, input maps of a group, maps)``; groups 0: depthwise, ``(height, width, maps, 1)``."""

    name: str
    kernel: np.ndarray
    bias: np.ndarray
    stride: int = 1
    padding: str = "valid"
    groups: int = 1
    activation: str | None = None
    bare: bool = False  # whether there is no bias


@dataclasses.dataclass(frozen=True)
class Pool:
    """Maximum, or the sum of a window times ``gain (maps,)`` plus ``bias (maps,)``."""

    name: str
    kind: str
    size: int
    stride: int
    gain: np.ndarray | None = None
    bias: np.ndarray | None = None
    activation: str | None = None
    bare: bool = True
    even: bool = True  # whether the windows cover the whole map


@dataclasses.dataclass(frozen=True)
class Product:
    """``x · kernel + bias``, ``kernel (inputs, units)``."""

    name: str
    kernel: np.ndarray
    bias: np.ndarray
    activation: str | None = None


@dataclasses.dataclass(frozen=True)
class Normalization:
    name: str
    config: dict


@dataclasses.dataclass(frozen=True)
class Pad:
    name: str
    margins: tuple


@dataclasses.dataclass(frozen=True)
class Subtract:
    mean: np.ndarray


class Flatten:
    pass


class Softmax:
    pass


def read_steps(model):
    """The steps of ``model``, a LeNet-5 or AlexNet of this package.

    Raises:
        InputError: it has a layer that is in neither, or does not end in probabilities (or distances).
    """
    steps, gain, distances = [], 1.0, False
    for layer in model.layers:
        if isinstance(layer, (keras.layers.InputLayer, keras.layers.Dropout)):
            continue
        if isinstance(layer, keras.layers.AveragePooling2D) or _is_adaptive(layer):
            step = _average(layer)
        elif isinstance(layer, keras.layers.Conv2D):
            step, gain = _convolution(layer, gain)
        elif isinstance(layer, SparselyConnectedConv2D):
            step, gain = _sparse(layer, gain)
        elif isinstance(layer, TrainableSubsampling):
            step, gain = _subsampling(layer, gain)
        elif isinstance(layer, keras.layers.Dense):
            step, gain = _dense(layer, gain)
        elif isinstance(layer, EuclideanRBF):
            step, gain, distances = _prototypes(layer, gain), 1.0, True
        else:
            step = _plain(layer)
        if step is not None:
            steps.append(step)
        activation = getattr(layer, "activation", None)
        if isinstance(layer, keras.layers.Dense) and activation is keras.activations.softmax:
            steps.append(Softmax())
    if distances and not any(isinstance(step, Softmax) for step in steps):
        steps.append(Softmax())  # small distances mean likely
    return steps


def _plain(layer):
    """A step without weights; None for a layer that changes nothing on the device."""
    if isinstance(layer, keras.layers.MaxPooling2D):
        return Pool(layer.name, "max", layer.pool_size[0], layer.strides[0])
    if isinstance(layer, LocalResponseNormalization):
        return Normalization(layer.name, _lrn(layer))
    if isinstance(layer, keras.layers.ZeroPadding2D):
        return Pad(layer.name, layer.padding[0])
    if isinstance(layer, keras.layers.Flatten):
        return Flatten()
    if isinstance(layer, keras.layers.Activation) and layer.activation is keras.activations.softmax:
        return Softmax()
    if isinstance(layer, keras.layers.Rescaling) and layer.scale == -1.0:  # of distances, before a softmax
        return None
    raise InputError(f"there is no device graph for the layer {layer.name} ({type(layer).__name__}).")


def _lrn(layer):
    return {name: getattr(layer, name) for name in ("depth_radius", "bias", "alpha", "beta")}


def _is_adaptive(layer):
    return type(layer).__name__ == "AdaptiveAveragePooling2D"


def _average(layer):
    if _is_adaptive(layer):
        raise InputError("there is no device graph for adaptive pooling; export at the image size of training.")
    size = layer.pool_size[0]
    height, width, maps = layer.input.shape[1:]
    even = height % size == 0 and width % size == 0
    return Pool(layer.name, "average", size, size, np.full(maps, 1 / size**2), np.zeros(maps), even=even)


def _activated(activation, kernel, bias):
    """Name of the activation, kernel and bias it is applied to, and the factor that is left to the next weights."""
    if activation is scaled_tanh:
        return "tanh", kernel * SLOPE, bias * SLOPE, AMPLITUDE
    name = getattr(activation, "__name__", None)
    if name in ("linear", "softmax"):  # the softmax is a step of its own
        return None, kernel, bias, 1.0
    return name, kernel, bias, 1.0


def _weights(layer):
    """Kernel and bias in float64, so that factors can be multiplied in with one rounding."""
    kernel, *bias = (np.asarray(values, np.float64) for values in layer.get_weights())
    return kernel, bias[0] if bias else np.zeros(kernel.shape[-1])


def _convolution(layer, gain):
    kernel, bias = _weights(layer)
    activation, kernel, bias, left = _activated(layer.activation, kernel * gain, bias)
    return Convolution(layer.name, kernel, bias, layer.strides[0], layer.padding, layer.groups, activation), left


def _sparse(layer, gain):
    planes, bias = _weights(layer)  # (height, width, connections)
    activation, planes, bias, left = _activated(layer.activation, planes * gain, bias)
    kernel = np.zeros((*planes.shape[:2], layer.input.shape[-1], len(layer.connections)))
    pairs = [(output, source) for output, maps in enumerate(layer.connections) for source in maps]
    for plane, (output, source) in enumerate(pairs):
        kernel[:, :, source, output] = planes[:, :, plane]
    return Convolution(layer.name, kernel, bias, activation=activation), left


def _subsampling(layer, gain):
    coefficient, bias = (np.asarray(values, np.float64) for values in layer.get_weights())
    activation, coefficient, bias, left = _activated(layer.activation, coefficient * gain, bias)
    height, width = layer.input.shape[1:3]
    even = height % layer.size == 0 and width % layer.size == 0
    size = layer.size
    return Pool(layer.name, "average", size, size, coefficient, bias, activation, bare=False, even=even), left


def _dense(layer, gain):
    kernel, bias = _weights(layer)
    activation, kernel, bias, left = _activated(layer.activation, kernel * gain, bias)
    return Product(layer.name, kernel, bias, activation), left


def _prototypes(layer, gain):
    """``-|x - p|²`` but for ``-|x|²``, which is the same for all classes, so that a softmax takes no notice of it."""
    prototypes = np.asarray(layer.prototypes, np.float64)
    return Product(layer.name, 2 * gain * prototypes.T, -np.square(prototypes).sum(axis=1))
