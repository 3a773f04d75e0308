"""The ink of one digit → the 32×32 field the network was trained on: MNIST's size, stroke width and centre of mass."""

import numpy as np
from PIL import Image
from scipy import ndimage

SIZE = 32  # pixels of the field
MNIST_SIZE = 28  # of MNIST's pictures, in the middle of it
BOX = 20  # the longer side of a digit in MNIST
FINE = 4  # the digit is drawn so many times finer, then averaged
STROKE = (2.2, 3.6)  # width of MNIST's strokes, in its pixels: thinner ones are thickened, wider ones made thinner


def field(strength, threshold):
    """The ink of one digit as the network takes it: ``uint8 (32, 32)``, 0 paper to 255 stroke.

    Args:
        strength: ``float32 (height, width)``, of the digit alone, with at least one pixel of paper around it.
        threshold: the strength on the edge of its strokes.
    """
    return _centred(_drawn(evened(strength, threshold)))


def evened(strength, threshold):
    """Strength as a share of the strongest ink near by, so that a stroke's edge lies at a half, be it faint or dark."""
    window = 2 * int(0.05 * max(strength.shape)) + 3
    peak = ndimage.uniform_filter(ndimage.maximum_filter(strength, window), window)
    return strength / np.maximum(peak, threshold)


def _drawn(level):
    """The digit, its longer side 20 × 4 pixels and its strokes as wide as MNIST's: ``float32`` 0–1."""
    inside = level > 0.5
    top, bottom, left, right = box_of(inside)
    longer = max(bottom - top, right - left)
    scale = BOX * FINE / longer
    margin = 2 + int(np.ceil(0.2 * longer))
    level = np.pad(level, margin)[top : bottom + 2 * margin, left : right + 2 * margin]
    shape = [max(1, round(side * scale)) for side in level.shape]
    fine = _resized(level, shape)
    inside = fine > 0.5
    outward = ndimage.distance_transform_edt(~inside)
    inward = ndimage.distance_transform_edt(inside)
    signed = np.where(inside, inward - 0.5, 0.5 - outward)  # distance to the edge, above 0 within
    width = 4 * float(signed[inside].mean())
    least, most = (side / BOX for side in STROKE)
    share = width / (BOX * FINE)
    wanted = min(max(share, least), most)
    grow = (wanted - share) * BOX * FINE / (2 * (1 - wanted))
    grow = max(grow, 0.6 - float(signed.max()))
    drawn = np.clip(signed + grow + 0.5, 0, 1)
    top, bottom, left, right = box_of(drawn > 0.5)
    drawn = drawn[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1]
    scale = BOX * FINE / max(bottom - top, right - left)
    return _resized(drawn, [max(1, round(side * scale)) for side in drawn.shape])


def _resized(values, shape):
    picture = Image.fromarray(values.astype(np.float32))
    return np.clip(np.asarray(picture.resize(shape[::-1], Image.Resampling.BICUBIC)), 0, 1)


def _centred(drawn):
    """The centre of mass in the middle of 28×28 pixels, amid 32×32; ``uint8``."""
    side, margin = MNIST_SIZE * FINE, SIZE * FINE
    page = np.zeros((side + 2 * margin, side + 2 * margin), np.float32)
    total = drawn.sum()
    rows, columns = np.arange(drawn.shape[0]) + 0.5, np.arange(drawn.shape[1]) + 0.5
    middle = side / 2 + margin
    top = round(middle - float((drawn.sum(axis=1) * rows).sum() / total))
    left = round(middle - float((drawn.sum(axis=0) * columns).sum() / total))
    page[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    extra = (SIZE - MNIST_SIZE) // 2 * FINE
    page = page[margin - extra : margin + side + extra, margin - extra : margin + side + extra]
    page = page.reshape(SIZE, FINE, SIZE, FINE).mean(axis=(1, 3))
    return np.rint(page * 255).astype(np.uint8)


def box_of(mask):
    """``(top, bottom, left, right)`` of what is True, the ends exclusive."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
