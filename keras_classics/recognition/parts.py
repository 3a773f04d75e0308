"""Ink → its connected parts, without what is no writing: printed lines, frames, specks, the edges of shadows."""

import dataclasses

import numpy as np
from scipy import ndimage

from keras_classics.recognition import ink as ink_steps

WEAK = 0.5  # of the threshold: fainter ink belongs to a stroke if it hangs together with ink above the threshold
LINE_ENDS = 0.03  # of the picture's side: a straight line that ends so near to both borders is printed, not written
LINE_LEAN = 0.06  # of the picture's side: so far it may rise or fall
LINE_PIECE = 0.12  # of the picture's side: it is found by straight pieces of that length
LINE_THICK = 1.6  # stroke widths: a printed line is no thicker
LINE_CROSSED = 2  # times a line's thickness: a longer upright run of pixels is a stroke that crosses it
FRAME_FILL = 0.35  # of its box: a frame covers less
FRAME_SIDE = 0.6  # of the picture's side, both ways: a frame is larger
FRAME_CONTENT = 0.15  # of its shorter side: the least that is written in a frame
SPECK = 0.0025  # of all ink: the least that a part has
SPECK_SIDE = 0.7  # of a stroke's width: a part is longer
SEPARATION = 2.3  # of one digit from its paper, at least; 150 rendered training digits had 2.4 and more
SHARP = 0.75  # the least steepness of a digit's edges; training digits blurred by half a stroke had 0.84 and more
STROKE_INK = 0.5  # of the mean ink: less is a stroke's edge, where separation is measured
BESIDE, BESIDE_LEAST = 0.3, 3  # of a digit's longer side, and pixels: paper so near is compared with its ink
EDGE_REACH = 4  # this part of a stroke's width around it is its edge, not paper
LEAST_PAPER = 5  # pixels: with less paper around, nothing stands out
PALE = 0.2  # of strength: fainter ink along two or more borders is the light's
EVERY_WAY = np.ones((3, 3), bool)


@dataclasses.dataclass(frozen=True)
class Part:
    """A connected piece of ink: the number of its pixels in ``Parts.labels``, and what is known of it."""

    label: int
    top: int
    bottom: int  # exclusive, as right is
    left: int
    right: int
    area: int  # pixels
    ink: float  # sum of their strength
    sides: int  # of the picture that it touches

    @property
    def height(self):
        return self.bottom - self.top

    @property
    def width(self):
        return self.right - self.left

    @property
    def longer(self):
        return max(self.height, self.width)


@dataclasses.dataclass(frozen=True, eq=False)
class Parts:
    """``labels (height, width)`` of an ``Ink`` and its parts, the one with most ink first."""

    ink: object
    labels: np.ndarray
    parts: tuple


def parts_of(ink):
    """The ``Parts`` of an ``Ink`` that may be writing."""
    if ink.threshold is None:
        return Parts(ink, np.zeros(ink.strength.shape, np.int32), ())
    strong = without_lines(ink.strength > ink.threshold, ink.stroke)
    weak = strong | (without_lines(ink.strength > WEAK * ink.threshold, ink.stroke))
    labels, count = ndimage.label(weak, EVERY_WAY)
    seen = np.zeros(count + 1, bool)
    seen[labels[strong]] = True
    parts = described(ink, labels, np.flatnonzero(seen[1:]) + 1)
    parts = without_frames(parts, labels.shape)
    total = sum(part.ink for part in parts)
    kept = [part for part in parts if part.ink > SPECK * total and part.longer > SPECK_SIDE * ink.stroke]
    return Parts(ink, labels, tuple(sorted(kept, key=lambda part: -part.ink)))


def described(ink, labels, numbers):
    """A ``Part`` for each of those numbers in ``labels``."""
    height, width = labels.shape
    boxes = ndimage.find_objects(labels)
    areas = np.bincount(labels.ravel(), minlength=len(boxes) + 1)
    sums = np.bincount(labels.ravel(), ink.strength.ravel(), minlength=len(boxes) + 1)
    found = []
    for number in numbers:
        rows, columns = boxes[number - 1]
        sides = (rows.start == 0) + (rows.stop == height) + (columns.start == 0) + (columns.stop == width)
        box = (rows.start, rows.stop, columns.start, columns.stop)
        found.append(Part(int(number), *box, int(areas[number]), float(sums[number]), sides))
    return found


def without_lines(mask, stroke):
    """``mask`` without straight printed lines from border to border; strokes that cross them stay.

    Level lines go one by one, upright ones only if there are several: a 1, 4 or 7 may well reach from border to border.
    """
    for turned, least in ((False, 1), (True, 2)):
        view = mask.T if turned else mask
        found = _printed_lines(view, stroke)
        if len(found) >= least:
            runs, view = _upright_runs(view), view.copy()
            for rows, columns, strip, thickness in found:
                view[rows, columns] &= ~(strip & (runs[rows, columns] <= LINE_CROSSED * thickness + 1))
            mask = view.T if turned else view
    return mask


def _printed_lines(view, stroke):
    """Level lines: ``(rows, columns, where, thickness)`` of each, slices and a mask of that place."""
    width = view.shape[1]
    piece = max(round(LINE_PIECE * width), 8)
    ends = max(int(LINE_ENDS * width), 1)
    if not (view[:, :ends].any() and view[:, -ends:].any() and (view.sum(axis=1) > piece).any()):
        return []
    thick = ndimage.binary_dilation(view, EVERY_WAY[:, 1:2])  # so that a line may lean a little
    runs = piece <= _upright_runs(thick.T).T
    lines = runs & view
    labels, _ = ndimage.label(ndimage.binary_dilation(lines, EVERY_WAY), EVERY_WAY)
    found = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        inside = labels[rows, columns] == number
        thickness = (inside & lines[rows, columns]).sum() / (columns.stop - columns.start)
        reaches = columns.start <= LINE_ENDS * width and columns.stop >= (1 - LINE_ENDS) * width
        straight = rows.stop - rows.start <= LINE_LEAN * width + 2 * thickness + 2
        if reaches and straight and thickness <= max(LINE_THICK * stroke, 2):
            found.append((rows, columns, inside & view[rows, columns], thickness))
    return found


def _upright_runs(mask):
    """For each pixel of a mask, how long the upright run of pixels is that it belongs to."""
    height = mask.shape[0]
    index = np.arange(1, height + 1)[:, None]
    above = np.maximum.accumulate(np.where(mask, 0, index), axis=0)
    below = np.minimum.accumulate(np.where(mask, height + 1, index)[::-1], axis=0)[::-1]
    return np.where(mask, below - above - 1, 0)


def without_frames(parts, shape):
    """The parts but for frames: hollow, nearly as large as the picture, with something that is written inside."""
    kept = []
    for part in parts:
        hollow = part.area < FRAME_FILL * part.height * part.width
        large = part.height > FRAME_SIDE * shape[0] and part.width > FRAME_SIDE * shape[1]
        inside = any(
            part.top < other.top
            and other.bottom < part.bottom
            and part.left < other.left
            and other.right < part.right
            and other.longer > FRAME_CONTENT * min(part.height, part.width)
            for other in parts
        )
        if not (hollow and large and inside):
            kept.append(part)
    return kept


def grown(mask, pixels):
    """A mask and all that is so near to it, in both directions."""
    return ndimage.maximum_filter(mask.view(np.uint8), 2 * pixels + 1, mode="constant").view(bool)


def stands_out(found, members):
    """Whether some parts are ink of one digit, not the grain of the paper or the edge of a shadow."""
    return separation(found, members) >= SEPARATION and not _is_shade(found, members)


def _is_shade(found, members):
    """Whether the edges of some parts are as soft as a shadow's, or they are pale and lie along two borders or more.

    The steepness is that of the mean edge: the root of the mean square of the gradient over the strokes and the pixels
    beside them, counted as twice the strokes' area, times the width of a stroke over its mean strength. 1.1 to 1.4 for
    strokes of any pen, half of it for shadows.
    """
    rows, columns = _around(members, 3)
    strength = found.ink.strength[rows, columns]
    own = np.isin(found.labels[rows, columns], [part.label for part in members]) & (strength > found.ink.threshold)
    mean = float(strength[own].mean())
    steepness = float(ink_steps.steepness(strength)[grown(own, 1)].sum()) / (8 * int(own.sum()))
    sharp = np.sqrt(steepness) * ink_steps.stroke_width(own) / mean
    (top, bottom), (left, right) = ((side.start, side.stop) for side in _around(members, 0))
    height, width = found.labels.shape
    borders = (top == 0) + (bottom == height) + (left == 0) + (right == width)
    return sharp < SHARP or (borders > 1 and mean < PALE)


def separation(found, members):
    """How far the ink of some parts stands out from the paper around them.

    The difference of the mean strengths over the sum of the standard deviations; other ink is not paper. 2.4 or more
    for strokes; less is the grain or the light of the paper, mostly.
    """
    margin = BESIDE_LEAST + int(BESIDE * max(max(part.height, part.width) for part in members))
    rows, columns = _around(members, margin)
    strength = found.ink.strength[rows, columns]
    own = np.isin(found.labels[rows, columns], [part.label for part in members])
    ink = strength[own & (strength > found.ink.threshold)]
    ink = ink[ink > STROKE_INK * ink.mean()] if ink.size else ink  # without edges; printed lines lower the threshold
    paper = strength[~grown(own, 1 + int(found.ink.stroke / EDGE_REACH)) & (strength < found.ink.threshold)]
    if paper.size < LEAST_PAPER or not ink.size:
        return 0.0
    return float((ink.mean() - paper.mean()) / (ink.std() + paper.std() + 1e-3))


def _around(members, margin):
    """Rows and columns of the box around some parts, and so many pixels more, as slices."""
    top, bottom = min(part.top for part in members), max(part.bottom for part in members)
    left, right = min(part.left for part in members), max(part.right for part in members)
    return slice(max(top - margin, 0), bottom + margin), slice(max(left - margin, 0), right + margin)


def cut_out(found, members, margin=3):
    """The strength of some parts alone, with ``margin`` pixels around them; what is not theirs counts as paper."""
    rows, columns = _around(members, margin)
    labels = found.labels[rows, columns]
    own = np.isin(labels, [part.label for part in members])
    near = (grown(own, 2) & (labels == 0)) | own
    return np.where(near, found.ink.strength[rows, columns], 0)
