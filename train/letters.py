"""Letters that look like no digit, from fonts and drawn with a pen: what a recognizer of digits is not to be sure of.

The fonts come with matplotlib; recognition is measured on letters of others (DejaVu).
"""

import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from train import strokes

PRINTED = "ACEFHJKMNPQRTUVWXYacdefhkmnprtuvwxy%&#@?*"
FONTS = (
    *("STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmmi10", "cmti10", "cmtt10", "cmss10"),
)

_BOW = [(0.2, 0), (0.65, 0.02), (0.8, 0.25), (0.6, 0.48), (0.2, 0.5)]  # of P and R
_ARCH = [(0.2, 0.6), (0.4, 0.42), (0.65, 0.45), (0.72, 0.65), (0.72, 1)]  # of h and n
_STEM = [(0.2, 0), (0.2, 1)]
# letter: strokes, as in ``strokes.SHAPES``
WRITTEN = {
    "A": (("straight", [(0.1, 1), (0.5, 0), (0.9, 1)]), ("straight", [(0.25, 0.62), (0.75, 0.62)])),
    "E": (("straight", [(0.85, 0), (0.2, 0), (0.2, 1), (0.85, 1)]), ("straight", [(0.2, 0.5), (0.7, 0.5)])),
    "F": (("straight", [(0.85, 0), (0.2, 0), (0.2, 1)]), ("straight", [(0.2, 0.48), (0.7, 0.48)])),
    "H": (("straight", _STEM), ("straight", [(0.8, 0), (0.8, 1)]), ("straight", [(0.2, 0.5), (0.8, 0.5)])),
    "K": (("straight", _STEM), ("straight", [(0.8, 0), (0.2, 0.55), (0.85, 1)])),
    "M": (("straight", [(0.1, 1), (0.15, 0), (0.5, 0.6), (0.85, 0), (0.9, 1)]),),
    "N": (("straight", [(0.2, 1), (0.2, 0), (0.8, 1), (0.8, 0)]),),
    "P": (("straight", _STEM), ("smooth", _BOW)),
    "R": (("straight", _STEM), ("smooth", _BOW), ("straight", [(0.45, 0.5), (0.85, 1)])),
    "T": (("straight", [(0.1, 0), (0.9, 0)]), ("straight", [(0.5, 0), (0.5, 1)])),
    "U": (("smooth", [(0.2, 0), (0.2, 0.6), (0.35, 0.97), (0.65, 0.97), (0.8, 0.6), (0.8, 0)]),),
    "V": (("straight", [(0.15, 0), (0.5, 1), (0.85, 0)]),),
    "W": (("straight", [(0.05, 0), (0.28, 1), (0.5, 0.25), (0.72, 1), (0.95, 0)]),),
    "X": (("straight", [(0.15, 0), (0.85, 1)]), ("straight", [(0.85, 0), (0.15, 1)])),
    "Y": (("straight", [(0.15, 0), (0.5, 0.5), (0.85, 0)]), ("straight", [(0.5, 0.5), (0.5, 1)])),
    "a": (
        ("smooth", [(0.7, 0.15), (0.35, 0.05), (0.12, 0.5), (0.35, 0.95), (0.68, 0.6), (0.72, 0.15)]),
        ("smooth", [(0.72, 0.1), (0.72, 0.8), (0.95, 0.95)]),
    ),
    "d": (
        ("smooth", [(0.7, 0.55), (0.4, 0.45), (0.15, 0.75), (0.4, 1), (0.7, 0.8)]),
        ("straight", [(0.72, 0), (0.72, 1)]),
    ),
    "e": (("smooth", [(0.15, 0.52), (0.8, 0.5), (0.65, 0.1), (0.3, 0.1), (0.12, 0.55), (0.4, 0.97), (0.85, 0.82)]),),
    "f": (
        ("smooth", [(0.75, 0.08), (0.55, 0), (0.42, 0.2), (0.42, 0.6), (0.4, 1)]),
        ("straight", [(0.2, 0.4), (0.7, 0.4)]),
    ),
    "h": (("straight", _STEM), ("smooth", _ARCH)),
    "k": (("straight", _STEM), ("straight", [(0.7, 0.4), (0.2, 0.7), (0.75, 1)])),
    "m": (
        ("straight", [(0.1, 0.1), (0.1, 1)]),
        ("smooth", [(0.1, 0.35), (0.28, 0.12), (0.45, 0.3), (0.48, 1)]),
        ("smooth", [(0.48, 0.35), (0.68, 0.12), (0.85, 0.3), (0.88, 1)]),
    ),
    "n": (("straight", [(0.2, 0.1), (0.2, 1)]), ("smooth", [(0.2, 0.4), (0.45, 0.1), (0.72, 0.25), (0.76, 1)])),
    "r": (("straight", [(0.3, 0.1), (0.3, 1)]), ("smooth", [(0.3, 0.5), (0.45, 0.2), (0.75, 0.12)])),
    "t": (("smooth", [(0.45, 0), (0.42, 0.8), (0.55, 1), (0.8, 0.9)]), ("straight", [(0.15, 0.3), (0.8, 0.3)])),
    "u": (("smooth", [(0.15, 0.1), (0.2, 0.75), (0.45, 0.95), (0.75, 0.6), (0.78, 0.1), (0.8, 0.9), (0.95, 1)]),),
    "w": (("smooth", [(0.05, 0.1), (0.2, 0.9), (0.4, 0.9), (0.5, 0.3), (0.62, 0.9), (0.82, 0.9), (0.95, 0.1)]),),
    "x": (("smooth", [(0.1, 0.15), (0.4, 0.25), (0.6, 0.85), (0.9, 0.9)]), ("straight", [(0.85, 0.1), (0.15, 1)])),
}


def letter(random):
    """The ink of one, 0 to 1: printed (``float32 (128, 128)``) or, in one of three, drawn (``float32 (96, 96)``)."""
    if random.random() < 1 / 3:
        return strokes.pen(WRITTEN[str(random.choice(list(WRITTEN)))], random)
    picture = Image.new("L", (strokes.CANVAS + 32,) * 2)
    middle = (picture.width // 2,) * 2
    ImageDraw.Draw(picture).text(middle, str(random.choice(list(PRINTED))), 255, _font(str(random.choice(FONTS))), "mm")
    picture = picture.rotate(random.normal(0, 8), Image.Resampling.BICUBIC)
    inside = np.asarray(picture, np.float32) / 255 > 0.5
    signed = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    return np.clip(signed + random.uniform(0, 3) + 0.5, 0, 1).astype(np.float32)


@functools.cache
def _font(name):
    import matplotlib

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{name}.ttf", 80)
