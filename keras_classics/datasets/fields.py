"""A picture of one character → the field of pixels LeNet-5 takes: a light stroke on black, 28×28 amid 32×32.

Training on folders, calibration and verification read such pictures by ``read_field``.
"""

import numpy as np
from PIL import Image

from keras_classics.datasets import decoding

MNIST_SIZE = 28  # pixels


def read_field(source, size, *, name=None):
    """A picture as ``uint8 (size, size, 1)``, 0 the background and 255 the stroke.

    Grey; inverted if the pixels along its edge are light; made square by background; scaled to 28×28 unless it is of
    that size or of ``size`` × ``size``; and padded with background to ``size``.

    Args:
        source, name: as ``decoding.decode`` takes them.
        size: side of the field, in pixels.

    Raises:
        InputError: as ``decoding.decode``.
    """
    grey = Image.fromarray(decoding.decode(source, name=name)).convert("L")
    pixels = np.asarray(grey)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    pixels = _padded(255 - pixels if np.median(edge) > 127 else pixels, max(pixels.shape))
    if len(pixels) not in (MNIST_SIZE, size):
        pixels = np.asarray(Image.fromarray(pixels).resize((MNIST_SIZE, MNIST_SIZE), Image.Resampling.BILINEAR))
    return _padded(pixels, size)[..., None]


def _padded(pixels, size):
    return np.pad(pixels, [((size - side) // 2, size - side - (size - side) // 2) for side in pixels.shape])
