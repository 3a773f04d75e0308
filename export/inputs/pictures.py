"""Picture files → what the networks take: photographs as squares in colour, digits as the field."""

import hashlib

import numpy as np

from keras_classics.datasets import decoding
from keras_classics.errors import InputError
from keras_classics.recognition.images import middle_square


def read_picture(path, size):
    """The middle square of a picture file, scaled: ``uint8 (size, size, 3)``, red first.

    Raises:
        InputError: the file is missing or no picture.
    """
    return middle_square(decoding.decode(path), size)


def read_digit(path, size):
    """The digit of a picture file as ``uint8 (size, size, 1)``, 0 the background and 255 the stroke.

    Raises:
        InputError: the file is missing or no picture, or there is no ink in it.
    """
    from keras_classics.recognition.reading import digit_field

    found = digit_field(decoding.decode(path))
    if found is None:
        raise InputError(f"{path} shows no digit: there is no ink that stands out from its ground.")
    margin = (found[0].shape[0] - size) // 2
    return found[0][margin : margin + size, margin : margin + size, None]


def read_pictures(paths, size):
    """``uint8 (n, size, size, 3)`` of ``n`` files."""
    return np.stack([read_picture(path, size) for path in paths])


def in_folder(folder):
    """Paths of all pictures in and below ``folder``, in an order that has nothing to do with what they show.

    Raises:
        InputError: there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}.")
    paths = [path for path in folder.rglob("*") if path.suffix.lower() in decoding.SUFFIXES and path.is_file()]
    if not paths:
        raise InputError(f"the folder {folder} has no pictures ({', '.join(decoding.SUFFIXES)}) in it.")
    return sorted(
        paths, key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode(errors="replace")).digest()
    )
