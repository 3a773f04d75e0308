"""Ruled and squared paper: its printed lines are found in the strength of the ink and taken out, before any threshold.

A printed line is thin, straight, goes from border to border and is not alone. The picture is cut into bands across
it; each band's mean shows it as a peak at nearly the same height, whatever is written across in some of them.
"""

import itertools

import numpy as np
from scipy import ndimage

LEAST_CONTRAST = 0.03  # of ink to paper; less is the paper's own grain
BANDS = 16  # across a line, each as wide as the others
NARROWEST = 3  # pixels of a band; smaller pictures keep their lines
THICK = 0.05  # of the picture's side: a line is thinner
LEAN = 0.02  # of the picture's side: so far a line may rise or fall
HIDDEN = (0.5, 0.75)  # of the bands: in so many, what is written may hide a line; more if others say where it must be
FAINT = 0.4  # of the strongest line: fainter ones are none
LINES = 3  # at least, two of them in one direction: fewer may be a digit's own strokes
OUTER = 2  # bands at each border: in one of them a line is seen
EVEN = 0.2  # of their usual distance: so far one line may be from where it is expected
DARKER = 1.3  # times a line's strength: so strong is a stroke that lies along it


def without_paper_lines(strength):
    """``strength (height, width)`` without ruled or squared paper's lines; strokes that cross them stay."""
    level, upright = level_lines(strength), level_lines(strength.T)
    if len(level[0]) + len(upright[0]) < LINES:
        return strength
    strength = _taken_out(strength, *level)
    return np.ascontiguousarray(_taken_out(strength.T, *upright).T)


def level_lines(view):
    """``(lines, shift)``: ``(first row, end row, strength)`` of each level line at the left border, and how many rows
    all of them fall until the right border."""
    height, width = view.shape
    band = width // BANDS
    if band < NARROWEST or height < BANDS * NARROWEST:
        return [], 0
    first = (width - band * BANDS) // 2
    thick = 2 * max(int(THICK * min(view.shape) / 2), 1) + 1
    outer = np.stack([view[:, first : first + band], view[:, first + band * (BANDS - 1) : first + band * BANDS]])
    if min(float(peaks.max()) for peaks in _peaks(_means(outer), thick)) < LEAST_CONTRAST:
        return [], 0
    bands = _means(view[:, first : first + band * BANDS].reshape(height, BANDS, band)).T
    peaks = _peaks(bands, thick)
    reach = int(LEAN * width)
    found = [(*_seen(peaks, shift), shift) for shift in range(-reach, reach + 1)]
    seen, glimpsed, shift = max(found, key=lambda one: (float((one[0].astype(np.float64) ** 2).sum()), -abs(one[2])))
    return _even(_runs(seen, thick), _runs(glimpsed, thick)), shift


def _means(bands):
    return bands.mean(axis=2, dtype=np.float64).astype(np.float32)


def _peaks(bands, thick):
    """What of each band's profile ``(bands, height)`` is thinner than ``thick``."""
    return bands - ndimage.grey_opening(bands, (1, thick), mode="nearest")


def _seen(peaks, shift):
    """How strong a line is that begins in each row at the left border and falls ``shift`` rows until the right one, if
    it may be hidden in few bands, and in many."""
    height = peaks.shape[1]
    rows = np.arange(height) + _falls(shift, (np.arange(BANDS) + 0.5) / BANDS)[:, None]
    along = peaks[np.arange(BANDS)[:, None], np.clip(rows, 0, height - 1)]
    ends = np.minimum(along[:OUTER].max(axis=0), along[-OUTER:].max(axis=0))
    along.sort(axis=0)
    few, many = (along[int(share * BANDS)] for share in HIDDEN)
    return np.minimum(few, ends), many


def _falls(shift, shares):
    """Whole rows that a line has fallen at shares of the width."""
    return np.floor(shift * shares + 0.5).astype(int)


def _runs(seen, thick):
    """``(first row, end row, strength)`` of each run of rows where a line is seen."""
    strongest = float(seen.max())
    if strongest < LEAST_CONTRAST:
        return []
    inside = np.concatenate([[0], (seen > FAINT * strongest).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(inside)).reshape(-1, 2)
    return [(int(top), int(end), float(seen[top:end].max())) for top, end in edges if end - top <= thick]


def _even(lines, glimpsed):
    """``lines`` if their distances are all the same, or multiples of it, and those glimpsed where one is expected."""
    if len(lines) < 2:
        return lines
    distance = min(_middle(after) - _middle(line) for line, after in itertools.pairwise(lines))

    def expected(line):
        steps = (_middle(line) - _middle(lines[0])) / distance
        return abs(steps - np.floor(steps + 0.5)) <= EVEN

    return list(filter(expected, glimpsed)) if all(map(expected, lines)) else []


def _middle(line):
    return (line[0] + line[1]) / 2


def _taken_out(view, lines, shift):
    """Each pixel of a line as the stronger of those above and below it, unless a stroke runs there."""
    height, width = view.shape
    columns = np.arange(width)
    falls = _falls(shift, (columns + 0.5) / width)
    cleaned = view.copy()
    for top, end, level in lines:
        above = view[np.clip(top - 2 + falls, 0, height - 1), columns]
        below = view[np.clip(end + 1 + falls, 0, height - 1), columns]
        for row in range(top - 1, end + 1):
            rows = row + falls
            there = (rows >= 0) & (rows < height)
            place = rows[there], columns[there]
            own = view[place]
            paper = np.minimum(own, np.maximum(above, below)[there])
            cleaned[place] = np.where(own > DARKER * level, own, paper)
    return cleaned
