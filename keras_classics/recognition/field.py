"""The ink of one digit → the 32×32 field the network was trained on: MNIST's size, stroke width and centre of mass."""

import numpy as np
from PIL import Image
from scipy import ndimage

SIZE = 32  # pixels of the field
MNIST_SIZE = 28  # of MNIST's pictures, in the middle of it
BOX = 20  # the longer side of a digit in MNIST
FINE = 4  # the digit is drawn so many times finer, then averaged
MIDDLE = 14.5  # where MNIST's digits have their centre of mass, on average, from 0 at the upper left
OFF_MIDDLE = 0.55  # pixels: MNIST's own digits lie at most so far from it, moved by whole pixels as they were
EVENED = 0.05  # of the longer side, in each direction: the strongest ink so near is a full stroke
SHARE = 0.5  # of a full stroke: the edge of a stroke
THINNEST = 0.6  # of FINE's pixels: no stroke is made thinner than this from its middle to its edge
ROOM = 0.2  # of the longer side: paper around a digit while its strokes are brought to width
STROKE = (2.2, 3.6)  # width of MNIST's strokes, in its pixels: thinner ones are thickened, wider ones made thinner
# Of a digit that came in few pixels, greys say more than edges: they are kept where so many pixels, as a share of those
# inside strokes, are neither paper nor full stroke. Fewer: it has edges; more: it is out of focus.
SOFT = (0.5, 1.2)
BETWEEN = (0.2, 0.8)  # of a full stroke: what is neither
WIDEST = 4.4  # MNIST's pixels: wider strokes are made thinner all the same, and thin ones thickened
GREY_EDGE = 3  # MNIST's pixels: so far from a stroke, what is grey is still of it


def field(strength, threshold):
    """The ink of one digit as the network takes it: ``uint8 (32, 32)``, 0 paper to 255 stroke.

    Args:
        strength: ``float32 (height, width)``, of the digit alone, with at least one pixel of paper around it.
        threshold: the strength on the edge of its strokes.
    """
    return _centred(_drawn(evened(strength, threshold)))


def evened(strength, threshold):
    """Strength as a share of the strongest ink near by, so that a stroke's edge lies at a half, be it faint or dark."""
    window = 2 * int(EVENED * max(strength.shape)) + 3
    peak = ndimage.uniform_filter(ndimage.maximum_filter(strength, window), window)
    return strength / np.maximum(peak, threshold)


def _drawn(level):
    """The digit, its longer side 20 × 4 pixels and its strokes as wide as MNIST's: ``float32`` 0–1."""
    inside = level > SHARE
    top, bottom, left, right = box_of(inside)
    longer = max(bottom - top, right - left)
    scale = BOX * FINE / longer
    margin = 2 + int(np.ceil(ROOM * longer))
    level = np.pad(level, margin)[top : bottom + 2 * margin, left : right + 2 * margin]
    shape = [max(1, round(side * scale)) for side in level.shape]
    fine = _resized(level, shape)
    inside = fine > min(SHARE, float(fine.max()) / 2)  # a hair that scaling has made faint is still a stroke
    inward = ndimage.distance_transform_edt(inside)
    share = 4 * float((inward[inside] - 0.5).mean()) / (BOX * FINE)
    soft = ((fine > BETWEEN[0]) & (fine < BETWEEN[1])).sum() / inside.sum()
    if SOFT[0] < soft < SOFT[1] and STROKE[0] <= share * BOX < WIDEST:
        return _cropped(fine, inside, GREY_EDGE * FINE)
    wanted = min(max(share, STROKE[0] / BOX), STROKE[1] / BOX)
    outward = ndimage.distance_transform_edt(~inside)
    signed = np.where(inside, inward - 0.5, 0.5 - outward)  # distance to the edge, above 0 within
    grow = (wanted - share) * BOX * FINE / (2 * (1 - wanted))
    grow = max(grow, THINNEST - float(signed.max()))
    drawn = np.clip(signed + grow + 0.5, 0, 1)
    inside = drawn > 0.5
    top, bottom, left, right = box_of(inside)
    drawn = _cropped(drawn, inside, 1)
    scale = BOX * FINE / max(bottom - top, right - left)
    return _resized(drawn, [max(1, round(side * scale)) for side in drawn.shape])


def _cropped(values, inside, margin):
    """The values in the box of a mask and at most ``margin`` pixels around it."""
    top, bottom, left, right = box_of(inside)
    return values[max(top - margin, 0) : bottom + margin, max(left - margin, 0) : right + margin]


def _resized(values, shape):
    picture = Image.fromarray(values.astype(np.float32))
    return np.clip(np.asarray(picture.resize(shape[::-1], Image.Resampling.BICUBIC)), 0, 1)


def _centred(drawn):
    """The centre of mass in the middle of 28×28 pixels, amid 32×32; ``uint8``."""
    side, margin = MNIST_SIZE * FINE, SIZE * FINE
    page = np.zeros((side + 2 * margin, side + 2 * margin), np.float32)
    total = drawn.sum()
    rows, columns = np.arange(drawn.shape[0]) + 0.5, np.arange(drawn.shape[1]) + 0.5
    middle = MIDDLE * FINE + margin
    top = round(middle - float((drawn.sum(axis=1) * rows).sum() / total))
    left = round(middle - float((drawn.sum(axis=0) * columns).sum() / total))
    page[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    extra = (SIZE - MNIST_SIZE) // 2 * FINE
    page = page[margin - extra : margin + side + extra, margin - extra : margin + side + extra]
    page = page.reshape(SIZE, FINE, SIZE, FINE).mean(axis=(1, 3))
    return np.rint(page * 255).astype(np.uint8)


def as_mnist(pixels):
    """The field of a picture that is already as MNIST has it, unchanged but for inversion; None of any other.

    That is: 28×28 or 32×32 pixels, grey, the four corners all 0 (or, inverted, all 255), the longer side of all that
    is not background 19 or 20 pixels, the centre of mass in the middle, as all of MNIST's 60,000 training digits have
    it.

    Args:
        pixels: ``uint8 (height, width, 3)``.
    """
    side = pixels.shape[0]
    if pixels.shape[:2] not in ((MNIST_SIZE, MNIST_SIZE), (SIZE, SIZE)):
        return None
    grey = np.ascontiguousarray(pixels[..., 0])
    ground = grey[0, 0]
    if ground not in (0, 255) or not (grey[:: side - 1, :: side - 1] == ground).all():
        return None
    if not (np.array_equal(pixels[..., 1], grey) and np.array_equal(pixels[..., 2], grey)):
        return None
    digit = grey if ground == 0 else 255 - grey
    columns, rows = digit.sum(axis=0, dtype=np.int64), digit.sum(axis=1, dtype=np.int64)
    across, down = np.flatnonzero(columns), np.flatnonzero(rows)
    if not across.size or max(across[-1] - across[0], down[-1] - down[0]) + 1 not in (BOX - 1, BOX):
        return None
    margin = (side - MNIST_SIZE) // 2
    place = np.arange(side) + 0.5 - margin
    for sums in (rows, columns):
        if not abs((sums * place).sum() / sums.sum() - MIDDLE) < OFF_MIDDLE:
            return None
    field = np.zeros((SIZE, SIZE), np.uint8)  # faster than np.pad
    first = (SIZE - side) // 2
    field[first : first + side, first : first + side] = digit
    return field


def box_of(mask):
    """``(top, bottom, left, right)`` of what is True, the ends exclusive."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
