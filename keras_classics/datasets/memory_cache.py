"""Pictures held in memory, decoded or encoded, as far as a stated budget goes."""

import concurrent.futures
import pathlib

import numpy as np

from keras_classics.datasets import pipeline
from keras_classics.datasets.dataset import RECORD, Split
from keras_classics.errors import InputError
from keras_classics.runtime import cores

_BATCH = 64  # pictures


def hold(split, size, budget, unreadable):
    """A split of encoded pictures, held in memory if the budget allows.

    Args:
        split: a ``Split``; pixels are in memory anyway.
        size: side in pixels to which pictures are brought.
        budget: bytes.
        unreadable: as ``pipeline.training_batches`` takes it; pictures are replaced as it would replace them.

    Returns:
        (Split, str, int): the cached split, a description of how it is cached, and bytes of the budget that it takes.

    Raises:
        InputError: a file cannot be read, or more pictures cannot be decoded than ``unreadable`` tolerates.
    """
    if split.in_memory or split.images.dtype.kind == "O":
        return split, "in memory", 0
    decoded = len(split) * size * size * 3
    if decoded <= budget:
        return _decoded(split, size, unreadable), f"decoded in memory ({_megabytes(decoded)})", decoded
    encoded = 2 * _encoded_bytes(split)  # Python and TensorFlow each have a copy
    if encoded <= budget:
        return _encoded(split), f"encoded in memory ({_megabytes(encoded)})", encoded
    needed = f"{_megabytes(decoded)} decoded, {_megabytes(encoded)} encoded"
    return split, f"read from disk (in memory they would take {needed})", 0


def _megabytes(count):
    return f"{count / 1e6:,.0f} MB"


def _decoded(split, size, unreadable):
    pixels, labels = _aligned((len(split), size, size, 3)), np.empty_like(split.labels)
    data = pipeline.evaluation_batches(
        split, batch=_BATCH, prepare=lambda images: images, size=size, unreadable=unreadable
    )
    with unreadable.as_input_errors():
        for start, (images, numbers) in zip(range(0, len(split), _BATCH), data.as_numpy_iterator(), strict=True):
            pixels[start : start + _BATCH], labels[start : start + _BATCH] = images, numbers
    return Split(pixels, labels, source=split)


def _aligned(shape):
    """A ``uint8`` array that TensorFlow takes without a copy."""
    count = int(np.prod(shape))
    memory = np.empty(count + pipeline.ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % pipeline.ALIGNMENT
    return memory[start : start + count].reshape(shape)


def _encoded_bytes(split):
    if split.images.dtype == RECORD:
        return int(split.images["length"].sum())
    with concurrent.futures.ThreadPoolExecutor(cores()) as pool:
        return sum(pool.map(_size, split.images))


def _size(path):
    try:
        return pathlib.Path(path).stat().st_size
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def _encoded(split):
    images = np.empty(len(split), object)
    for row, content in enumerate(pipeline.encoded(split).as_numpy_iterator()):
        images[row] = content
    return Split(images, split.labels, source=split)
