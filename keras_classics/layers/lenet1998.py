"""The layers of LeNet-5 as published: LeCun, Bottou, Bengio, Haffner 1998, section II.B."""

import keras
import numpy as np
from keras import ops

from keras_classics import checks
from keras_classics.layers.convolution import for_any_batch

# Appendix A: f(a) = A tanh(S a), so that f(1) = 1 and f(-1) = -1.
AMPLITUDE = 1.7159
SLOPE = 2 / 3


@keras.saving.register_keras_serializable(package="keras_classics")
def scaled_tanh(x):
    """``1.7159 · tanh(2/3 · x)``: the squashing function of appendix A.

    Args:
        x: a float tensor of any shape.

    Returns:
        A tensor of the same shape and dtype, between -1.7159 and 1.7159.
    """
    return AMPLITUDE * ops.tanh(SLOPE * x)


@keras.saving.register_keras_serializable(package="keras_classics")
class FanInUniform(keras.initializers.Initializer):
    """Uniform between -2.4/F and 2.4/F, F the inputs of a unit (appendix A).

    Args:
        fan_in: F, a number above 0, or an array of such that broadcasts against the shape.
        seed: a whole number from 0 up, or None for a different draw each time.

    Called with the shape (and dtype; default Keras' floatx) of a weight, it returns a tensor of them.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(self, fan_in, seed=None):
        fan_in = np.asarray(fan_in)
        if fan_in.dtype.kind not in "iuf" or not (np.isfinite(fan_in) & (fan_in > 0)).all():
            raise ValueError(f"fan_in is {fan_in.tolist()!r}; expected numbers above 0.")
        self.fan_in = fan_in.tolist()
        self.seed = None if seed is None else checks.whole_number("seed", seed)
        self._random = keras.random.SeedGenerator(self.seed)

    def __call__(self, shape, dtype=None):
        dtype = dtype or keras.config.floatx()
        unit = keras.random.uniform(shape, -1.0, 1.0, dtype=dtype, seed=self._random)
        return unit * ops.cast(2.4 / np.asarray(self.fan_in, "float32"), dtype)

    def get_config(self):
        return {"fan_in": self.fan_in, "seed": self.seed}


@keras.saving.register_keras_serializable(package="keras_classics")
class TrainableSubsampling(keras.layers.Layer):
    """S2 and S4: the sum of each 2×2 window, times a coefficient, plus a bias, one of each a map; then ``activation``.

    Input ``(batch, height, width, maps)`` of any float dtype, or channels first; output ``(batch, height // size,
    width // size, maps)``. Windows do not overlap, and an odd last row or column is left out. Weights: ``coefficient
    (maps,)`` and ``bias (maps,)``.

    Args:
        size: side of the window in pixels, a whole number from 1 up.
        activation: any Keras activation; None is linear.
        data_format: "channels_last" or "channels_first"; None: as Keras is configured.

    Raises:
        ValueError: an argument is out of range.

    Source: section II.B.
    """

    def __init__(self, size=2, activation=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.size = checks.whole_number("size", size, 1)
        self.activation = keras.activations.get(activation)
        self.data_format = checks.data_format(data_format)

    def build(self, input_shape):
        maps = input_shape[-1 if self.data_format == "channels_last" else 1]
        start = FanInUniform(self.size**2)
        self.coefficient = self.add_weight(name="coefficient", shape=(maps,), initializer=start)
        self.bias = self.add_weight(name="bias", shape=(maps,), initializer="zeros")

    def call(self, inputs):
        shape = (-1,) if self.data_format == "channels_last" else (-1, 1, 1)
        means = ops.average_pool(inputs, self.size, self.size, data_format=self.data_format)
        scaled = means * ops.reshape(self.coefficient * self.size**2, shape)
        return self.activation(scaled + ops.reshape(self.bias, shape))

    def compute_output_shape(self, input_shape):
        pooled = keras.layers.AveragePooling2D(self.size, data_format=self.data_format)
        return pooled.compute_output_shape(input_shape)

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        own = {"size": self.size, "activation": activation, "data_format": self.data_format}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="keras_classics")
class SparselyConnectedConv2D(keras.layers.Layer):
    """C3: a convolution without padding whose maps each see only some of the input maps.

    Input ``(batch, height, width, channels)`` of any float dtype, or channels first; output ``(batch, rows, columns,
    filters)`` with ``rows = height - size + 1``, and one filter for each entry of ``connections``. Weights: ``kernel
    (size, size, connections)``, one plane for each pair of connected maps, by output map and then input map; ``bias
    (filters,)``.

    Args:
        connections: for each output map, the input maps it sees, numbers from 0 up (``lenet.TABLE_I``).
        size: side of the kernel in pixels, a whole number from 1 up.
        activation: any Keras activation; None is linear.
        data_format: "channels_last" or "channels_first"; None: as Keras is configured.

    Raises:
        ValueError: an output map sees none, or an input map that is not there; or an argument is out of range.

    Source: section II.B and Table I.
    """

    def __init__(self, connections, size, activation=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.connections = tuple(
            tuple(checks.whole_number("a connection", map_) for map_ in maps) for maps in connections
        )
        self.size = checks.whole_number("size", size, 1)
        self.activation = keras.activations.get(activation)
        self.data_format = checks.data_format(data_format)
        if not all(self.connections):
            raise ValueError(f"connections {self.connections} leave an output map without input.")

    def build(self, input_shape):
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        planes = [(output, source) for output, maps in enumerate(self.connections) for source in maps]
        if not all(0 <= source < channels for _, source in planes):
            raise ValueError(f"connections {self.connections} name input maps that are not among {channels}.")
        filters = len(self.connections)
        # Puts each plane where it belongs in a dense kernel whose other planes are 0.
        self._places = np.zeros((len(planes), channels, filters), "float32")
        for plane, (output, source) in enumerate(planes):
            self._places[plane, source, output] = 1
        fan_in = np.array([len(self.connections[output]) for output, _ in planes]) * self.size**2
        shape = (self.size, self.size, len(planes))
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=FanInUniform(fan_in))
        self.bias = self.add_weight(name="bias", shape=(filters,), initializer="zeros")

    def call(self, inputs):
        dense = ops.tensordot(self.kernel, ops.cast(self._places, self.compute_dtype), axes=1)

        def convolved(images):
            return ops.conv(images, dense, padding="valid", data_format=self.data_format)

        maps = for_any_batch(convolved, inputs)
        shape = (-1,) if self.data_format == "channels_last" else (-1, 1, 1)
        return self.activation(maps + ops.reshape(self.bias, shape))

    def compute_output_shape(self, input_shape):
        like = keras.layers.Conv2D(len(self.connections), self.size, data_format=self.data_format)
        return like.compute_output_shape(input_shape)

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        own = {"connections": self.connections, "size": self.size, "activation": activation}
        return {**super().get_config(), **own, "data_format": self.data_format}


@keras.saving.register_keras_serializable(package="keras_classics")
class EuclideanRBF(keras.layers.Layer):
    """The output: the squared distance of F6's state to each class's prototype (equation 7). Small means likely.

    Input ``(batch, units)`` of any float dtype; output ``(batch, classes)`` of the same, from 0 up. No weights.

    Args:
        prototypes: numbers, ``(classes, units)``: fixed, in the paper ±1, drawings of the characters.

    Raises:
        ValueError: ``prototypes`` are no such numbers, or the input has another number of units.

    Source: section II.B, equation 7.
    """

    def __init__(self, prototypes, **kwargs):
        super().__init__(**kwargs)
        values = np.asarray(prototypes)
        if values.dtype.kind not in "iuf" or values.ndim != 2 or not values.size or not np.isfinite(values).all():
            raise ValueError(f"prototypes have the shape {values.shape}; expected numbers, (classes, units).")
        self.prototypes = values.astype("float32").tolist()

    def build(self, input_shape):
        values = np.asarray(self.prototypes, "float32")
        if input_shape[-1] != values.shape[1]:
            raise ValueError(f"the input has {input_shape[-1]} units; prototypes have {values.shape[1]}.")
        self._values = values

    def call(self, inputs):
        prototypes = ops.cast(self._values, inputs.dtype)
        return ops.sum(ops.square(ops.expand_dims(inputs, 1) - prototypes), axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], len(self.prototypes))

    def get_config(self):
        return {**super().get_config(), "prototypes": self.prototypes}
