"""What a program has as a picture – a file, bytes, Pillow's, NumPy's – as upright RGB pixels."""

import os

import numpy as np

from keras_classics.datasets import decoding
from keras_classics.errors import InputError


def pixels_of(image, *, name=None):
    """``uint8 (height, width, 3)``, red first, of a picture.

    Args:
        image: a path, the bytes of a file or an open file, as ``datasets.decoding.decode`` takes them; a Pillow
            image; or an array ``(height, width)`` or ``(height, width, channels)`` with 1 (grey), 2 (grey, alpha),
            3 (RGB) or 4 (RGBA) channels, of ``bool`` (True is white), ``uint8``, ``uint16`` (65535 is white), or
            floats or other integers: 0–1 if floats are none above 1, else 0–255.
        name: what messages call the picture.

    Raises:
        InputError: it is none of these, or its values are outside that range.
    """
    if isinstance(image, (str, os.PathLike, bytes, bytearray, memoryview)) or hasattr(image, "read"):
        return decoding.decode(image, name=name)
    if isinstance(image, np.ndarray) or (hasattr(image, "__array__") and not hasattr(image, "convert")):
        return decoding.from_pillow(_pillow(np.asarray(image), name or "the array"), name=name)
    if hasattr(image, "convert") and hasattr(image, "mode"):
        return decoding.from_pillow(image, name=name)
    raise InputError(
        f"{name or 'the picture'} is of type {type(image).__name__}; expected a path, bytes, a Pillow image or array."
    )


def middle_square(pixels, size):
    """The middle square of a picture, scaled to ``size``: ``uint8 (size, size, 3)``, as training sees photographs."""
    from PIL import Image

    height, width = pixels.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    square = Image.fromarray(pixels[top : top + side, left : left + side])  # so that nothing beside it seeps in
    return np.asarray(square.resize((size, size), Image.Resampling.BILINEAR))


def _pillow(array, name):
    """An array as a Pillow image of 8 bits.

    Raises:
        InputError: its shape, type or values are not a picture's.
    """
    from PIL import Image

    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (2, 3, 4))) or not array.size:
        raise InputError(f"{name} has the shape {array.shape}; expected (height, width) or (height, width, 1 to 4).")
    return Image.fromarray(np.ascontiguousarray(_eight_bits(array, name)))


def _eight_bits(array, name):
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if array.dtype == np.uint16:
        return np.rint(array / 257).astype(np.uint8)
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} is of type {array.dtype}; expected uint8, or numbers from 0 to 255 or from 0 to 1.")
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 255):  # written so that NaN is refused
        raise InputError(f"{name} has values from {low:g} to {high:g}; expected 0 to 255, or 0 to 1.")
    scale = 255 if array.dtype.kind == "f" and high <= 1 else 1
    return np.rint(array * scale).astype(np.uint8)
