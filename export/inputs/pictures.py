"""Photographs → the square of pixels AlexNet expects: the middle square, scaled, in colour.

As ``keras_classics.datasets.windows.square`` does it in training, but without TensorFlow.
"""

import hashlib
import warnings

import numpy as np
from PIL import Image, ImageOps

from keras_classics.datasets import PICTURE_SUFFIXES
from keras_classics.errors import InputError


def read_picture(path, size):
    """A picture file as ``uint8 (size, size, 3)``, red first; transparency counts as white.

    Args:
        path: a ``pathlib.Path``.
        size: side of the square, in pixels.

    Raises:
        InputError: the file is missing or no picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large pictures and odd metadata are no obstacle here
            picture = ImageOps.exif_transpose(Image.open(path))
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            picture = picture.convert("RGB")
    except FileNotFoundError as error:
        raise InputError(f"there is no picture {path}.") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is not a picture that can be read.") from error
    side = min(picture.size)
    left, top = ((length - side) // 2 for length in picture.size)
    box = (left, top, left + side, top + side)
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR, box=box))


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
    paths = [path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()]
    if not paths:
        raise InputError(f"the folder {folder} has no pictures ({', '.join(PICTURE_SUFFIXES)}) in it.")
    return sorted(
        paths, key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode(errors="replace")).digest()
    )
