"""What the recipe "photographs" adds to MNIST's training digits: as photographs show them, as other hands draw them,
and what is no digit.

Every picture goes through ``keras_classics.recognition.field``, as a picture to recognise does. What is no digit has
the label ``len(class_names)``; the loss "cross_entropy_or_none" teaches the network to be sure of no class then.
"""

import contextlib
import dataclasses
import pathlib
import zipfile

import numpy as np
from PIL import Image
from scipy import ndimage
from tqdm import tqdm

from keras_classics import children, datasets, files
from keras_classics.recognition import reading
from keras_classics.recognition.field import box_of, field
from train import letters, strokes

SIDE = strokes.CANVAS
RESTYLED, DRAWN, SMALL, NONE = 40_000, 28_000, 32_000, 36_000  # pictures made
FEWEST, MOST = 7, 14  # pixels across a small picture; MNIST's digits have 20
ENLARGED = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
_PART = 1_000  # pictures a seed


def extended(dataset, seed, cache):
    """``dataset`` of MNIST's form, its training split more than twice as large.

    Args:
        dataset: digits in memory, ``uint8 (n, 32, 32, 1)``.
        seed: of everything drawn.
        cache: file (``.npz``) that caches the pictures, so that a run that goes on need not draw them again.
    """
    train = dataset.train
    key = dataset.describe()["sha256"] + f" {seed} {RESTYLED} {DRAWN} {SMALL} {NONE}"
    cache = pathlib.Path(cache)
    damaged = contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)  # or absent
    with damaged, np.load(cache, allow_pickle=False) as saved:
        if str(saved["key"]) == key:
            return dataclasses.replace(dataset, train=datasets.Split(saved["images"], saved["labels"]))
    made, labels = pictures(train.images[..., 0], train.labels, seed)
    images = np.concatenate([train.images, made[..., None]])
    labels = np.concatenate([train.labels, labels])
    with files.whole_file(cache) as partial:
        np.savez_compressed(partial, key=key, images=images, labels=labels)
    return dataclasses.replace(dataset, train=datasets.Split(images, labels))


def pictures(digits, labels, seed, counts=(RESTYLED, DRAWN, SMALL, NONE)):
    """Pictures that are made of ``digits (n, 32, 32)`` or drawn: ``uint8 (sum of counts, 32, 32)`` and their labels."""
    jobs = [
        (kind, seed, part, min(_PART, count - part * _PART))
        for kind, count in zip(_MAKERS, counts, strict=True)
        for part in range(-(-count // _PART))
    ]
    with children.pool(initializer=_share, initargs=(digits, labels)) as pool:
        made = tqdm(pool.map(_part, jobs), total=len(jobs), unit=" thousand pictures", disable=None, leave=False)
        parts = list(made)
    images, found = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(found).astype(np.int64)


_SHARED = {}


def _share(digits, labels):
    _SHARED.update(digits=digits, labels=labels)


def _part(job):
    kind, seed, part, count = job
    random = np.random.default_rng([seed, _MAKERS.index(kind), part])
    made = [kind(_SHARED["digits"], _SHARED["labels"], random) for _ in range(count)]
    return np.stack([image for image, _ in made]), np.array([label for _, label in made])


def restyled(digits, labels, random):
    """A training digit, its strokes thicker or thinner, slanted, turned, blurred, cut off; a field and its label."""
    index = random.integers(len(digits))
    return _as_photographed(placed(digits[index], random), random), labels[index]


def drawn(digits, labels, random):
    """A digit drawn with a pen; a field and its label."""
    label = int(random.integers(10))
    return _as_photographed(strokes.drawn(label, random), random), label


def small(digits, labels, random):
    """A digit of few pixels, in grey, enlarged as programs do; a field and its label."""
    while True:
        index, label = random.integers(len(digits)), int(random.integers(10))
        if random.random() < 0.5:
            ink, label = placed(digits[index], random, stretch=0.32), labels[index]
        else:
            ink = strokes.drawn(label, random, narrowest=0.4)
        found = reading.digit_of(_of_few_pixels(ink, random))
        if found is not None:
            return found[0], label


def no_digit(digits, labels, random):
    """Two digits at once, a part of one, a letter, scribble, dash, blot; a field and the label of no class."""
    while True:
        maker = random.choice([_two, _two, _piece, _piece, *[_letter] * 5, _scribble, _dash, _blot])
        ink = maker(digits, labels, random)
        if ink is not None and (ink > 0.5).sum() > 12:
            return _as_photographed(ink, random, clean=True), 10


def placed(digit, random, turn=8.0, slant=0.14, stretch=0.18):
    """A digit on a larger square, turned, slanted and stretched, its strokes of another width."""
    scale = random.uniform(1.6, 2.6)
    angle, lean = np.deg2rad(random.normal(0, turn)), random.normal(0, slant)
    wide, high = np.exp(random.normal(0, stretch / 2, 2)) * scale
    cos, sin = np.cos(angle), np.sin(angle)
    a, b, d, e = cos / wide, (sin + lean) / wide, -sin / high, cos / high
    centre, middle = SIDE / 2, digit.shape[0] / 2
    matrix = (a, b, middle - (a + b) * centre, d, e, middle - (d + e) * centre)
    large = Image.fromarray(digit).transform((SIDE, SIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    ink = np.asarray(large, np.float32) / 255
    grow = random.uniform(-1.2, 1.6) * scale / 2
    inside = ink > 0.5
    signed = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    grown = np.clip(signed + grow + 0.5, 0, 1).astype(np.float32)
    return grown if (grown > 0.5).sum() > 0.4 * inside.sum() else ink


def _of_few_pixels(ink, random):
    """Ink that fills a picture of 7 to 14 pixels, dark on white or light on black, enlarged: ``uint8 (side, side, 3)``.

    Now and then it has no greys before it is reduced, and 17 levels after it, as digits counted on a grid have.
    """
    top, bottom, left, right = box_of(ink > 0.5)
    sides = np.array([right - left, bottom - top])
    kept = 1 if random.random() < 0.5 else random.uniform(0.5, 1)  # of the aspect: some bring all digits to a square
    half = sides.max() ** kept * sides ** (1 - kept) / 2 * random.uniform(1, 1.2)
    middle = np.array([left + right, top + bottom]) / 2 + SIDE
    box = (*(middle - half), *(middle + half))
    ink = np.pad(ink > 0.5 if random.random() < 0.5 else ink, SIDE).astype(np.float32)
    pixels = (int(random.integers(FEWEST, MOST + 1)),) * 2
    few = Image.fromarray(ink).resize(pixels, Image.Resampling.BOX if random.random() < 0.7 else ENLARGED[1], box)
    grey = np.asarray(few) if random.random() < 0.5 else np.rint(np.asarray(few) * 16) / 16
    grey = np.rint(255 * (grey if random.random() < 0.5 else 1 - grey)).astype(np.uint8)
    side = int(random.integers(28, 97))
    large = np.asarray(Image.fromarray(grey).resize((side, side), ENLARGED[random.integers(3)]))
    return np.repeat(large[..., None], 3, axis=2)


def _as_photographed(ink, random, *, clean=False):
    """Ink as a photograph has it, blurred, uneven, noisy, cut off or broken now and then; the field of it."""
    if not clean:
        ink = _damaged(ink, random)
    blurred = ndimage.gaussian_filter(ink, random.uniform(0, 2.2))
    if random.random() < 0.3:  # as in a small picture
        reduction = int(random.integers(2, 7))
        few = Image.fromarray(blurred).reduce(reduction)
        blurred = np.asarray(few.resize(ink.shape[::-1], ENLARGED[random.integers(3)]))
    rows, columns = np.mgrid[-1 : 1 : ink.shape[0] * 1j, -1 : 1 : ink.shape[1] * 1j]
    angle = random.uniform(0, 2 * np.pi)
    blurred = blurred * (1 - random.uniform(0, 0.3) * (1 + np.cos(angle) * rows + np.sin(angle) * columns) / 2)
    level = np.percentile(blurred[blurred > 0.3 * blurred.max()], 80)
    strength = np.clip(blurred / level + random.normal(0, random.uniform(0, 0.06), ink.shape), 0, 1)
    strength = np.where(ndimage.binary_dilation(blurred > 0.25 * level, iterations=2), strength, 0)
    return field(np.pad(strength.astype(np.float32), 2), random.uniform(0.4, 0.55))


def _damaged(ink, random):
    fate = random.random()
    rows, columns = np.flatnonzero(ink.max(axis=1) > 0.5), np.flatnonzero(ink.max(axis=0) > 0.5)
    if not rows.size or fate > 0.2:
        return ink
    ink = ink.copy()
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    if fate < 0.07:  # cut off by the border of the picture
        view = (ink, ink[::-1], ink.T, ink.T[::-1])[random.integers(4)]
        first = np.flatnonzero(view.max(axis=1) > 0.5)[0]
        view[: first + int(random.uniform(0.02, 0.1) * min(height, 2 * width))] = 0
    elif fate < 0.14:  # a stroke that is broken
        x, y = random.choice(columns), random.choice(rows)
        ink[max(y - 1, 0) : y + 2, max(x - 8, 0) : x + 8] *= random.uniform(0, 0.6)
    else:  # a speck beside it
        x, y = random.integers(columns[0], columns[-1] + 1), random.integers(rows[0], rows[-1] + 1)
        ink[y : y + 3, x : x + 3] = 1
    return ink


def _two(digits, labels, random):
    one, other = (placed(digits[random.integers(len(digits))], random) for _ in range(2))
    columns, more = (np.flatnonzero(ink.max(axis=0) > 0.5) for ink in (one, other))
    if not columns.size or not more.size:
        return None
    page = np.zeros((SIDE, 2 * SIDE), np.float32)
    page[:, :SIDE] = one
    start = columns[-1] + 1 - more[0] + int(random.integers(-4, 6))
    if start < 0 or start + SIDE > page.shape[1]:
        return None
    page[:, start : start + SIDE] = np.maximum(page[:, start : start + SIDE], other)
    return page


def _piece(digits, labels, random):
    index = random.integers(len(digits))
    while labels[index] not in (0, 2, 3, 5):
        index = random.integers(len(digits))
    ink = placed(digits[index], random).copy()
    rows, columns = np.flatnonzero(ink.max(axis=1) > 0.5), np.flatnonzero(ink.max(axis=0) > 0.5)
    share = random.uniform(0.3, 0.65)
    if random.random() < 0.6 or labels[index] == 3:
        cut = rows[0] + int(share * len(rows))
        ink[(slice(cut, None) if random.random() < 0.5 else slice(None, cut))] = 0
    else:
        cut = columns[0] + int(share * len(columns))
        ink[:, (slice(cut, None) if random.random() < 0.5 else slice(None, cut))] = 0
    return ink


def _letter(digits, labels, random):
    return letters.letter(random)


def _scribble(digits, labels, random):
    points = random.uniform(0, 1, (int(random.integers(6, 14)), 2)).tolist()
    return strokes.pen((("smooth" if random.random() < 0.7 else "straight", points),), random)


def _dash(digits, labels, random):
    y, bend = random.uniform(0.4, 0.6), random.normal(0, 0.08)
    return strokes.pen((("smooth", [(0.05, y), (0.5, y + bend), (0.95, y + random.normal(0, 0.06))]),), random)


def _blot(digits, labels, random):
    noise = ndimage.gaussian_filter(random.normal(0, 1, (SIDE, SIDE)), random.uniform(1.5, 9))
    rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    inside = rows**2 + columns**2 < random.uniform(0.1, 0.9)
    ink = (noise > np.quantile(noise, random.uniform(0.4, 0.85))) & inside
    labels, count = ndimage.label(ink)
    if not count:
        return None
    sizes = np.bincount(labels.ravel())[1:]
    few = np.argsort(sizes)[-int(random.integers(1, 4)) :] + 1
    return np.isin(labels, few).astype(np.float32)


_MAKERS = (restyled, drawn, small, no_digit)
