"""A picture of one character → the field of pixels LeNet-5 takes: a light stroke on black, 28×28 amid 32×32.

Training on folders, calibration and verification read pictures by ``read_field``, as prediction does.
"""

import numpy as np

from keras_classics.datasets import decoding
from keras_classics.recognition.reading import digit_field


def read_field(source, size, *, name=None):
    """A picture as ``uint8 (size, size, 1)``, 0 the background and 255 the stroke; black where there is no ink.

    One that is as MNIST's digits are stays as it is; of any other the ink is found, and drawn as MNIST has it.

    Args:
        source, name: as ``decoding.decode`` takes them.
        size: side of the field, in pixels: 32, or MNIST's 28.

    Raises:
        InputError: as ``decoding.decode``.
    """
    found = digit_field(decoding.decode(source, name=name))
    field = np.zeros((size, size), np.uint8) if found is None else found[0]
    margin = (len(field) - size) // 2
    return field[margin : len(field) - margin, margin : len(field) - margin, None]
