"""Local response normalization across channels: Krizhevsky, Sutskever, Hinton 2012, section 3.3."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_classics")
class LocalResponseNormalization(keras.layers.Layer):
    """Divides each activation by a power of the energy in the neighbouring channels at the same position.

    For channel ``i`` of ``N``, with ``r = depth_radius``::

        b[i] = a[i] / (bias + alpha * sum(a[j]**2 for j in max(0, i - r) … min(N - 1, i + r))) ** beta

    The sum is not divided by the size of the window. (Caffe and PyTorch do divide: their ``alpha`` over
    ``2 * depth_radius + 1`` is the one to give here.)

    Args:
        depth_radius: channels on either side that count; a whole number ≥ 0. The paper's n = 5 is a radius of 2.
        bias: the paper's k; > 0.
        alpha: weight of the sum of squares; ≥ 0.
        beta: exponent; > 0.
        axis: the channel axis: -1 (channels last, the default) or 1 (channels first).

    Input and output have the same shape, ``(batch, …, channels)``, and the layer's compute dtype; there are no
    weights. 16-bit inputs are normalised in float32, so that squares do not overflow, and come back as 16-bit.

    Raises:
        ValueError: an argument outside its range.

    Source: section 3.3; the paper's constants (k = 2, n = 5, α = 1e-4, β = 0.75) are the defaults.
    """

    def __init__(self, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75, axis=-1, **kwargs):
        super().__init__(**kwargs)
        if depth_radius < 0 or int(depth_radius) != depth_radius:
            raise ValueError(f"depth_radius is {depth_radius}; expected a whole number of channels, 0 or more.")
        for name, value, allowed in (("bias", bias, bias > 0), ("alpha", alpha, alpha >= 0), ("beta", beta, beta > 0)):
            if not allowed:
                limit = "0 or more" if name == "alpha" else "a number above 0"
                raise ValueError(f"{name} is {value}; expected {limit}.")
        self.depth_radius = int(depth_radius)
        self.bias = float(bias)
        self.alpha = float(alpha)
        self.beta = float(beta)
        self.axis = int(axis)
        self.supports_masking = True

    def call(self, inputs):
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        wide = inputs if dtype in ("float32", "float64") else ops.cast(inputs, "float32")
        channels_last = self.axis in (-1, len(inputs.shape) - 1)
        if keras.backend.backend() == "tensorflow" and channels_last and len(inputs.shape) == 4 and dtype != "float64":
            import tensorflow as tf

            normalised = tf.nn.local_response_normalization(
                wide, depth_radius=self.depth_radius, bias=self.bias, alpha=self.alpha, beta=self.beta
            )
        else:
            normalised = wide / (self.bias + self.alpha * self._window_sum(ops.square(wide))) ** self.beta
        return ops.cast(normalised, dtype)

    def _window_sum(self, squares):
        """Sum over the window as 2r + 1 shifted slices of the zero-padded squares."""
        axis = self.axis % len(squares.shape)
        channels = squares.shape[axis]
        padding = [[0, 0]] * len(squares.shape)
        padding[axis] = [self.depth_radius, self.depth_radius]
        padded = ops.pad(squares, padding)
        everything = [slice(None)] * axis
        shifts = range(2 * self.depth_radius + 1)
        return sum(padded[(*everything, slice(shift, shift + channels))] for shift in shifts)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = ("depth_radius", "bias", "alpha", "beta", "axis")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
