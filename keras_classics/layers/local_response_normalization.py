"""Local response normalization across channels: Krizhevsky, Sutskever, Hinton 2012, section 3.3."""

import keras
import numpy as np
from keras import ops

from keras_classics import checks
from keras_classics.layers.convolution import on_a_cpu_under_tensorflow

FORMS = ("auto", "fused", "native", "window", "banded")
_WIDEST = 16  # channels on either side up to which a loop over the window pays


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
        form: how it is computed; the result is the same up to float rounding. "fused": one compiled loop forward and
            one backward, under TensorFlow, compiled anew for each shape; in graphs that may be exported (traced outside
            training) plain operations. "native": TensorFlow's own operator, for
            float32 of four dimensions, channels last. "window": a sum of shifted slices, on any backend. "banded": the
            sum as a product with a banded matrix, a 1×1 convolution that accelerators for devices know. "auto"
            (default): on a CPU under TensorFlow fused, for maps of known size; else native where it is possible, else
            window.

    Input and output have the same shape, ``(batch, …, channels)``, and the layer's compute dtype; there are no
    weights. 16-bit inputs are normalised in float32, so that squares do not overflow, and come back as 16-bit.

    Raises:
        ValueError: an argument outside its range.

    Source: section 3.3; the paper's constants (k = 2, n = 5, α = 1e-4, β = 0.75) are the defaults.
    """

    def __init__(self, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75, axis=-1, form="auto", **kwargs):
        super().__init__(**kwargs)
        self.depth_radius = checks.whole_number("depth_radius", depth_radius)
        self.bias = checks.real_number("bias", bias, above=0)
        self.alpha = checks.real_number("alpha", alpha, low=0)
        self.beta = checks.real_number("beta", beta, above=0)
        if not isinstance(form, str) or form not in FORMS:
            raise ValueError(f"form is {form!r}; expected one of {', '.join(FORMS)}.")
        self.axis = checks.whole_number("axis", axis, low=-(2**31))
        if self.axis == 0:
            raise ValueError("axis is 0, which counts the images; expected that of the channels, such as -1.")
        self.form = form
        self.supports_masking = True

    @classmethod
    def from_caffe(cls, local_size=5, alpha=1.0, beta=0.75, k=1.0, **kwargs):
        """The layer that computes what Caffe's LRN layer of these parameters does: ``alpha`` is of the mean square.

        ONNX' LRN operator has the same convention (``size``, ``alpha``, ``beta``, ``bias``).

        Args:
            local_size: the whole window, an odd number of channels.
            alpha: weight of the mean square, from 0 up.
            beta: exponent, above 0.
            k: added to the weighted mean, above 0.
            kwargs: other arguments of the layer.

        Raises:
            ValueError: ``local_size`` is even, or another argument is out of range.
        """
        local_size = checks.whole_number("local_size", local_size, 1)
        alpha = checks.real_number("alpha", alpha, low=0)
        if local_size % 2 != 1:
            raise ValueError(f"the window is {local_size} channels; expected an odd number, so that it has a middle.")
        return cls(depth_radius=local_size // 2, bias=k, alpha=alpha / local_size, beta=beta, **kwargs)

    @classmethod
    def from_torch(cls, size, alpha=1e-4, beta=0.75, k=1.0, **kwargs):
        """The layer that computes what ``torch.nn.LocalResponseNorm`` of these parameters does, for odd ``size``."""
        return cls.from_caffe(size, alpha, beta, k, **kwargs)

    def call(self, inputs, training=False):
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        if "float" not in dtype:
            dtype = self.compute_dtype
        wide = ops.cast(inputs, dtype if dtype in ("float32", "float64") else "float32")
        form = self.form
        if form == "auto":
            form = self._fastest_form(inputs.shape, dtype)
        if form == "native" and not self._native_is_possible(inputs.shape, dtype):
            raise ValueError(
                f'form="native" takes (batch, height, width, channels) in float32 under TensorFlow; found shape '
                f"{tuple(inputs.shape)}, {dtype}, axis {self.axis}."
            )
        if form == "native":
            normalised = self._native(wide)
        elif form == "fused":
            normalised = self._fused(wide, training)
        else:
            total = self._banded_sum if form == "banded" else self._window_sum
            normalised = wide * self._inverse_power(self.bias + self.alpha * total(ops.square(wide)))
        return ops.cast(normalised, dtype)

    def _fastest_form(self, shape, dtype):
        if self.depth_radius <= _WIDEST and None not in shape[1:] and on_a_cpu_under_tensorflow():
            return "fused"
        return "native" if self._native_is_possible(shape, dtype) else "window"

    def _fused(self, inputs, training):
        from keras_classics.layers.fused_normalization import normalization

        return normalization(self.depth_radius, self.bias, self.alpha, self.beta, self.axis)(inputs, training)

    def _native_is_possible(self, shape, dtype):
        channels_last = self.axis in (-1, len(shape) - 1)
        return keras.backend.backend() == "tensorflow" and channels_last and len(shape) == 4 and dtype != "float64"

    def _native(self, inputs):
        import tensorflow as tf

        return tf.nn.local_response_normalization(
            inputs, depth_radius=self.depth_radius, bias=self.bias, alpha=self.alpha, beta=self.beta
        )

    def _inverse_power(self, energy):
        """``energy ** -beta``; the paper's 3/4 by square roots, which cost far less than a power."""
        if self.beta == 0.75:
            root = ops.rsqrt(energy)
            return root * ops.sqrt(root)
        return energy**-self.beta

    def _banded_sum(self, squares):
        """Sum over the window as a product with a matrix of ones in a band about the diagonal."""
        channels = squares.shape[self.axis]
        distance = np.abs(np.subtract.outer(np.arange(channels), np.arange(channels)))
        band = ops.cast((distance <= self.depth_radius).astype("float32"), squares.dtype)
        if self.axis in (-1, len(squares.shape) - 1):
            return ops.matmul(squares, band)
        return ops.moveaxis(ops.matmul(ops.moveaxis(squares, self.axis, -1), band), -1, self.axis)

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
        own = ("depth_radius", "bias", "alpha", "beta", "axis", "form")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
