"""Pictures of digits → the field of pixels LeNet-5 expects: a white digit on black, 28×28, amid 32×32."""

import warnings

import numpy as np
from PIL import Image, ImageOps

from keras_classics.errors import InputError

MNIST_SIZE = 28  # pixels


def read_digit(path, size):
    """A picture file as ``uint8 (size, size, 1)``, 0 the background and 255 the stroke.

    Args:
        path: a ``pathlib.Path``, of a picture of 28×28 or ``size`` × ``size`` pixels in any format and colour mode
            Pillow reads. A dark digit on a light ground, told by the pixels along the edge, is inverted; transparency
            counts as white.
        size: side of the field, in pixels.

    Raises:
        InputError: the file is missing or no picture, or has another size.
    """
    if path.exists() and not path.is_file():  # a folder, or a pipe that would be waited for
        raise InputError(f"{path} is not a file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow only warns of a picture too large to be a digit
            picture = ImageOps.exif_transpose(Image.open(path))
            if picture.size not in ((MNIST_SIZE, MNIST_SIZE), (size, size)):
                width, height = picture.size
                raise InputError(
                    f"{path} has {width}×{height} pixels; expected {MNIST_SIZE}×{MNIST_SIZE} or {size}×{size}."
                )
            pixels = _grey(picture)
    except FileNotFoundError as error:
        raise InputError(f"there is no picture {path}.") from error
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is not a picture that can be read.") from error
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    if np.median(edge) > 127:
        pixels = 255 - pixels
    margin = size - len(pixels)
    return np.pad(pixels, (margin // 2, margin - margin // 2))[..., None]


def _grey(picture):
    """``uint8 (height, width)``; 16-bit and float (0–1) pictures keep their range, transparent pixels become white."""
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture, np.float64)
        if not np.isfinite(values).all():
            raise ValueError("pixels that are no numbers")
        brightest = next((top for top in (1, 255) if values.max() <= top and (top > 1 or picture.mode == "F")), 65535)
        return np.clip(np.rint(values * (255 / brightest)), 0, 255).astype(np.uint8)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(ground, picture)
    return np.asarray(picture.convert("L"))
