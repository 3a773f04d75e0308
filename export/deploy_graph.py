"""The graph that goes to a device: raw pixels in, one image at a time, computing what the trained network computes."""

import keras
import numpy as np


def raw_pixel_model(model, preprocessing, dtype):
    """``model`` with its preprocessing inside and a static batch of one.

    Where the first layer is a convolution without padding, normalisation is folded into its weights and costs nothing:
    ``w·(x - mean)·scale + b`` is a convolution of ``x`` itself. Elsewhere it stays as two operators.

    Args:
        model: a Keras functional model with one image input ``(batch, height, width, channels)``.
        preprocessing: its ``Preprocessing``.
        dtype: of the input, ``"uint8"`` or ``"float32"``; pixels are 0–255 either way.

    Returns:
        A Keras model from ``(1, height, width, channels)`` to ``(1, classes)``; ``model`` is left as it was.
    """
    pixels = keras.Input(model.input_shape[1:], batch_size=1, dtype=dtype, name="pixels")
    floats = pixels if dtype == "float32" else keras.ops.cast(pixels, "float32")
    first = model.layers[1]
    if isinstance(first, keras.layers.Conv2D) and first.padding == "valid" and not preprocessing.bgr:
        return keras.Model(pixels, _folded(model, first.name, preprocessing)(floats))
    return keras.Model(pixels, model(preprocessing(floats, data_format="channels_last")))


def _folded(model, first, preprocessing):
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    convolution = copy.get_layer(first)
    kernel, *bias = convolution.get_weights()  # (height, width, channels, filters)
    scale, mean = (np.array(values, np.float64)[:, None] for values in (preprocessing.scale, preprocessing.mean))
    scaled = kernel * scale
    convolution.set_weights([scaled, *(b - (scaled * mean).sum(axis=(0, 1, 2)) for b in bias)])
    return copy
