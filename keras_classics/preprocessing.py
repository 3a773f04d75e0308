"""From 8-bit pixels to what a network expects: one description, used by training, export and prediction alike."""

import dataclasses

import keras
import numpy as np
from keras import ops

from keras_classics import checks


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """``(pixel - mean) * scale`` a channel, for pixels 0–255 in RGB (or grey) order.

    Args:
        mean: one number a channel, in pixel units, in the order the network takes them.
        scale: one number a channel, per pixel unit.
        bgr: whether the network takes blue first; RGB input is then reversed before the mean is subtracted.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    bgr: bool = False

    def __post_init__(self):
        for name in ("mean", "scale"):
            object.__setattr__(self, name, checks.real_numbers(name, getattr(self, name)))
        object.__setattr__(self, "bgr", checks.truth("bgr", self.bgr))
        if len(self.mean) != len(self.scale):
            raise ValueError(f"mean has {len(self.mean)} numbers and scale {len(self.scale)}; expected one a channel.")

    def __call__(self, images, data_format=None):
        """Normalise ``images``, ``(…, height, width, channels)`` of any dtype in 0–255, to Keras' floatx.

        ``data_format`` as everywhere in Keras; None takes ``keras.config.image_data_format()``. NumPy arrays and lists
        come back as NumPy arrays, tensors as tensors. In a ``tf.data`` pipeline, under any backend, the shape may be
        unknown; the number of channels is then checked when images come.

        Raises:
            ValueError: the number of channels is not the network's, or there are no numbers.
            tf.errors.InvalidArgumentError: the first of these, of images whose shape was unknown.
        """
        axis = -1 if checks.data_format(data_format) == "channels_last" else -3
        floatx = keras.config.floatx()
        if type(images).__module__.startswith("tensorflow."):
            floats = self._in_tensorflow(images, axis, floatx)
        elif ops.is_tensor(images) or isinstance(images, keras.KerasTensor):
            self._check(tuple(images.shape), axis)
            floats = ops.cast(images, floatx)
            floats = ops.flip(floats, axis=axis) if self.bgr else floats
        else:
            images = np.asarray(images)
            if images.dtype.kind not in "uifb":
                raise ValueError(f"images are of the type {images.dtype}; expected numbers, pixels 0-255.")
            self._check(images.shape, axis)
            floats = np.flip(images.astype(floatx), axis) if self.bgr else images.astype(floatx)
        dtype = keras.backend.standardize_dtype(floats.dtype)
        one_a_channel = (len(self.mean),) if axis == -1 else (len(self.mean), 1, 1)
        mean, scale = (np.asarray(values, dtype).reshape(one_a_channel) for values in (self.mean, self.scale))
        return (floats - mean) * scale

    def _in_tensorflow(self, images, axis, floatx):
        """Images as floats, by TensorFlow itself: ``tf.data`` takes no other backend's operations."""
        import tensorflow as tf

        rank, channels = images.shape.rank, None
        if rank is not None:
            self._check(tuple(images.shape), axis)
            channels = images.shape[axis]
        floats = tf.cast(images, floatx)
        if channels is None:
            message = f"this network takes {len(self.mean)} channels, on axis {axis} of the images."
            found = tf.debugging.assert_equal(tf.shape(images)[axis], len(self.mean), message)
            with tf.control_dependencies([found] if found is not None else []):
                floats = tf.identity(floats)
        return tf.reverse(floats, [axis if rank is None else axis % rank]) if self.bgr else floats

    def _check(self, shape, axis):
        if len(shape) < 3:
            raise ValueError(f"images have the shape {shape}; expected (…, height, width, channels).")
        if shape[axis] not in (None, len(self.mean)):
            raise ValueError(f"images have {shape[axis]} channels on axis {axis}; this network takes {len(self.mean)}.")
