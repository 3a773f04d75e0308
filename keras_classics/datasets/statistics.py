"""What the training pixels of a dataset look like: their mean picture, mean colour, and how colours vary.

Section 4.1 of the AlexNet paper adds multiples of the principal components of the training set's RGB pixels to each
picture; section 2 subtracts the mean of each pixel.
"""

import dataclasses
import hashlib
import pathlib
import sys

import numpy as np

from keras_classics.datasets import disk_cache, pipeline
from keras_classics.datasets.dataset import RECORD
from keras_classics.datasets.unreadable import Unreadable

SAMPLE = 10_000  # pictures that larger splits are judged by, evenly spaced
_BATCH = 64  # pictures
_READING = "decoding.square"  # how pictures are read; part of the cache's key


@dataclasses.dataclass(frozen=True)
class Statistics:
    """Of pixels in 0–255: ``mean_image (size, size, channels)``, ``mean (channels,)``, and of the channels' covariance
    ``eigenvalues (channels,)``, in squared pixel units, largest first, and ``eigenvectors (channels, channels)``, one a
    column. All ``float32``.
    """

    mean_image: np.ndarray
    mean: np.ndarray
    eigenvalues: np.ndarray
    eigenvectors: np.ndarray

    @property
    def components(self):
        """Principal components, one a row, each as long as the colours' standard deviation along it, longest first."""
        return (self.eigenvectors * np.sqrt(self.eigenvalues)).T

    def middle(self, size):
        """The middle ``size`` × ``size`` pixels of the mean picture: what windows of that size have subtracted."""
        top, left = ((side - size) // 2 for side in self.mean_image.shape[:2])
        return self.mean_image[top : top + size, left : left + size]


def statistics(split, size, sample=SAMPLE, unreadable=None):
    """The ``Statistics`` of a training split, computed once for these pictures and kept in ``disk_cache.folder()``.

    Args:
        split: a ``Split``. Of encoded pictures the middle square, scaled; images in memory as they are.
        size: side in pixels to which encoded pictures are brought.
        sample: how many pictures at most, evenly spaced over the split.
        unreadable: an ``Unreadable`` that counts replaced pictures; None tolerates none.

    Raises:
        InputError: more pictures cannot be decoded than ``unreadable`` tolerates.
    """
    unreadable = unreadable or Unreadable()
    if len(split) > sample:
        split = split.take(np.linspace(0, len(split) - 1, sample).astype(int))
    return Statistics(**disk_cache.arrays("colours", _content(split, size), lambda: _computed(split, size, unreadable)))


def _content(split, size):
    """Bytes that tell these pictures from others: pixels, or names, sizes and times of the files."""
    digest = hashlib.sha256(f"{_READING} {size}".encode())
    split.update(digest)
    origin = split.source or split
    files = origin.shards if origin.images.dtype == RECORD else origin.images if origin.images.dtype.kind == "U" else ()
    for file in files:
        facts = pathlib.Path(file).stat()
        digest.update(f"{facts.st_size} {facts.st_mtime_ns}".encode())
    return digest.digest()


def _computed(split, size, unreadable):
    if not split.in_memory:
        print(f"Looking at the colours of {len(split):,} training pictures, once …", file=sys.stderr, flush=True)
    count = pixels = 0
    total = products = 0.0
    batches = pipeline.evaluation_batches(
        split, batch=_BATCH, prepare=lambda images: images, size=size, unreadable=unreadable
    )
    with unreadable.as_input_errors():
        for images, _ in batches.as_numpy_iterator():
            total = total + images.sum(axis=0, dtype=np.float64)
            for image in images:
                colours = image.reshape(-1, image.shape[-1]).astype(np.float32) - 128.0  # small products round little
                products = products + (colours.T @ colours).astype(np.float64)
            count += len(images)
            pixels += images[..., 0].size
    mean_image = total / count
    mean = mean_image.mean(axis=(0, 1))
    covariance = products / pixels - np.outer(mean - 128.0, mean - 128.0)
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    # An eigenvector's sign is arbitrary: its largest entry is made positive.
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), range(len(values))])
    arrays = {"mean_image": mean_image, "mean": mean, "eigenvalues": values, "eigenvectors": vectors}
    return {name: array.astype(np.float32) for name, array in arrays.items()}
