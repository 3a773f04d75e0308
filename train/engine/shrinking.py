"""Weights left out, and weights shared, so that a trained network becomes a small file.

After Han, Mao, Dally, "Deep Compression", 2016: the smallest weights become 0 and stay so while the others are trained
on (section 2); then those of a layer are put into few clusters, each with one value (section 3). The first and the last
layer stay as they are: they have few weights, and the most delicate.
"""

import keras
import numpy as np
import tensorflow as tf

_ROUNDS = 50  # of moving centres to the mean of their cluster


def prune(model, convolutions, dense):
    """Set the smallest weights of each inner layer to 0.

    Args:
        model: a Keras model.
        convolutions, dense: which share of the weights of a convolution, and of a fully connected layer, from 0 to 1.
    """
    for layer in _inner(model):
        share = convolutions if isinstance(layer, keras.layers.Conv2D) else dense
        count = round(share * int(np.prod(layer.kernel.shape)))
        if count:
            kernel = np.asarray(layer.kernel)
            smallest = np.argpartition(np.abs(kernel), count - 1, axis=None)[:count]
            kernel.flat[smallest] = 0.0  # of a copy
            layer.kernel.assign(kernel)


def keeping_zeros(gradients, weights):
    """``gradients`` without those of kernels' weights that are 0."""
    return [
        tf.where(weight == 0, tf.zeros_like(gradient), gradient) if len(weight.shape) > 1 else gradient
        for gradient, weight in zip(gradients, weights, strict=True)
    ]


def cluster(model, count):
    """Give the weights of each inner layer ``count`` different values at most, 0 one of them where it has zeros."""
    for layer in _inner(model):
        kernel = np.asarray(layer.kernel)
        there = kernel != 0
        values = kernel[there]
        centres = _centres(values, max(1, count - (not there.all())))
        clustered = np.zeros_like(kernel)
        clustered[there] = centres[_nearest(centres, values)]
        layer.kernel.assign(clustered)


def _inner(model):
    """The convolutions and fully connected layers between the first and the last layer with weights."""
    inner = [layer for layer in model.layers if layer.weights][1:-1]
    return [layer for layer in inner if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))]


def _centres(values, count):
    """``count`` values from which ``values`` are least far, in the mean of squares, found by k-means.

    It begins with centres at equal distances, which keep the rare large weights better than others do (section 3.2).
    """
    ordered = np.sort(values.astype(np.float64))
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    centres = np.linspace(ordered[0], ordered[-1], count)
    for _ in range(_ROUNDS):
        ends = np.searchsorted(ordered, (centres[1:] + centres[:-1]) / 2)
        ends = np.concatenate([[0], ends, [len(ordered)]])
        sizes = np.diff(ends)
        centres = np.where(sizes > 0, np.diff(sums[ends]) / np.maximum(sizes, 1), centres)
    return centres.astype(np.float32)


def _nearest(centres, values):
    return np.searchsorted((centres[1:] + centres[:-1]) / 2, values)
