"""Digits drawn with a pen, in the shapes of many countries: ones with flag and foot, open fours, crossed sevens.

MNIST's writers were American and have few of them. Each shape is strokes, each stroke points of a smooth or an angular
line in a unit square (x to the right, y down); every drawing moves the points a little.
"""

import numpy as np
from PIL import Image, ImageDraw

CANVAS = 96  # pixels of the square that a digit is drawn in
_FINER = 2  # times, before averaging
_MARGIN = 16  # pixels


def _ring(x, y, wide, high, start=-90, sweep=360, count=12):
    """Points of an ellipse, from ``start`` degrees (0: right, 90: down) through ``sweep``."""
    angles = np.deg2rad(start + np.linspace(0, sweep, count))
    return [(x + wide * np.cos(angle), y + high * np.sin(angle)) for angle in angles]


# digit: shapes; a shape: strokes; a stroke: ("smooth" or "straight", points)
SHAPES = {
    0: (
        (("smooth", _ring(0.5, 0.5, 0.36, 0.5, sweep=365)),),
        (("smooth", _ring(0.5, 0.5, 0.3, 0.5, start=-60, sweep=-345)),),
        (("smooth", _ring(0.5, 0.5, 0.45, 0.5, start=-110, sweep=370)),),
        (("smooth", _ring(0.5, 0.5, 0.33, 0.5, start=-120, sweep=-330)),),
    ),
    1: (
        (("straight", [(0.5, 0), (0.5, 1)]),),
        (("straight", [(0.62, 0), (0.42, 1)]),),
        (("straight", [(0.3, 0.22), (0.52, 0), (0.52, 1)]),),
        (("straight", [(0.2, 0.36), (0.55, 0), (0.53, 1)]),),
        (("straight", [(0.12, 0.48), (0.6, 0), (0.5, 1)]),),
        (("straight", [(0.2, 0.42), (0.66, 0), (0.44, 1)]),),
        (("straight", [(0.3, 0.2), (0.52, 0), (0.52, 1)]), ("straight", [(0.22, 1), (0.82, 1)])),
        (("straight", [(0.22, 0.34), (0.52, 0), (0.5, 1)]), ("straight", [(0.15, 1), (0.9, 0.98)])),
        (("straight", [(0.3, 0.12), (0.5, 0.02), (0.5, 1)]), ("straight", [(0.3, 1), (0.7, 1)])),
        (("smooth", [(0.25, 0.3), (0.42, 0.16), (0.52, 0), (0.52, 0.5), (0.5, 1)]),),
        (("straight", [(0.05, 0.4), (0.58, 0), (0.56, 1)]),),
        (("straight", [(0.1, 0.55), (0.6, 0), (0.58, 1)]), ("straight", [(0.3, 1), (0.86, 1)])),
    ),
    2: (
        (
            ("smooth", [(0.12, 0.25), (0.3, 0.03), (0.65, 0.03), (0.8, 0.3), (0.5, 0.65), (0.1, 1)]),
            ("straight", [(0.1, 1), (0.92, 1)]),
        ),
        (
            (
                "smooth",
                [
                    (0.15, 0.22),
                    (0.4, 0),
                    (0.75, 0.15),
                    (0.7, 0.45),
                    (0.35, 0.8),
                    (0.15, 0.95),
                    (0.2, 0.8),
                    (0.5, 0.9),
                    (0.95, 0.95),
                ],
            ),
        ),
        (("straight", [(0.1, 0.05), (0.8, 0.03), (0.1, 1), (0.9, 0.98)]),),
        (
            (
                "smooth",
                [(0.1, 0.2), (0.4, 0.02), (0.78, 0.2), (0.55, 0.6), (0.12, 0.98), (0.5, 0.93), (0.75, 1), (1.1, 0.93)],
            ),
        ),
        (
            ("smooth", [(0.15, 0.15), (0.5, 0), (0.8, 0.25), (0.5, 0.62), (0.1, 1)]),
            ("straight", [(0.1, 1), (1.35, 0.96)]),
        ),
    ),
    3: (
        (
            ("smooth", [(0.15, 0.12), (0.5, 0), (0.8, 0.2), (0.65, 0.42), (0.4, 0.48)]),
            ("smooth", [(0.4, 0.48), (0.75, 0.55), (0.85, 0.78), (0.5, 1), (0.1, 0.9)]),
        ),
        (
            ("straight", [(0.15, 0.03), (0.8, 0.03), (0.42, 0.42)]),
            ("smooth", [(0.42, 0.42), (0.8, 0.5), (0.85, 0.8), (0.5, 1), (0.1, 0.9)]),
        ),
        (
            ("smooth", [(0.2, 0.1), (0.6, 0), (0.75, 0.15), (0.62, 0.32), (0.4, 0.36)]),
            ("smooth", [(0.4, 0.36), (0.75, 0.45), (0.8, 0.7), (0.5, 0.98), (0.05, 1.05)]),
        ),
        (
            (
                "smooth",
                [
                    (0.2, 0.2),
                    (0.5, 0.02),
                    (0.78, 0.2),
                    (0.6, 0.44),
                    (0.45, 0.5),
                    (0.68, 0.55),
                    (0.82, 0.75),
                    (0.5, 1),
                    (0.12, 0.82),
                ],
            ),
        ),
    ),
    4: (
        (("straight", [(0.3, 0), (0.12, 0.6), (0.92, 0.6)]), ("straight", [(0.68, 0.25), (0.66, 1)])),
        (("straight", [(0.2, 0), (0.18, 0.52), (0.9, 0.52)]), ("straight", [(0.72, 0), (0.7, 1)])),
        (("straight", [(0.62, 1), (0.62, 0), (0.08, 0.68), (0.92, 0.68)]),),
        (("straight", [(0.55, 0), (0.05, 0.65), (0.95, 0.62)]), ("straight", [(0.6, 0.35), (0.58, 1)])),
        (("smooth", [(0.18, 0), (0.15, 0.35), (0.3, 0.5), (0.7, 0.48)]), ("straight", [(0.75, 0), (0.72, 1)])),
        (("straight", [(0.4, 0), (0.02, 0.6), (1.1, 0.6)]), ("straight", [(0.55, 0.3), (0.5, 1)])),
        (("straight", [(0.12, 0), (0.1, 0.5), (1.05, 0.5)]), ("straight", [(0.55, 0.05), (0.55, 1)])),
        (("straight", [(0.5, 0), (0.05, 0.62), (1.15, 0.58)]), ("straight", [(0.42, 0.4), (0.4, 0.95)])),
        (("straight", [(0.45, 0), (0.05, 0.72), (0.95, 0.7)]), ("straight", [(0.64, 0.42), (0.6, 1)])),
        (("straight", [(0.35, 0), (0.1, 0.75), (0.92, 0.72)]), ("straight", [(0.62, 0.52), (0.6, 1)])),
        (("smooth", [(0.35, 0), (0.12, 0.45), (0.15, 0.72), (0.92, 0.66)]), ("straight", [(0.62, 0.42), (0.57, 1)])),
        (("smooth", [(0.45, 0), (0.05, 0.66), (0.5, 0.7), (0.85, 0.6), (0.72, 0.32), (0.58, 0.7), (0.55, 1)]),),
    ),
    5: (
        (
            ("straight", [(0.85, 0.02), (0.25, 0.02), (0.2, 0.42)]),
            ("smooth", [(0.2, 0.42), (0.5, 0.36), (0.85, 0.6), (0.6, 0.97), (0.1, 0.92)]),
        ),
        (
            ("straight", [(0.25, 0.05), (0.2, 0.45)]),
            ("smooth", [(0.2, 0.45), (0.55, 0.38), (0.85, 0.65), (0.55, 1), (0.1, 0.9)]),
            ("straight", [(0.3, 0.03), (0.95, 0)]),
        ),
        (("smooth", [(0.85, 0.03), (0.5, 0.02), (0.25, 0.25), (0.5, 0.45), (0.8, 0.7), (0.5, 1), (0.1, 0.92)]),),
        (
            ("straight", [(0.3, 0.1), (0.24, 0.42)]),
            ("smooth", [(0.24, 0.42), (0.6, 0.42), (0.78, 0.68), (0.5, 0.98), (0.15, 0.95)]),
            ("straight", [(0.42, 0.02), (1.05, -0.04)]),
        ),
    ),
    6: (
        (
            (
                "smooth",
                [
                    (0.75, 0.03),
                    (0.4, 0.2),
                    (0.18, 0.6),
                    (0.3, 0.95),
                    (0.65, 0.97),
                    (0.8, 0.72),
                    (0.55, 0.52),
                    (0.22, 0.68),
                ],
            ),
        ),
        (("smooth", [(0.5, 0), (0.25, 0.4), (0.2, 0.75), (0.45, 1), (0.75, 0.85), (0.65, 0.6), (0.3, 0.65)]),),
        (("smooth", [(0.3, 0), (0.17, 0.45), (0.2, 0.85), (0.5, 1), (0.8, 0.8), (0.65, 0.58), (0.22, 0.7)]),),
        (("straight", [(0.6, 0), (0.2, 0.62)]), ("smooth", _ring(0.48, 0.75, 0.3, 0.24, start=200))),
    ),
    7: (
        (("straight", [(0.1, 0.04), (0.85, 0.02), (0.4, 1)]),),
        (("straight", [(0.08, 0.05), (0.88, 0.02), (0.4, 1)]), ("straight", [(0.3, 0.52), (0.85, 0.48)])),
        (("straight", [(0.1, 0.2), (0.12, 0.03), (0.85, 0.02), (0.42, 1)]),),
        (("straight", [(0.12, 0.18), (0.12, 0.04), (0.85, 0.04), (0.5, 1)]), ("straight", [(0.35, 0.5), (0.82, 0.5)])),
        (("smooth", [(0.08, 0.1), (0.4, 0.02), (0.85, 0.06), (0.6, 0.5), (0.45, 1)]),),
        (
            ("smooth", [(0.05, 0.12), (0.3, 0.02), (0.85, 0.04), (0.55, 0.5), (0.42, 1)]),
            ("straight", [(0.28, 0.55), (0.82, 0.45)]),
        ),
    ),
    8: (
        (
            (
                "smooth",
                [
                    (0.72, 0.15),
                    (0.45, 0),
                    (0.22, 0.2),
                    (0.5, 0.45),
                    (0.8, 0.72),
                    (0.5, 1),
                    (0.18, 0.75),
                    (0.5, 0.47),
                    (0.75, 0.25),
                    (0.68, 0.1),
                ],
            ),
        ),
        (("smooth", _ring(0.5, 0.24, 0.26, 0.24, start=80)), ("smooth", _ring(0.5, 0.74, 0.34, 0.26, start=-90))),
        (
            (
                "smooth",
                [
                    (0.85, 0.08),
                    (0.45, 0.02),
                    (0.25, 0.25),
                    (0.6, 0.55),
                    (0.75, 0.8),
                    (0.45, 1),
                    (0.2, 0.8),
                    (0.45, 0.52),
                    (0.85, 0.15),
                ],
            ),
        ),
    ),
    9: (
        (
            ("smooth", [(0.75, 0.15), (0.45, 0.02), (0.22, 0.25), (0.42, 0.48), (0.74, 0.3), (0.76, 0.12)]),
            ("straight", [(0.76, 0.12), (0.72, 1)]),
        ),
        (
            ("smooth", _ring(0.48, 0.27, 0.3, 0.26, start=-20)),
            ("smooth", [(0.78, 0.2), (0.76, 0.6), (0.6, 0.95), (0.2, 0.98)]),
        ),
        (("smooth", _ring(0.45, 0.26, 0.28, 0.25, start=0)), ("straight", [(0.73, 0.22), (0.45, 1)])),
        (
            (
                "smooth",
                [
                    (0.74, 0.1),
                    (0.4, 0.03),
                    (0.24, 0.28),
                    (0.5, 0.45),
                    (0.72, 0.25),
                    (0.76, 0.05),
                    (0.74, 0.6),
                    (0.55, 0.98),
                    (0.2, 0.9),
                ],
            ),
        ),
        (
            ("smooth", [(0.78, 0.04), (0.4, 0.02), (0.2, 0.25), (0.4, 0.45), (0.75, 0.3)]),
            ("straight", [(0.78, 0.02), (0.74, 1)]),
        ),
        (
            ("smooth", _ring(0.48, 0.3, 0.27, 0.3, start=10)),
            ("smooth", [(0.75, 0.3), (0.74, 0.7), (0.5, 1), (0.22, 0.9)]),
        ),
    ),
}


def drawn(digit, random, narrowest=0.55):
    """A drawing of ``digit``: ink from 0 to 1, ``float32 (96, 96)``; ``narrowest`` as in ``pen``."""
    shapes = SHAPES[digit]
    return pen(shapes[random.integers(len(shapes))], random, narrowest)


def pen(strokes, random, narrowest=0.55):
    """Strokes drawn with a pen, their points moved a little, slanted, turned and stretched: ``float32 (96, 96)``.

    At its ``narrowest`` a drawing has that share of its width.
    """
    jitter, turn, slant = random.uniform(0.005, 0.035), np.deg2rad(random.normal(0, 6)), random.normal(0.08, 0.16)
    wide, high = random.uniform(narrowest, 1.0), random.uniform(0.85, 1.0)
    picture = Image.new("L", (CANVAS * _FINER,) * 2)
    draw = ImageDraw.Draw(picture)
    width = float(np.exp(random.uniform(np.log(2), np.log(11)))) * _FINER
    size = (CANVAS - 2 * _MARGIN) * _FINER
    for kind, points in strokes:
        points = np.array(points) + random.normal(0, jitter, (len(points), 2))
        points = (points - 0.5) * (wide, high)
        points[:, 0] -= slant * points[:, 1]
        cos, sin = np.cos(turn), np.sin(turn)
        points = points @ np.array([[cos, sin], [-sin, cos]]) * min(1, 0.62 / np.abs(points).max())
        points = points * size + CANVAS * _FINER / 2
        line = _smooth(points) if kind == "smooth" and len(points) > 2 else points
        draw.line([tuple(point) for point in line], fill=255, width=max(1, round(width)), joint="curve")
        for x, y in (line[0], line[-1]):
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return np.asarray(picture.reduce(_FINER), np.float32) / 255


def _smooth(points, parts=8):
    """A Catmull-Rom spline through the points."""
    around = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, parts, endpoint=False)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(around, around[1:], around[2:], around[3:], strict=False)
    ]
    return np.concatenate([*pieces, points[-1:]])
