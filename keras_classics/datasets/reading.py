"""Pictures in files, records or memory → arrays, by whatever function a network's pictures are read with."""

import concurrent.futures
import itertools

import numpy as np

from keras_classics.datasets.dataset import RECORD, Split
from keras_classics.errors import InputError
from keras_classics.runtime import cores

_AT_ONCE = 256  # pictures


def read_all(split, read, unreadable=None):
    """A split whose images are pixels; one that has them is returned as it is.

    Args:
        split: a ``Split``.
        read: ``(path or bytes, name=…) -> uint8 (height, width, channels)``, of one size; raises ``InputError``.
        unreadable: an ``Unreadable`` to tell of pictures that cannot be read, which are left out; None: an error.

    Raises:
        InputError: a picture cannot be read, or more than ``unreadable`` tolerates.
    """
    if split.in_memory or not len(split):
        return split

    def one(row, source):
        try:
            return read(source, name=split.name_of(row))
        except InputError:
            if unreadable is None:
                raise
            return None

    found, sources = [], enumerate(_sources(split))
    with concurrent.futures.ThreadPoolExecutor(cores()) as pool:
        while some := list(itertools.islice(sources, _AT_ONCE)):
            found += pool.map(one, *zip(*some, strict=True))
    good = np.array([pixels is not None for pixels in found])
    if not good.all():
        unreadable.note([split.name_of(row) for row in np.flatnonzero(~good)], "it is left out")
        split = split.take(np.flatnonzero(good))
    if not len(split):
        raise InputError("none of the pictures can be read.")
    return Split(np.stack([pixels for pixels in found if pixels is not None]), split.labels, source=split)


def _sources(split):
    if split.images.dtype != RECORD:
        return split.images.tolist()
    from keras_classics.datasets import pipeline  # only TensorFlow reads records

    return pipeline.encoded(split).as_numpy_iterator()
