"""Batch normalization folded away: a trained network without it that gives the same answers.

Once trained, ``(x - mean) / deviation`` is one factor and one shift a map: they go into the kernel and bias of the
layer before. Maximum pooling in between and a ReLU after it change nothing about that, as factors are positive.
"""

import itertools

import keras
import numpy as np

from keras_classics.layers import BatchNormalization

_BATCH_NORMS = (keras.layers.BatchNormalization, BatchNormalization)


def without_batch_norm(model):
    """``model``, a chain of layers, without the batch normalization that can be folded.

    Folded is what follows a convolution or a fully connected layer that has no activation, or the maximum pooling after
    such a layer; a ReLU that follows goes into that layer too.

    Args:
        model: a Keras functional model.

    Returns:
        A Keras model of the same inputs, answers (up to float rounding), name and description; ``model`` itself where
        nothing can be folded.
    """
    folds = [fold for fold in map(_fold, _runs(model)) if fold]
    if not folds:
        return model
    weights, left_out = {}, set()
    for product, norm, activation in folds:
        weights[product.name] = (*_folded(product, norm), "linear" if activation is None else "relu")
        left_out |= {norm.name} | ({activation.name} if activation is not None else set())
    inputs = x = keras.Input(model.input_shape[1:], name=model.layers[0].name)
    for layer in model.layers[1:]:
        if layer.name not in left_out:
            config = layer.get_config()
            if layer.name in weights:
                config |= {"use_bias": True, "activation": weights[layer.name][2], "bias_initializer": "zeros"}
            x = type(layer).from_config(config)(x)
    found = keras.Model(inputs, x, name=model.name)
    for layer in found.layers:
        own = weights[layer.name][:2] if layer.name in weights else model.get_layer(layer.name).get_weights()
        layer.set_weights(own)
    return found


def _runs(model):
    """``(layer, …)``: each layer of a chain with the three that follow it, None after the last."""
    if not all(_follows(*pair) for pair in itertools.pairwise(model.layers)):
        return []
    following = [*model.layers, None, None, None]
    return [following[place : place + 4] for place in range(len(model.layers))]


def _follows(previous, layer):
    try:
        return layer.input is previous.output
    except (AttributeError, ValueError):  # of several tensors, or never called
        return False


def _fold(run):
    """``(layer, batch normalization, ReLU or None)`` at the beginning of ``run``; None where there is no such thing."""
    product, *after = run
    if not isinstance(product, (keras.layers.Conv2D, keras.layers.Dense)):
        return None
    if product.activation is not keras.activations.linear or getattr(product, "data_format", None) == "channels_first":
        return None
    pooled = isinstance(after[0], keras.layers.MaxPooling2D)
    norm, activation = (after[1], after[2]) if pooled else (after[0], after[1])
    if type(norm) not in _BATCH_NORMS or norm.axis not in (-1, len(norm.input.shape) - 1):
        return None
    if pooled and norm.scale and np.min(norm.gamma) < 0:  # the largest value would become the smallest
        return None
    is_relu = getattr(activation, "activation", None) is keras.activations.relu
    return product, norm, activation if type(activation) is keras.layers.Activation and is_relu else None


def factor_and_shift(norm):
    """What a trained ``BatchNormalization`` multiplies each map by, and adds then: float64 ``(maps,)`` each."""
    mean, variance = (np.asarray(values, np.float64) for values in (norm.moving_mean, norm.moving_variance))
    factor = (np.asarray(norm.gamma, np.float64) if norm.scale else 1.0) / np.sqrt(variance + norm.epsilon)
    return factor, (np.asarray(norm.beta, np.float64) if norm.center else 0.0) - mean * factor


def _folded(layer, norm):
    """Kernel and bias of a layer with the normalization that follows it, computed in float64."""
    factor, shift = factor_and_shift(norm)
    bias = np.asarray(layer.bias, np.float64) if layer.use_bias else 0.0
    return np.asarray(layer.kernel, np.float64) * factor, shift + bias * factor
