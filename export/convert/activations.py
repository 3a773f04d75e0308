"""Activations: which are known to work on single elements, so that rewrites may move values about under them.

Any other function that Keras can call is a step of its own in a device graph, and is computed as it is.
"""

import keras

from keras_classics.errors import InputError

SOFTMAX = keras.activations.softmax
_OF_ELEMENTS = (
    *("celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu"),
    *("log_sigmoid", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softplus", "softsign"),
    *("sparse_plus", "sparse_sigmoid", "squareplus", "tanh", "tanh_shrink", "threshold"),
)
_FUNCTIONS = [getattr(keras.activations, name) for name in _OF_ELEMENTS if hasattr(keras.activations, name)]
_LAYERS = (keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.ELU)  # of single elements too
_OTHER_LAYERS = (keras.layers.PReLU,)


def known(activation):
    """An activation of a layer as a function; None where it is linear.

    Raises:
        InputError: it cannot be called.
    """
    if activation is None or activation is keras.activations.linear:
        return None
    if isinstance(activation, keras.layers.Activation):
        return known(activation.activation)
    if isinstance(activation, keras.layers.Softmax) and activation.axis in (-1, (-1,), [-1]):
        return SOFTMAX
    if not callable(activation):
        raise InputError(f"{activation!r} is no activation.")
    return activation


def of_elements(function):
    """Whether a function (of ``known``) is known to compute each element of its result from that element alone."""
    return any(function is each for each in _FUNCTIONS) or type(function) in _LAYERS


def of_layer(layer):
    """The function that a layer computes which is nothing but an activation; None for other layers.

    A linear one is ``keras.activations.linear``.
    """
    if type(layer) in (keras.layers.Activation, keras.layers.Softmax, *_LAYERS, *_OTHER_LAYERS):
        return known(layer) or keras.activations.linear
    return None
