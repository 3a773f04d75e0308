"""From 8-bit pixels to what a network expects: one description, used by training, export and prediction alike."""

import dataclasses

import keras
import numpy as np
from keras import ops


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

    def __call__(self, images, data_format=None):
        """Normalise ``images``, ``(…, height, width, channels)`` of any dtype in 0–255, to Keras' floatx.

        ``data_format`` as everywhere in Keras; None takes ``keras.config.image_data_format()``. NumPy arrays come
        back as NumPy arrays, tensors as tensors.

        Raises:
            ValueError: the number of channels is not the network's.
        """
        data_format = data_format or keras.config.image_data_format()
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(f"data_format is {data_format!r}; expected channels_last or channels_first.")
        axis = -1 if data_format == "channels_last" else -3
        found = images.shape[axis]
        if found != len(self.mean):
            raise ValueError(f"images have {found} channels on axis {axis}; this network takes {len(self.mean)}.")
        one_a_channel = (len(self.mean),) if axis == -1 else (len(self.mean), 1, 1)
        is_tensor = ops.is_tensor(images) or isinstance(images, keras.KerasTensor)
        floats = ops.cast(images, keras.config.floatx()) if is_tensor else images.astype(keras.config.floatx())
        if self.bgr:
            floats = ops.flip(floats, axis=axis) if is_tensor else np.flip(floats, axis)
        dtype = keras.backend.standardize_dtype(floats.dtype)
        mean, scale = (np.asarray(values, dtype).reshape(one_a_channel) for values in (self.mean, self.scale))
        return (floats - mean) * scale
