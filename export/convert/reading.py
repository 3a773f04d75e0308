"""A network as a plain list of steps with their numbers, without the layers that only training needs.

Reading takes the layers of 1998 apart into what every device knows: trainable subsampling is an average with a gain and
a bias a map; C3 a convolution with zeros; the scaled tanh a tanh between two factors that belong to the weights around
it; and distances to prototypes, of which a softmax makes probabilities, a product with these prototypes. Batch
normalization goes into the layer before it where it can (``folding``).
"""

import dataclasses
import itertools

import keras
import numpy as np

from export.convert import activations
from export.convert.activations import SOFTMAX
from export.convert.folding import factor_and_shift, without_batch_norm
from export.convert.operations import (
    Activation,
    AdaptivePool,
    Affine,
    Convolution,
    Flatten,
    Normalization,
    Pad,
    Pool,
    Product,
    Softmax,
)
from keras_classics import layers as ours
from keras_classics.errors import InputError
from keras_classics.layers.convolution import covers_its_map
from keras_classics.layers.lenet1998 import AMPLITUDE, SLOPE

_TRAINING_ONLY = (
    *(keras.layers.Dropout, keras.layers.SpatialDropout2D, keras.layers.GaussianDropout, keras.layers.AlphaDropout),
    *(keras.layers.GaussianNoise, keras.layers.ActivityRegularization, keras.layers.Identity),
)


def read_steps(model):
    """The steps of ``model``, a chain of layers that LeNet-5 and AlexNet have, or activations.

    Raises:
        InputError: it has a layer, or an option of a layer, that no step computes; the sentence names the layer.
    """
    steps, gain, distances = [], 1.0, None
    for layer in chain(without_batch_norm(model)):
        if distances is not None:
            if not _is_softmax_of(layer, distances):
                raise InputError(
                    f"layer {layer.name} follows the distances of {distances.name}; only Rescaling(-1) and a softmax "
                    "can be exported after them."
                )
            continue
        *found, left = _steps_of(layer, gain)
        if gain != 1.0 and left is None:  # a factor that the layer does not pass on
            steps.append(Affine(f"{layer.name}_factor", np.float64(gain), np.float64(0)))
            *found, left = _steps_of(layer, 1.0)
        steps += found
        gain = 1.0 if left is None else left
        distances = layer if isinstance(layer, ours.EuclideanRBF) else None
    if gain != 1.0:
        steps.append(Affine("factor", np.float64(gain), np.float64(0)))
    if distances is not None:
        steps.append(Softmax())  # small distances mean likely
    elif steps and isinstance(steps[-1], Activation) and steps[-1].function is SOFTMAX:
        steps[-1] = Softmax()
    return steps


def chain(model):
    """The layers of ``model`` that compute something, in order.

    Raises:
        InputError: one of them does not follow the one before it, or a layer has its channels first.
    """
    every = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    for previous, layer in itertools.pairwise(every):
        if _tensor(layer, "input") is not _tensor(previous, "output"):
            raise InputError(f"layer {layer.name} does not follow layer {previous.name}; only chains can be exported.")
    for layer in every:
        if getattr(layer, "data_format", "channels_last") not in ("channels_last", None):
            raise InputError(f"layer {layer.name} has its channels first; build the network with channels last.")
        if getattr(layer, "quantization_mode", None):
            raise InputError(f"layer {layer.name} is quantized ({layer.quantization_mode}) already; export float32.")
    return [layer for layer in every if not isinstance(layer, _TRAINING_ONLY)]


def _tensor(layer, which):
    try:
        return getattr(layer, which)
    except (AttributeError, ValueError):  # it was never called, or on several tensors
        return None


def _is_softmax_of(layer, distances):
    """Whether ``layer`` is part of a softmax of negated distances: Rescaling(-1), then the softmax."""
    if type(layer) is keras.layers.Rescaling:
        return np.all(np.equal(layer.scale, -1)) and not np.any(layer.offset) and layer.input is distances.output
    negated = getattr(layer, "input", None) is not distances.output
    return negated and activations.of_layer(layer) is SOFTMAX


def _steps_of(layer, gain):
    """``(step, …, factor)``: the steps of a layer whose input is to be multiplied by ``gain``, and the factor of its
    output that is left to the next one; None: it takes no factor."""
    kind = type(layer)
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(layer, gain)
    function = activations.of_layer(layer)
    if function is not None:
        return *_activation(layer.name, function), None
    if kind.__name__ == "AdaptiveAveragePooling2D":
        rows, columns = layer.output.shape[1:3]
        return AdaptivePool(layer.name, rows, columns), gain
    raise InputError(f"there is no device graph for the layer {layer.name} ({kind.__name__}).")


def _activation(name, function):
    return () if function in (None, keras.activations.linear) else (Activation(name, function),)


def _refuse(layer, what):
    raise InputError(f"there is no device graph for the layer {layer.name} ({type(layer).__name__}) {what}.")


def _side(layer, option):
    """The one number that an option of a layer has for height and width."""
    height, width = getattr(layer, option)
    if height != width:
        _refuse(layer, f"with {option} {height} × {width}")
    return height


def _activated(layer, kernel, bias):
    """Kernel and bias before the activation, the activation, the steps after it, and the factor left to the next."""
    if layer.activation is ours.scaled_tanh:
        return kernel * SLOPE, bias * SLOPE, "tanh", (), AMPLITUDE
    function = activations.known(layer.activation)
    if function is None or activations.of_elements(function):
        return kernel, bias, function, (), 1.0
    return kernel, bias, None, _activation(f"{layer.name}_activation", function), 1.0


def _weights(layer, gain):
    """Kernel, times ``gain``, and bias in float64, so that factors can be multiplied in with one rounding."""
    kernel = np.asarray(layer.kernel, np.float64) * gain
    bias = getattr(layer, "bias", None)
    return kernel, np.zeros(kernel.shape[-1]) if bias is None else np.asarray(bias, np.float64)


def _convolution(layer, gain):
    if tuple(layer.dilation_rate) != (1, 1):
        _refuse(layer, f"with dilation_rate {tuple(layer.dilation_rate)}")
    if layer.padding not in ("valid", "same"):
        _refuse(layer, f"with padding {layer.padding!r}")
    stride = _side(layer, "strides")
    kernel, bias, activation, after, left = _activated(layer, *_weights(layer, gain))
    covers = covers_its_map(layer, layer.input.shape[1:3])
    step = Convolution(layer.name, kernel, bias, stride, layer.padding, layer.groups, activation, covers=covers)
    return step, *after, left


def _sparse(layer, gain):
    planes, bias = _weights(layer, gain)  # (height, width, connections)
    bias = np.asarray(layer.bias, np.float64)
    kernel = np.zeros((*planes.shape[:2], layer.input.shape[-1], len(layer.connections)))
    pairs = [(output, source) for output, maps in enumerate(layer.connections) for source in maps]
    for plane, (output, source) in enumerate(pairs):
        kernel[:, :, source, output] = planes[:, :, plane]
    kernel, bias, activation, after, left = _activated(layer, kernel, bias)
    return Convolution(layer.name, kernel, bias, activation=activation), *after, left


def _subsampling(layer, gain):
    coefficient, bias = (np.asarray(values, np.float64) for values in (layer.coefficient, layer.bias))
    coefficient, bias, activation, after, left = _activated(layer, coefficient * gain, bias)
    pool = Pool(layer.name, "average", layer.size, layer.size, coefficient, bias, activation, bare=False)
    return dataclasses.replace(pool, even=_even(layer, layer.size)), *after, left


def _average(layer, gain):
    size, maps = _side(layer, "pool_size"), layer.input.shape[-1]
    even = _even(layer, size)
    if _side(layer, "strides") != size or (layer.padding != "valid" and not even):
        _refuse(layer, f"with strides {layer.strides[0]} and padding {layer.padding!r}")
    return Pool(layer.name, "average", size, size, np.full(maps, 1 / size**2), np.zeros(maps), even=even), gain


def _even(layer, size):
    return all(side % size == 0 for side in layer.input.shape[1:3])


def _maximum(layer, gain):
    size, stride = _side(layer, "pool_size"), _side(layer, "strides")
    return Pool(layer.name, "max", size, stride, padding=layer.padding), gain


def _padding(layer, gain):
    return Pad(layer.name, tuple(map(tuple, layer.padding))), gain


def _dense(layer, gain):
    kernel, bias, activation, after, left = _activated(layer, *_weights(layer, gain))
    return Product(layer.name, kernel, bias, activation), *after, left


def _prototypes(layer, gain):
    """``-|x - p|²`` but for ``-|x|²``, which is the same for all classes, so that a softmax takes no notice of it."""
    prototypes = np.asarray(layer.prototypes, np.float64)
    return Product(layer.name, 2 * gain * prototypes.T, -np.square(prototypes).sum(axis=1)), 1.0


def _normalization(layer, gain):
    if layer.axis not in (-1, len(layer.input.shape) - 1):
        _refuse(layer, f"with axis {layer.axis}")
    config = {name: getattr(layer, name) for name in ("depth_radius", "bias", "alpha", "beta")}
    return Normalization(layer.name, config), None


def _batch_norm(layer, gain):
    """Where it cannot be folded: after an activation, or with a factor below 0 after maximum pooling."""
    if layer.axis not in (-1, len(layer.input.shape) - 1):
        _refuse(layer, f"with axis {layer.axis}")
    return Affine(layer.name, *factor_and_shift(layer)), None


def _centring(layer, gain):
    """``(x - mean) / standard deviation``, as Keras' Normalization computes it, or back."""
    mean, variance = (np.asarray(values, np.float64)[0] for values in (layer.mean, layer.variance))
    deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
    if layer.invert:
        return Affine(layer.name, deviation, mean), None
    return Affine(layer.name, 1 / deviation, -mean / deviation), None


def _rescaling(layer, gain):
    return Affine(layer.name, np.asarray(layer.scale, np.float64), np.asarray(layer.offset, np.float64)), None


_READERS = {
    keras.layers.Conv2D: _convolution,
    ours.Conv2D: _convolution,
    ours.SparselyConnectedConv2D: _sparse,
    ours.TrainableSubsampling: _subsampling,
    keras.layers.AveragePooling2D: _average,
    keras.layers.MaxPooling2D: _maximum,
    ours.MaxPooling2D: _maximum,
    keras.layers.ZeroPadding2D: _padding,
    keras.layers.Flatten: lambda layer, gain: (Flatten(), gain),
    keras.layers.Dense: _dense,
    ours.EuclideanRBF: _prototypes,
    ours.LocalResponseNormalization: _normalization,
    keras.layers.BatchNormalization: _batch_norm,
    ours.BatchNormalization: _batch_norm,
    keras.layers.Normalization: _centring,
    keras.layers.Rescaling: _rescaling,
}
