"""Keras 3 networks as ``tf_keras`` (Keras 2) networks with the same weights: what tensorflow-model-optimization takes.

Layers that both have are made from their configuration. Layers of this package alone (local response normalization,
and those of 1998) keep their own computation: a ``Twin`` calls it with weights that ``tf_keras`` trains.
"""

import itertools

import keras
import numpy as np

from keras_classics import averaging, layers, runtime
from keras_classics.errors import InputError
from keras_classics.layers.convolution import covers_its_map

with runtime.keras_defaults():
    import tf_keras

TOLERANCE = 1e-5  # by which outputs may differ; float rounding alone stays below a tenth of it

_OPTIONS = {  # of each layer that both Keras have, what decides on its result
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "use_bias", "activation"),
    "Dense": ("units", "use_bias", "activation"),
    "Dropout": ("rate",),
    "Flatten": (),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "Activation": ("activation",),
    "Softmax": ("axis",),
    "ZeroPadding2D": ("padding",),
    "Rescaling": ("scale", "offset"),
}
# Functions that are the same under the same name in both; a user's own may have that name too.
_ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "softmax", "elu", "selu", "softplus", "softsign", "exponential")
_AS_THEY_ARE = (  # computed by Keras 3 itself
    keras.layers.Normalization,  # a mean picture before the network
    layers.EuclideanRBF,
    layers.LocalResponseNormalization,
    layers.SparselyConnectedConv2D,
    layers.TrainableSubsampling,
)


@tf_keras.utils.register_keras_serializable(package="keras_classics")
class Twin(tf_keras.layers.Layer):
    """A Keras 3 layer of this package inside a ``tf_keras`` network: its computation, with weights of this layer.

    Args:
        original: the Keras 3 layer, or what ``keras.saving.serialize_keras_object`` makes of it.
    """

    def __init__(self, original, **kwargs):
        super().__init__(**kwargs)
        if isinstance(original, dict):
            original = keras.saving.deserialize_keras_object(original)
        # Behind a function, so that tf_keras does not count the original's own variables as part of the network.
        self.original = lambda: original

    def build(self, input_shape):
        original = self.original()
        if not original.built:
            original.build(tuple(input_shape))
        self._values = [
            self.add_weight(weight.name, shape=tuple(weight.shape), dtype="float32") for weight in original.weights
        ]
        super().build(input_shape)

    def call(self, inputs):
        return self.original().stateless_call(self._values, [], inputs)[0]

    def get_config(self):
        return {**super().get_config(), "original": keras.saving.serialize_keras_object(self.original())}


@tf_keras.utils.register_keras_serializable(package="keras_classics")
def scaled_tanh(x):
    """``keras_classics.layers.scaled_tanh`` under the name that ``tf_keras`` finds it by."""
    return layers.scaled_tanh(x)


def to_tf_keras(model, images):
    """``model`` as a ``tf_keras`` functional model, proven to compute the same.

    Args:
        model: a Keras 3 functional model of one input and one output whose layers follow one another, channels last.
        images: floats ``(n, height, width, channels)`` as the network takes them, for the proof.

    Raises:
        InputError: the network has a layer that cannot be rebuilt, or is no chain of layers; or the outputs for
            ``images`` differ by more than ``TOLERANCE``, relative to the largest.
    """
    if len(averaging.members(model)) > 1:
        raise InputError("an ensemble is not trained further; prune, cluster or fine-tune each of its networks.")
    inputs = x = tf_keras.Input(model.input_shape[1:], name=model.layers[0].name)
    flat = False
    for previous, layer in itertools.pairwise(model.layers):
        if layer.input is not previous.output:
            raise InputError(f"layer {layer.name} does not follow layer {previous.name}; only chains can be rebuilt.")
        flat, was_flat = _is_product(layer, model.layers), flat
        if flat:
            x = tf_keras.layers.Flatten(name=f"{layer.name}_inputs")(x)
            x = tf_keras.layers.Dense(layer.filters, _activation(layer), layer.use_bias, name=layer.name)(x)
        elif not was_flat:  # else the Flatten that follows a product
            x = _rebuilt(layer)(x)
    rebuilt = tf_keras.Model(inputs, x, name=model.name)
    _copy_weights(model.get_weights(), rebuilt)
    check_equal(np.asarray(model(images)), np.asarray(rebuilt(images)), "rebuilt for tf_keras")
    return rebuilt


def check_equal(expected, found, what):
    """Refuse outputs that differ.

    Raises:
        InputError: by more than ``TOLERANCE`` of the largest (of 1, where that is smaller).
    """
    difference = np.abs(expected - found).max() / max(1.0, np.abs(expected).max())
    if not difference <= TOLERANCE:
        raise InputError(f"the network {what} gives other outputs (by {difference:.1e}, more than {TOLERANCE:g}).")


def to_keras(network, model):
    """A copy of the Keras 3 ``model`` with the weights of ``network``, its rebuilt form, fine-tuned and stripped."""
    copy = keras.models.clone_model(model)
    _copy_weights(network.get_weights(), copy)
    return copy


def _copy_weights(values, model):
    model.set_weights([value.reshape(weight.shape) for value, weight in zip(values, model.weights, strict=True)])


def _is_product(layer, layers_of_model):
    """Whether ``layer`` is a convolution over its whole map (C5) that is flattened next: a dense layer of its weights.

    As such it has one scale for all its 8-bit weights, so that few clusters are few bytes, and is faster to train.
    """
    following = layers_of_model[layers_of_model.index(layer) + 1 :][:1]
    return (
        isinstance(layer, keras.layers.Conv2D)
        and layer.data_format == "channels_last"
        and covers_its_map(layer, layer.input.shape[1:3])
        and any(isinstance(next_layer, keras.layers.Flatten) for next_layer in following)
    )


def _rebuilt(layer):
    config = layer.get_config()
    if config.get("data_format") == "channels_first":
        raise InputError(f"layer {layer.name} has its channels first; only channels last can be rebuilt.")
    if isinstance(layer, _AS_THEY_ARE):
        return Twin(layer, name=layer.name)
    kind = next((cls.__name__ for cls in type(layer).__mro__ if cls.__module__.startswith("keras.")), None)
    if kind not in _OPTIONS:
        raise InputError(f"layer {layer.name} ({type(layer).__name__}) has no counterpart in tf_keras.")
    options = {name: config[name] for name in _OPTIONS[kind]}
    if "activation" in options:
        options["activation"] = _activation(layer)
    return getattr(tf_keras.layers, kind)(name=layer.name, **options)


def _activation(layer):
    if layer.activation is layers.scaled_tanh:
        return scaled_tanh
    name = getattr(layer.activation, "__name__", type(layer.activation).__name__)
    if name not in _ACTIVATIONS or layer.activation is not getattr(keras.activations, name):
        raise InputError(f"layer {layer.name} has the activation {name}, which has no counterpart in tf_keras.")
    return getattr(tf_keras.activations, name)
