"""MNIST digits as photographs of paper: turned, scaled, off-centre, in coloured ink, under uneven light, as JPEG.

What ``benchmarks.photographs`` measures on, beside real photographs; drawn anew from a seed each time.
"""

import io

import numpy as np
from PIL import Image

TURN = 15  # degrees, either way
SCALES = (0.5, 20)  # times 28 pixels


def photograph(digit, random, *, scales=SCALES, inverted=None, extra=None):
    """A digit as a photograph might show it: ``uint8 (height, width, 3)``.

    Args:
        digit: ``uint8 (28, 28)``, white on black, as MNIST has it.
        random: a ``numpy.random.Generator``.
        scales: of the digit's 28 pixels, smallest and largest, drawn evenly on a logarithmic scale.
        inverted: light ink on dark paper; None: in one of three.
        extra: what is on the paper beside the digit: "ruled", "squared", "frame", or None.
    """
    scale = float(np.exp(random.uniform(*np.log(scales))))
    return _photographed([digit], [scale], random, inverted=inverted, extra=extra)


def line(digits, random, *, scales=(1, 6), inverted=None, extra=None):
    """Several digits side by side, some of them touching, as one photograph: ``uint8 (height, width, 3)``."""
    scale = float(np.exp(random.uniform(*np.log(scales))))
    return _photographed(
        digits, scale * random.uniform(0.85, 1.15, len(digits)), random, inverted=inverted, extra=extra
    )


def _photographed(digits, scales, random, *, inverted, extra):
    alpha = _page(digits, scales, random)
    dark = random.random() < 1 / 3 if inverted is None else inverted
    paper, ink = _colours(random)
    if extra:
        alpha = np.maximum(alpha, _printed(alpha.shape, extra, max(scales), random))
    page = paper + alpha[..., None] * (ink - paper)
    if dark:
        page = 255 - page
    page *= _light(alpha.shape, random)[..., None]
    page += random.normal(0, random.uniform(0, 8), page.shape)
    picture = Image.fromarray(np.clip(np.rint(page), 0, 255).astype(np.uint8))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(random.integers(60, 96)))
    return np.array(Image.open(file).convert("RGB"))


def _page(digits, scales, random):
    """How much ink lies on each pixel, ``float (height, width)`` 0–1: each digit turned, scaled and set on the line."""
    boxes = [_ink_columns(digit) for digit in digits]
    turn = random.uniform(-TURN, TURN)
    gaps = [random.uniform(-0.5, 6) * scale for scale in scales]  # a little below 0: the digits touch
    widths = [(right - left) * scale for (left, right), scale in zip(boxes, scales, strict=True)]
    largest = max(scales)
    length, height = sum(widths) + sum(gaps), 28 * largest
    margins = random.uniform(2, 14 if len(digits) > 1 else 28, 4) * largest
    shape = (int(height + margins[0] + margins[1]) + 2, int(length + margins[2] + margins[3]) + 2)
    alpha, x = np.zeros(shape, np.float32), margins[2]
    tilt = np.deg2rad(random.uniform(-4, 4)) if len(digits) > 1 else 0
    for digit, (left, right), scale, width, gap in zip(digits, boxes, scales, widths, gaps, strict=True):
        own = turn / 3 + random.uniform(-4, 4) if len(digits) > 1 else turn
        centre = (x + width / 2, margins[0] + height / 2 + np.tan(tilt) * (x - margins[2]))
        alpha = np.maximum(alpha, _placed(digit, (left + right) / 2, centre, scale, own, shape))
        x += width + gap
    return alpha


def _ink_columns(digit):
    columns = np.flatnonzero(digit.max(axis=0) > 64)
    if not columns.size:
        return 4, 24
    return int(columns[0]), int(columns[-1]) + 1


def _placed(digit, middle, centre, scale, turn, shape):
    """The ink of one digit whose column ``middle`` lies at ``centre`` (x, y) of a page."""
    angle = np.deg2rad(turn)
    a, b = np.cos(angle) / scale, np.sin(angle) / scale
    matrix = (a, b, middle - a * centre[0] - b * centre[1], -b, a, 14 + b * centre[0] - a * centre[1])
    picture = Image.fromarray(digit)
    if scale < 1:  # Pillow's transform does not smooth
        finer = Image.Transform.AFFINE
        matrix = tuple(value / (3 if index in (0, 1, 3, 4) else 1) for index, value in enumerate(matrix))
        large = picture.transform((shape[1] * 3, shape[0] * 3), finer, matrix, Image.Resampling.BICUBIC)
        return np.asarray(large.reduce(3), np.float32)[: shape[0], : shape[1]] / 255
    placed = picture.transform(shape[::-1], Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    alpha = np.asarray(placed, np.float32) / 255
    sharper = min(max(scale / 2, 1), 4)  # a stroke of a pen has an edge, however large it is
    return np.clip((alpha - 0.5) * sharper + 0.5, 0, 1)


def _colours(random):
    """Colours of paper and ink, at least 60 grey levels apart."""
    while True:
        paper = random.uniform(120, 255) * random.uniform(0.85, 1, 3)
        ink = random.uniform(0, 130) * random.uniform(0.3, 1, 3) + random.uniform(0, 60, 3) * (random.random() < 0.5)
        weights = (0.299, 0.587, 0.114)
        if np.dot(paper - ink, weights) >= 60:
            return paper, ink


def _light(shape, random):
    """How bright the light is, ``float (height, width)`` about 0.4–1: a slope, darker corners, the edge of a shadow."""
    rows, columns = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    slope = random.uniform(0, 0.3) * (np.cos(angle := random.uniform(0, 2 * np.pi)) * columns + np.sin(angle) * rows)
    light = 1 - random.uniform(0, 0.25) * (rows**2 + columns**2) / 2 + slope / 2
    if random.random() < 0.3:
        angle, where, soft = random.uniform(0, 2 * np.pi), random.uniform(-0.7, 0.7), random.uniform(0.03, 0.3)
        across = np.cos(angle) * columns + np.sin(angle) * rows - where
        light *= 1 - random.uniform(0.1, 0.4) / (1 + np.exp(-np.clip(across / soft, -30, 30)))
    return light.astype(np.float32) / light.max()


def _printed(shape, what, scale, random):
    """The ink of lines printed on the paper: ruled, squared, or a frame."""
    alpha = np.zeros(shape, np.float32)
    thick = max(1, round(scale * random.uniform(0.3, 1.2)))
    strength = random.uniform(0.25, 0.7) if what != "frame" else random.uniform(0.5, 1)
    if what == "frame":
        inset = round(random.uniform(0, 2) * scale)
        inner = alpha[inset : shape[0] - inset, inset : shape[1] - inset]
        inner[:thick], inner[-thick:], inner[:, :thick], inner[:, -thick:] = (strength,) * 4
        return alpha
    pitch = max(round(scale * random.uniform(9, 30)), 3 * thick + 2)
    first = int(random.integers(pitch))
    for start in range(first, shape[0], pitch):
        alpha[start : start + thick] = strength
    if what == "squared":
        for start in range(first, shape[1], pitch):
            alpha[:, start : start + thick] = strength
    return alpha
