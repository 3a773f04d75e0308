"""Pictures that show no digit: letters, textures, photographs, blank pages."""

import functools
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks import renderings

LETTERS = "AEFHKMNPRTUVWXYadefhkmnprtuvwxy&%#@"
LOOK_ALIKES = "BDGIOQSZbgijloqsz"  # of 8, 0, 6, 1, 0, 0, 5, 2, 6, 9, 1, 1, 1, 0, 9, 5, 2
ALIKE = "letters that look like digits"
# Others are trained on.
_FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "DejaVuSans-Oblique")


@functools.cache
def fonts():
    """Paths of the font files that come with Matplotlib."""
    import matplotlib

    return [pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf") for name in _FONTS]


def pictures(random, count, photographs=None):
    """``{what: pictures}``, about ``count`` of each kind; photographs only where a folder of them is given."""
    found = {
        "letters": [letter(LETTERS, random) for _ in range(2 * count)],
        ALIKE: [letter(LOOK_ALIKES, random) for _ in range(count)],
        "textures": [texture(random) for _ in range(count)],
        "blank pages": [blank(random) for _ in range(count)],
    }
    if photographs:
        paths = sorted(pathlib.Path(photographs).glob("*.jpg"))
        found["photographs"] = [str(path) for path in paths[:: max(1, len(paths) // count)][:count]]
    return found


def letter(letters, random, files=None):
    """A letter of one of the font ``files``, by default ``fonts()``, as a photograph of it."""
    picture = Image.new("L", (28, 28))
    font = ImageFont.truetype(str(random.choice(files or fonts())), 20)
    ImageDraw.Draw(picture).text((14, 14), str(random.choice(list(letters))), 255, font, "mm")
    return renderings.photograph(np.asarray(picture), random, scales=(1, 8))


def blank(random):
    """Paper under uneven light, with its grain."""
    return renderings.photograph(np.zeros((28, 28), np.uint8), random, scales=(1, 8))


def texture(random):
    """Smoothed noise, stripes or tiles, in two colours."""
    from scipy import ndimage

    side = int(random.integers(40, 400))
    kind = random.integers(3)
    rows, columns = np.mgrid[:side, :side] / side
    if kind == 0:
        values = ndimage.gaussian_filter(random.normal(0, 1, (side, side)), random.uniform(0.5, 12))
    elif kind == 1:
        angle, waves = random.uniform(0, np.pi), random.uniform(3, 30)
        values = np.sin(2 * np.pi * waves * (np.cos(angle) * columns + np.sin(angle) * rows))
    else:
        tiles = random.uniform(3, 15)
        values = np.sign(np.sin(2 * np.pi * tiles * columns) * np.sin(2 * np.pi * tiles * rows))
    values = (values - values.min()) / (np.ptp(values) + 1e-6)
    one, other = random.uniform(0, 255, (2, 3))
    page = one + values[..., None] * (other - one) + random.normal(0, 4, (side, side, 3))
    return np.clip(page, 0, 255).astype(np.uint8)


def a_stroke():
    """A digit of a font, 28×28: something to find."""
    picture = Image.new("L", (28, 28))
    font = ImageFont.truetype(str(fonts()[0]), 22)
    ImageDraw.Draw(picture).text((14, 14), "5", 255, font, "mm")
    return np.asarray(picture)
