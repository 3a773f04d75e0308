"""In-graph augmentation: images and uniform random numbers in, changed images out.

Each augmentation takes ``uint8`` or float images ``(batch, height, width, channels)`` in 0–255 and ``(batch, k)``
uniform numbers in [0, 1), and returns ``float32`` images in 0–255 of the size the network takes. Drawing the numbers
outside makes a training batch repeatable, on one device or many. They are written for a compiler (XLA), which makes one
pass over the pixels of what here looks like many.
"""

import dataclasses
import functools
import math
from collections.abc import Callable

import tensorflow as tf

from keras_classics.datasets.pipeline import corner_of

# Largest change either way of a handwritten digit: small enough to leave it what it is.
_ROTATION = math.radians(12)
_SCALE = 0.12
_SHEAR = 0.15
_SHIFT = 2.0  # pixels

# Elastic distortions (Simard, Steinkraus, Platt 2003, section 2), from a coarse grid of displacements instead of
# smoothed noise.
_ELASTIC_GRID = 5  # displacements along each axis, bicubically interpolated to one a pixel
_ELASTIC_SHIFT = 2.0  # pixels either way, at most

_HOLE = 12  # pixels: side of the square that is hidden in 32×32 pictures
_GREY = 128.0  # of hidden pixels

_CIFAR_MARGIN = 4  # pixels: 32×32 pictures are padded by as much before cropping, as is usual for CIFAR-10


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How images are varied in training, and what is evaluated on instead; sides are in pixels.

    Args:
        draws: how many uniform numbers in [0, 1) an image takes, from 0 up.
        load_size: ``side of the network's input -> side`` that pictures are loaded at: their shorter side, of which the
            middle square is taken.
        apply: ``(images, draws, side) -> images``: ``uint8`` or float ``(batch, height, width, channels)`` in 0–255 and
            ``float32 (batch, draws)`` become ``float32 (batch, side, side, channels)`` in 0–255.
        evaluate: ``(images, side) -> images``, the same without chance.
        cuts: whether ``apply`` cuts out a window by its first two draws, or takes one that has been cut.
    """

    draws: int
    load_size: Callable[[int], int]
    apply: Callable
    evaluate: Callable
    cuts: bool = False


def distort_digits(images, draws, size):
    """Affine distortions about the centre: rotation, scale and shear along both axes, shift; background is 0."""
    return _sampled(images, *_affine_points(draws, size))


def warp_digits(images, draws, size):
    """The same with elastic distortions on top: each pixel is displaced a little, its neighbours alike."""
    x, y = _affine_points(draws[:, :6], size)
    grid = tf.reshape(draws[:, 6:] * 2.0 - 1.0, (-1, _ELASTIC_GRID**2, 2)) * _ELASTIC_SHIFT
    across, down = (tf.reshape(tf.matmul(part, _bicubic(size)), (-1, size, size)) for part in tf.unstack(grid, axis=2))
    return _sampled(images, x + across, y + down)


@functools.cache
def _bicubic(size):
    """``float32 (points of the grid, size²)``: what each displacement of the grid contributes to that of each pixel."""
    with tf.init_scope():
        points = tf.reshape(tf.eye(_ELASTIC_GRID**2), (-1, _ELASTIC_GRID, _ELASTIC_GRID, 1))
        return tf.reshape(tf.image.resize(points, (size, size), "bicubic"), (_ELASTIC_GRID**2, -1)).numpy()


def _sampled(images, x, y):
    """``images (batch, height, width, channels)`` at points ``(batch, rows, columns)``, bilinearly; 0 outside."""
    height, width, channels = images.shape[1:]
    # A margin of 0 stands for everything outside; the last pixels too have neighbours right and below.
    pixels = tf.reshape(tf.pad(tf.cast(images, tf.float32), [[0, 0], [1, 2], [1, 2], [0, 0]]), (-1, channels))
    x, y = (tf.clip_by_value(value, -1.0, float(side)) + 1.0 for value, side in ((x, width), (y, height)))
    left, top = tf.floor(x), tf.floor(y)
    right, below = (x - left)[..., None], (y - top)[..., None]
    row = width + 3
    first = tf.range(tf.shape(images)[0])[:, None, None] * ((height + 3) * row)
    corner = first + tf.cast(top, tf.int32) * row + tf.cast(left, tf.int32)
    a, b, c, d = (tf.gather(pixels, corner + step) for step in (0, 1, row, row + 1))
    upper, lower = a + (b - a) * right, c + (d - c) * right
    return upper + (lower - upper) * below


def _affine_points(draws, size):
    """Where in the input each output pixel comes from: ``x`` and ``y``, each ``(batch, size, size)``."""
    angle, scale_x, scale_y, shear, shift_x, shift_y = tf.unstack((draws * 2.0 - 1.0)[..., None, None], axis=1)
    angle, shear = angle * _ROTATION, shear * _SHEAR
    scale_x, scale_y = 1.0 + scale_x * _SCALE, 1.0 + scale_y * _SCALE
    cos, sin = tf.cos(angle), tf.sin(angle)
    # The transform maps output pixels to input pixels, so it is the inverse of what happens to the digit.
    a, b = cos * scale_x, (sin + shear * cos) * scale_y
    c, d = -sin * scale_x, (cos - shear * sin) * scale_y
    centre = (size - 1) / 2
    e = centre - a * centre - b * centre + shift_x * _SHIFT
    f = centre - c * centre - d * centre + shift_y * _SHIFT
    y, x = tf.meshgrid(tf.range(size, dtype=tf.float32), tf.range(size, dtype=tf.float32), indexing="ij")
    return a * x + b * y + e, c * x + d * y + f


def crop_and_mirror(images, draws, size):
    """A random ``size`` × ``size`` window, mirrored half of the time (section 4.1 of the AlexNet paper)."""
    mirrored = draws[:, 2] >= 0.5
    if tuple(images.shape[1:3]) == (size, size):
        return tf.cast(tf.where(mirrored[:, None, None, None], images[:, :, ::-1], images), tf.float32)
    corners = corner_of(draws[:, :2], tf.shape(images)[1:3] - size)
    rows = corners[:, :1] + tf.range(size)
    columns = corners[:, 1:] + tf.range(size)
    columns = tf.where(mirrored[:, None], columns[:, ::-1], columns)
    picked = tf.gather(tf.gather(images, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)
    return tf.cast(picked, tf.float32)


def crop_padded_and_mirror(images, draws, size):
    """The same from pictures already ``size`` × ``size``, after padding them with black."""
    margin = [_CIFAR_MARGIN, _CIFAR_MARGIN]
    return crop_and_mirror(tf.pad(images, [[0, 0], margin, margin, [0, 0]]), draws, size)


def crop_padded_mirror_and_hide(images, draws, size):
    """The same, with a grey square somewhere, which may reach over the border (DeVries and Taylor, 2017, "cutout")."""
    centres = tf.floor(draws[:, 3:5] * size)
    places = tf.range(size, dtype=tf.float32)
    # From half a side before the centre up to, not including, half a side after it.
    away = places[None, None] - centres[..., None]
    inside = (away >= -_HOLE / 2) & (away < _HOLE / 2)
    hidden = (inside[:, 0, :, None] & inside[:, 1, None, :])[..., None]
    return tf.where(hidden, _GREY, crop_padded_and_mirror(images, draws, size))


def crop_centre(images, size):
    """The middle ``size`` × ``size`` pixels."""
    top, left = ((side - size) // 2 for side in images.shape[1:3])
    return tf.cast(images[:, top : top + size, left : left + size], tf.float32)


def shift_colours(images, draws, components, strength):
    """Colours moved along their principal components, each picture's by amounts of its own (section 4.1).

    Args:
        images: ``float32 (batch, height, width, 3)``.
        draws: ``(batch, 3)`` uniform numbers, of which come normal ones.
        components: of ``colour.Statistics``. Assumption: the paper multiplies a component by its eigenvalue, a square
            of pixel units, which of values 0–255 would drown the picture; a standard deviation stands here, as in the
            authors' published source (``color_stdevs`` in its ``ImageNetDP``).
        strength: standard deviation of the amounts, in those of the colours; the paper's is 0.1.
    """
    # Never 0 or 1, whose normal numbers are infinite.
    amounts = strength * tf.math.ndtri(tf.clip_by_value(draws, 1e-6, 1 - 1e-6))
    return images + tf.matmul(amounts, tf.cast(components, tf.float32))[:, None, None, :]


def mirrored_crops(images, size, count):
    """The four corners and the middle, ``size`` × ``size``, and their mirror images, crop after crop (section 4.1).

    ``(batch, height, width, channels)`` becomes ``(count · batch, size, size, channels)``; ``count`` is 10, or 2 for
    the middle and its mirror image.
    """
    bottom, right = (side - size for side in images.shape[1:3])
    corners = ((0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2))
    crops = [images[:, top : top + size, left : left + size] for top, left in corners[-(count // 2) :]]
    return tf.cast(tf.concat([*crops, *(crop[:, :, ::-1] for crop in crops)], axis=0), tf.float32)


AUGMENTATIONS = {
    "none": Augmentation(0, lambda size: size, lambda images, draws, size: crop_centre(images, size), crop_centre),
    "digits": Augmentation(6, lambda size: size, distort_digits, crop_centre),
    "elastic_digits": Augmentation(6 + 2 * _ELASTIC_GRID**2, lambda size: size, warp_digits, crop_centre),
    # Shorter side 256 for windows of 224 (section 2), and in that proportion for other sizes.
    "photographs": Augmentation(3, lambda size: round(size * 256 / 224), crop_and_mirror, crop_centre, cuts=True),
    "small_photographs": Augmentation(3, lambda size: size, crop_padded_and_mirror, crop_centre),
    "small_photographs_hidden": Augmentation(5, lambda size: size, crop_padded_mirror_and_hide, crop_centre),
}
