"""Encoded pictures → pixels, in graphs: the middle square scaled to one size, or a window of it.

Pixels come from ``decoding``, the one decoder, but for windows of plain JPEG files, which TensorFlow decodes alone.

Section 2 of the AlexNet paper scales the shorter side to 256 and then cuts out the middle 256 × 256; the middle
square is cut first here, which is the same at less cost.
"""

import numpy as np
import tensorflow as tf

from keras_classics.datasets import decoding, tfrecord
from keras_classics.datasets.dataset import RECORD
from keras_classics.errors import InputError

_ORIENTABLE = r"\C*(?:Exif\x00\x00|tiff:Orientation)\C*"  # EXIF and XMP; \C is any byte
_HEAD = 1 << 17  # bytes that it is looked for in: metadata comes before the picture, EXIF before other metadata


def reader(split):
    """``row -> encoded picture``, a scalar string tensor, for a split whose images are not pixels."""
    if split.images.dtype == RECORD:
        return tfrecord.reader(split)
    with tf.device("CPU:0"):
        values = tf.constant(split.images.tolist())
    if split.images.dtype.kind == "O":
        return lambda row: values[row]
    return lambda row: tf.io.read_file(values[row])


def square(content, size):
    """The middle square of an encoded picture, scaled: ``uint8 (size, size, 3)``, as ``decoding.square`` gives it."""
    return tf.ensure_shape(by_python(lambda file: decoding.square(file, size), content, tf.uint8), (size, size, 3))


def by_python(function, content, dtype):
    """What a Python function makes of the ``bytes`` of a picture, in a graph or outside."""
    if isinstance(content, bytes):
        return tf.constant(function(content))
    if tf.executing_eagerly():  # NumPy would drop zeros at their end
        return tf.constant(function(content.numpy()))
    return tf.numpy_function(function, [content], dtype)


def window(content, size, corner, crop, *, fast=True):
    """What ``square(content, size)`` has from ``corner`` on: ``uint8 (crop, crop, 3)``.

    Of a plain JPEG file (``is_plain_jpeg``) TensorFlow decodes the window alone. That is equal where the shorter side
    is ``size``; where the picture is scaled, it differs by 2 grey levels of rounding at most; and pictures of at least
    four times the size are decoded at a half, quarter or eighth of theirs (at least twice ``size``) before they are
    scaled, and differ by less than 3 grey levels on average.

    Args:
        content: an encoded picture.
        size: of the square, pixels.
        corner: row and column of the window in the square, ``int32 (2,)``.
        crop: side of the window, pixels.
        fast: False: decode the whole picture, whatever it is.
    """

    def jpeg():
        shape = tf.io.extract_jpeg_shape(content)[:2]
        halvings = tf.reduce_sum(tf.cast(tf.reduce_min(shape) >= [4 * size, 8 * size, 16 * size], tf.int32))
        ratio = tf.bitwise.left_shift(1, halvings)
        shape = (shape + ratio - 1) // ratio
        side, origin = _middle(shape)
        start, end = _needed(side, size, corner, crop)
        # One pixel around, because a decoder smooths colour over the edges of what it decodes.
        low, high = tf.maximum(origin + start - 1, 0), tf.minimum(origin + end + 1, shape)
        box = tf.concat([low, high - low], axis=0)
        pixels = tf.switch_case(halvings, [_decoder(content, box, 2**power) for power in range(4)])
        inner = origin + start - low
        height, width = tf.unstack(end - start)
        pixels = pixels[inner[0] : inner[0] + height, inner[1] : inner[1] + width]
        return _scaled(pixels, side, size, start, corner, crop)

    def whole():
        pixels = square(content, size)[corner[0] : corner[0] + crop, corner[1] : corner[1] + crop]
        return tf.ensure_shape(pixels, (crop, crop, 3))

    return tf.cond(is_plain_jpeg(content), jpeg, whole) if fast else whole()


def is_plain_jpeg(content):
    """Whether a file is a JPEG as ``decoding.is_plain_jpeg`` wants it, and complete: scalar ``bool``.

    Told from the bytes; Python is asked only where metadata that can hold an orientation is in the file.
    """

    def jpeg():
        complete = tf.strings.substr(content, -2, 2) == b"\xff\xd9"
        orientable = tf.strings.regex_full_match(tf.strings.substr(content, 0, _HEAD), _ORIENTABLE)
        return complete & tf.cond(orientable, by_pillow, lambda: tf.io.extract_jpeg_shape(content)[2] != 4)

    def by_pillow():
        return tf.ensure_shape(by_python(_is_plain, content, tf.bool), ())

    return tf.cond(tf.io.is_jpeg(content), jpeg, lambda: False)


def _is_plain(content):
    try:
        return np.bool_(decoding.is_plain_jpeg(content))
    except InputError:  # for the decoder to refuse
        return np.bool_(False)


def _decoder(content, box, ratio):
    return lambda: tf.image.decode_and_crop_jpeg(content, box, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")


def _middle(shape):
    """Side and upper left corner of the middle square of ``shape``."""
    side = tf.reduce_min(shape)
    return side, (shape - side) // 2


def _needed(side, size, corner, crop):
    """The part of a square, from (row, column) to (row, column), that a window of its scaled form depends on."""
    scale = tf.cast(side / size, tf.float32)  # pixels of the square a pixel of the window
    first, last = tf.cast(corner, tf.float32) * scale, tf.cast(corner + crop, tf.float32) * scale
    margin = tf.where(side == size, 0.0, tf.maximum(scale, 1.0) + 1.0)  # the filter's reach, and rounding
    start = tf.cast(tf.floor(first - margin), tf.int32)
    end = tf.cast(tf.math.ceil(last + margin), tf.int32)
    return tf.maximum(start, 0), tf.minimum(end, side)


def _scaled(pixels, side, size, start, corner, crop):
    """The window at ``corner`` of a square scaled from ``side`` to ``size``; ``pixels`` are the square from ``start``.

    The same as ``tf.image.resize(…, antialias=True)`` of the whole square.
    """

    def resize():
        scale = tf.cast(size / side, tf.float32)
        shift = tf.cast(start, tf.float32) * scale - tf.cast(corner, tf.float32)
        columns = tf.transpose(_rows_scaled(pixels, scale, shift[0], crop), (1, 0, 2))
        resized = tf.transpose(_rows_scaled(columns, scale, shift[1], crop), (1, 0, 2))
        return tf.cast(tf.clip_by_value(tf.math.round(resized), 0, 255), tf.uint8)

    return tf.ensure_shape(tf.cond(side == size, lambda: pixels, resize), (crop, crop, 3))


def _rows_scaled(pixels, scale, shift, rows):
    """``pixels (height, width, 3)`` scaled along their height alone: ``float32 (rows, width, 3)``.

    As a picture one pixel wide, each row of which is one long vector: the operator goes through wider pictures three
    numbers at a time, which takes more than three times as long for the same result.
    """
    height, width = tf.unstack(tf.shape(pixels)[:2])
    scaled = tf.raw_ops.ScaleAndTranslate(
        images=tf.reshape(pixels, (1, height, 1, width * 3)),
        size=[rows, 1],
        scale=tf.stack([scale, 1.0]),
        translation=tf.stack([shift, 0.0]),
        kernel_type="triangle",
    )
    return tf.reshape(scaled, (rows, width, 3))
