"""A picture → where ink lies on its paper, whatever the light, the colours and the size: the first half of the field.

Every step is an operation on whole arrays with the constants below, so that it can be written again elsewhere.
"""

import dataclasses

import numpy as np
from PIL import Image
from scipy import ndimage

from keras_classics.recognition.paper import LEAST_CONTRAST, without_paper_lines

WORK_PIXELS = 400_000  # a larger picture is reduced by a whole number to at most so many
LIGHT_SIDE = 64  # pixels of the shorter side of the small picture that light and colours are estimated on
WIDE_WINDOW = 0.4  # of the shorter side: wider than any stroke; the first guess of the light looks so far
PAPER_WINDOW = 0.7  # of the shorter side: the mean of such a window is more paper's than ink's
BORDER_BAND = 0.1  # of the shorter side: so near to the border, an edge may be a frame's
STROKES_WIDE = 3  # stroke widths; the second guess looks so far, so that the edges of shadows are not ink
NOISE = 6  # times the noise; ink must be as strong
EDGE_NOISE = 4  # times the noise; a slope that is no steeper is no edge
EDGE_CONTRAST = 3  # nor is one of less than this part of the least contrast of ink
SMOOTHED_FROM = 3  # pixels; wider strokes on paper with grain are smoothed
SMOOTHING, MOST_SMOOTHING = 6, 3  # this part of a stroke's width, at most so many pixels, is the filter's deviation
MEDIAN_COUNTS = 0.5  # times as much as the mean around an edge, where paper is told from ink
LIGHT_SMOOTHED = 2  # the light is smoothed over this part of the window in which it was found
LUMA = (0.299, 0.587, 0.114)  # red, green and blue where no colour tells ink from paper (ITU-R BT.601)
POWER_TURNS = 20  # of the power iteration that finds the colour of the ink


@dataclasses.dataclass(frozen=True, eq=False)
class Ink:
    """What lies on the paper.

    strength: ``float32 (height, width)``, 0 (paper) to 1 (no light comes back), of the reduced picture.
    threshold: half of the contrast of a stroke's edge; None where there is no ink.
    stroke: width of a stroke, in pixels of ``strength``.
    reduction: pixels of the picture to a pixel of ``strength``.
    inverted: whether the ink is lighter than the paper.
    """

    strength: np.ndarray
    threshold: float | None
    stroke: float
    reduction: int
    inverted: bool


def ink_of(pixels):
    """The ``Ink`` of a picture, ``uint8 (height, width, 3)``."""
    reduction = int(np.ceil(np.sqrt(pixels.shape[0] * pixels.shape[1] / WORK_PIXELS)))
    picture = Image.fromarray(pixels)
    picture = picture.reduce(reduction) if reduction > 1 else picture
    least = max(1, round(min(picture.size) / LIGHT_SIDE))
    small = np.asarray(picture.reduce(least) if least > 1 else picture, np.float32)
    weights = colour_weights(small)
    grey, small = _mixed(np.asarray(picture), weights), _mixed(small, weights)
    inverted = light_on_dark(small)
    if inverted:
        grey, small = 255 - grey, 255 - small
    window = odd(WIDE_WINDOW * min(small.shape) + 1)
    guess = 1 - small / light(small, window)
    threshold, _ = edge_threshold(guess)
    if threshold is not None:
        stroke = stroke_width(guess > threshold)
        window = min(window, odd(STROKES_WIDE * stroke + 2))
    paper = _enlarged(light(small, window), grey.shape)
    strength = without_paper_lines(np.clip(1 - grey / paper, 0, 1))
    threshold, noise = edge_threshold(strength)
    if threshold is None:
        return Ink(strength, None, 0.0, reduction, inverted)
    stroke = stroke_width(strength > threshold)
    if noise and stroke > SMOOTHED_FROM:
        strength = ndimage.gaussian_filter(strength, min(stroke / SMOOTHING, MOST_SMOOTHING), mode="nearest")
        threshold = edge_threshold(strength)[0] or threshold
    return Ink(strength, threshold, stroke, reduction, inverted)


def odd(length):
    """The odd whole number nearest to ``length``, at least 3."""
    return max(3, int(length) // 2 * 2 + 1)


def colour_weights(small):
    """How much red, green and blue count, ``float32 (3,)``, sum 1: as far as each tells ink from paper.

    The first principal direction of the colour differences between neighbours, by power iteration.
    """
    start = np.array(LUMA)
    steps = np.concatenate([np.diff(small, axis=axis).reshape(-1, 3) for axis in (0, 1)])
    spread = steps.T.astype(np.float64) @ steps
    weights = start
    for _ in range(POWER_TURNS):
        weights = spread @ weights
        length = np.sqrt((weights**2).sum())
        if length < 1e-6:
            return start.astype(np.float32)
        weights = weights / length
    weights = np.maximum(weights * np.sign(weights.sum()), 0)
    return (weights / weights.sum()).astype(np.float32)


def _mixed(pixels, weights):
    """Grey, ``float32 (height, width)`` 0–255."""
    return pixels @ weights if pixels.dtype == np.float32 else pixels.astype(np.float32) @ weights


def light_on_dark(small):
    """Whether the ink is lighter than the paper.

    Around the edges of strokes there is more paper than ink: the mean of a wide window, and the median of the picture,
    lie on the paper's side of what is measured on the edges themselves. Edges along the border may be a frame's.
    """
    slope = steepness(small)
    band = round(BORDER_BAND * min(small.shape))
    inner = np.zeros_like(slope)
    inside = (slice(band, slope.shape[0] - band), slice(band, slope.shape[1] - band))
    inner[inside] = slope[inside]
    slope = inner if inner.sum() > 0 else slope
    around = ndimage.uniform_filter(small, odd(PAPER_WINDOW * min(small.shape) + 1), mode="nearest")
    return float((slope * (around + MEDIAN_COUNTS * np.median(small) - (1 + MEDIAN_COUNTS) * small)).sum()) < 0


def light(small, window):
    """How bright the paper is under the ink, ``float32 (height, width)``, at least 1: dark strokes narrower than
    ``window`` filled, then smoothed."""
    paper = ndimage.grey_closing(small, window, mode="nearest")
    return np.maximum(ndimage.uniform_filter(paper, odd(window / LIGHT_SMOOTHED), mode="nearest"), 1)


def _enlarged(small, shape):
    return np.asarray(Image.fromarray(small).resize(shape[::-1], Image.Resampling.BILINEAR))


def edge_threshold(strength):
    """``(threshold, noise)``: the strength on the edges of strokes, None where no edge rises above the noise.

    The mean over all pixels, weighted by the square of the gradient, so that it does not matter how little of the
    paper is written on.
    """
    slope = steepness(strength)
    noise = grain(strength)
    slope[slope < max((EDGE_NOISE * noise) ** 2, (LEAST_CONTRAST / EDGE_CONTRAST) ** 2)] = 0
    total = slope.sum()
    if total <= 0:
        return None, noise
    threshold = float((slope * strength).sum() / total)
    if 2 * threshold < max(LEAST_CONTRAST, NOISE * noise):
        return None, noise
    return threshold, noise


def grain(values):
    """Standard deviation of the noise: what is left where slopes and bends, of strokes too, cancel (Immerkær, 1996)."""
    rows = values[2:] - 2 * values[1:-1] + values[:-2]
    both = rows[:, 2:] - 2 * rows[:, 1:-1] + rows[:, :-2]
    return float(np.median(np.abs(both[::2, ::2]))) / (6 * 0.6745) if both.size else 0.0


def steepness(values):
    """The square of the gradient, times 4, of the same shape; 0 along the border in the direction across it."""
    rows, columns = np.zeros_like(values), np.zeros_like(values)
    rows[1:-1] = values[2:] - values[:-2]
    columns[:, 1:-1] = values[:, 2:] - values[:, :-2]
    return rows**2 + columns**2


def stroke_width(mask):
    """Width of the strokes of a mask, in pixels: four times the mean distance to the edge."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return 0.0
    mask = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    distance = ndimage.distance_transform_edt(np.pad(mask, 1))
    return float(4 * (distance[distance > 0] - 0.5).mean())
