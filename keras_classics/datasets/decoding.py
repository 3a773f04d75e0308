"""The one picture decoder: a file, bytes or an open file → upright RGB pixels. By Pillow, without TensorFlow or Keras.

Training, calibration, evaluation and prediction see the same picture through it. Only windows of plain JPEG files
(``is_plain_jpeg``) may be decoded by TensorFlow instead, which decodes no more than the window. Over 50 ImageNet
photographs (shorter side 256, 13.6 million values) TensorFlow's ``decode_jpeg`` differs from this decoder nowhere with
``dct_method="INTEGER_ACCURATE"``, and with "INTEGER_FAST" by 9 grey levels at most and by 0.98 on average.
"""

import contextlib
import io
import os
import pathlib
import threading
import warnings

import numpy as np
from PIL import Image

from keras_classics.errors import InputError

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # none of them starts another programme
SUFFIXES = (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")  # in lower case
MAX_BYTES = 2**30  # of a file
MAX_PIXELS = 100_000_000  # of one picture; a small file can claim to hold more than memory does

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # what undoes an orientation of EXIF, by its number
_WIDE = ("I", "F")  # first letters of Pillow's modes of more than 8 bits
_SOLID = 250  # alpha from which on a pixel has its own colour, not that of an edge
_OWN_GROUND = 96  # grey levels between the dark and the light of a picture that has a background of its own


def decode(source, *, name=None):
    """The first frame of a picture, upright, as ``uint8 (height, width, 3)``, red first, 0–255.

    EXIF orientation is applied. Grey of 16 bits is divided by 257, unless no value is above 255; floats are read as 0–1
    if none is above 1, else as integers are. CMYK becomes RGB. Where there is transparency, what is seen is laid on the
    ground that shows it: dark strokes on white, light strokes on black; a picture with a background of its own on
    white or black, whichever is nearer to that; where nothing is seen, white. An alpha of 255 everywhere counts for
    nothing.

    Args:
        source: a path, the bytes of a file, or a file open for reading in binary mode. BMP, GIF, JPEG, PNG, TIFF, WebP.
        name: what messages call the picture; default its path, or "the picture".

    Raises:
        InputError: there is no such file, it is empty, damaged, cut short or no picture of these formats, or has no
            pixels or more than ``MAX_PIXELS`` or ``MAX_BYTES``.
    """
    with _opened(source, name) as (picture, _):
        picture.load()
        return _upright(picture, _rgb(picture))


def square(source, size, *, name=None):
    """The middle square of a picture, scaled: ``uint8 (size, size, 3)``. What photographs are to every network here.

    Args:
        source, name: as ``decode`` takes them.
        size: side of the square, in pixels.

    Raises:
        InputError: as ``decode``.
    """
    return middle_square(decode(source, name=name), size)


def middle_square(pixels, size):
    """The middle square of ``uint8 (height, width, 3)``, scaled to ``size``.

    Bilinear, and averaged over the pixels that become one; Pillow rounds after each of the two directions. It is cut
    out first: Pillow's ``box`` would have the pixels around it shine in.
    """
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = pixels[top : top + side, left : left + side]
    return middle if side == size else np.array(Image.fromarray(middle).resize((size, size), Image.Resampling.BILINEAR))


def from_pillow(picture, *, name=None):
    """What ``decode`` gives of a picture that Pillow has opened or made: ``uint8 (height, width, 3)``.

    Raises:
        InputError: it is damaged, has no pixels or more than ``MAX_PIXELS``.
    """
    name = name or "the picture"
    with _pillow_silenced(), _refusals(name):
        _check_size(picture, name)
        picture.load()
        return _upright(picture, _rgb(picture))


def size_of(source, *, name=None):
    """``(height, width)`` of what ``decode`` gives, from the head of the file alone.

    Raises:
        InputError: as ``decode``, but for damage behind the head.
    """
    with _opened(source, name) as (picture, _):
        width, height = picture.size
        turned = picture.format != "TIFF" and _orientation(picture) >= 5  # Pillow turns TIFF itself
        return (width, height) if turned else (height, width)


def is_plain_jpeg(source, *, name=None):
    """Whether this is a JPEG file, grey or in colour (not CMYK), that is upright as it is stored.

    Raises:
        InputError: as ``size_of``.
    """
    with _opened(source, name) as (picture, _):
        return picture.format in ("JPEG", "MPO") and picture.mode in ("L", "RGB") and _orientation(picture) == 1


@contextlib.contextmanager
def _opened(source, name):
    """``(picture, name)`` of a source, in a block of ``_refusals``."""
    with _binary(source, name) as (file, name), _pillow_silenced(), _refusals(name):
        if not file.read(1):
            raise InputError(f"{name} is empty.")
        file.seek(0)
        with Image.open(file, formats=FORMATS) as picture:
            _check_size(picture, name)
            yield picture, name


def _check_size(picture, name):
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise Image.DecompressionBombError
    if width * height == 0:
        raise InputError(f"{name} has no pixels ({width}×{height}).")


@contextlib.contextmanager
def _refusals(name):
    """A block in which whatever Pillow raises becomes an ``InputError``."""
    try:
        yield
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} has more than {MAX_PIXELS:,} pixels; scale it down.") from error
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{name} is not a picture that can be read; expected {', '.join(FORMATS)}.") from error
    except Exception as error:  # a damaged file fails anywhere, in any way
        raise InputError(f"{name} is not a picture that can be read: it is damaged or cut short.") from error


@contextlib.contextmanager
def _binary(source, name):
    """``(file, name)`` of a path, bytes or an open file."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(source), name or "the picture"
        return
    if hasattr(source, "read"):
        content = source.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InputError(f"{name or 'the picture'} has more than {MAX_BYTES:,} bytes.")
        if not isinstance(content, bytes):
            raise InputError(f"{name or 'the picture'} is open as text; open it in binary mode.")
        yield io.BytesIO(content), name or str(getattr(source, "name", "the picture"))
        return
    if not isinstance(source, (str, os.PathLike)):
        raise InputError(f"a picture is a path, bytes or an open file; this is {type(source).__name__}.")
    path = pathlib.Path(os.fsdecode(source))
    name = name or str(path)
    try:
        if path.is_dir():
            raise InputError(f"{name} is a folder, not a picture.")
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise InputError(f"{name} is not a file.")
        file = path.open("rb")
    except FileNotFoundError as error:
        raise InputError(f"there is no picture {name}.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {name!r}: {getattr(error, 'strerror', None) or error}.") from error
    with file:
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            raise InputError(f"{name} has more than {MAX_BYTES:,} bytes.")
        yield file, name


class _Silence:
    """Holds back Pillow's warnings of odd metadata while any thread decodes (``warnings`` has one state for all)."""

    def __init__(self):
        self.lock, self.depth, self.held = threading.Lock(), 0, None

    @contextlib.contextmanager
    def __call__(self):
        with self.lock:
            self.depth += 1
            if self.depth == 1:
                self.held = warnings.catch_warnings()
                self.held.__enter__()
                warnings.simplefilter("ignore")
        try:
            yield
        finally:
            with self.lock:
                self.depth -= 1
                if self.depth == 0:
                    self.held.__exit__(None, None, None)


_pillow_silenced = _Silence()


def _orientation(picture):
    """The number that EXIF gives the orientation of a picture; 1 (upright) where it gives none or is damaged."""
    try:
        return picture.getexif().get(0x0112, 1)
    except Exception:  # odd metadata is no obstacle
        return 1


def _upright(picture, pixels):
    method = _UPRIGHT.get(_orientation(picture))
    return np.array(pixels if method is None else Image.fromarray(pixels).transpose(method))


def _rgb(picture):
    """``uint8 (height, width, 3)`` of a loaded picture, as it is stored."""
    if picture.mode.startswith(_WIDE):
        picture = _eight_bits(picture)
    if picture.has_transparency_data:
        picture = _on_ground(picture.convert("RGBA"))
    return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))


def _eight_bits(picture):
    """A picture of 16-bit, 32-bit or float grey, in grey of 8 bits; values below 0 are black."""
    values = np.asarray(picture)
    brightest = values.max()
    if not np.isfinite(values).all():
        raise ValueError("pixels that are no numbers")
    tops = (1, 255, 65535) if picture.mode.startswith("F") else (255, 65535)
    white = next((top for top in tops if brightest <= top), float(brightest))
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        grey = np.rint(np.minimum(np.arange(65536) * (255 / white), 255)).astype(np.uint8)[values]
    else:
        grey = np.rint(np.clip(values * (255 / white), 0, 255)).astype(np.uint8)
    grey = Image.fromarray(grey)
    transparent = picture.info.get("transparency")
    if not isinstance(transparent, int):
        return grey
    return Image.merge("LA", [grey, Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8))])


def _on_ground(picture):
    """An RGBA picture laid on white or black, by what can be seen of it."""
    alpha = np.asarray(picture.getchannel("A"))
    if alpha.min() == 255:
        return picture.convert("RGB")
    ground = "white"
    if alpha.max() > 0:
        grey = np.asarray(picture.convert("RGB").convert("L"))
        seen = grey[alpha >= min(_SOLID, alpha.max())]
        dark, middle, light = np.percentile(seen, (5, 50, 95))
        has_ground = light - dark >= _OWN_GROUND
        ground = "white" if (middle >= 128) == has_ground else "black"
    return Image.alpha_composite(Image.new("RGBA", picture.size, ground), picture).convert("RGB")
