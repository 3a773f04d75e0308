"""Images and labels in three splits, wherever the images lie: in memory, in files, or in records of TFDS shards."""

import dataclasses
import hashlib
import os
import pathlib

import numpy as np

from keras_classics import checks
from keras_classics.errors import InputError

# Where an encoded picture's ``tf.train.Example`` lies: the number of the shard, and bytes into it.
RECORD = np.dtype([("shard", np.int32), ("offset", np.int64), ("length", np.int64)])

_SEED = 1998
_PARTS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """``n`` images and their labels.

    Args:
        images: pixels 0–255, ``uint8 (n, height, width, channels)``; or encoded pictures (JPEG, PNG, BMP, GIF): ``n``
            paths (``str``), ``n`` places in ``shards`` (``RECORD``), or ``n`` times ``bytes`` (``object``) that were
            read from ``source``.
        labels: classes from 0 up, ``int64 (n,)``.
        shards: paths of the TFRecord files that ``images`` are places in.
        source: the split that encoded pictures in memory were read from, or None.
    """

    images: np.ndarray
    labels: np.ndarray
    shards: tuple[str, ...] = ()
    source: "Split | None" = None

    def __len__(self):
        return len(self.labels)

    @property
    def in_memory(self):
        """Whether the images are pixels."""
        return self.images.ndim == 4

    def take(self, indices):
        """The images and labels of these rows, an array of numbers from 0 to n - 1, in their order: a ``Split``."""
        source = self.source and self.source.take(indices)
        return Split(self.images[indices], self.labels[indices], self.shards, source)

    def batches(self, batch, *, prepare=None, size=None, shuffle=True, seed=0):
        """Batches for Keras' ``fit``, ``evaluate`` and ``predict``: each image once, in a new order in each epoch.

        Keras makes batches of arrays too, but the autotuner of tf.data that it switches on then delays the end of each
        epoch by seconds.

        Args:
            batch: images a batch, a whole number from 1 up; the last one of an epoch may be smaller.
            prepare: from pixels 0–255 to what the network takes, such as ``lenet.preprocess_input``; None: float32.
            size: side in pixels to which encoded pictures are brought; None for images in memory.
            shuffle: False: in order, as ``evaluate`` and ``predict`` want it.
            seed: of the order, a whole number from 0 up.

        Returns:
            A ``tf.data.Dataset`` of ``(images, labels)``: what ``prepare`` returns for ``uint8 (batch, height, width,
            channels)``, and ``int64 (batch,)``.

        Raises:
            ValueError: an argument is no such number, or ``size`` is missing.
        """
        from keras_classics.datasets import pipeline  # which needs TensorFlow

        batch, seed = checks.whole_number("batch", batch, 1), checks.whole_number("seed", seed)
        if size is not None or not self.in_memory:
            size = checks.whole_number("size", size, 1)
        return pipeline.epoch_batches(self, batch=batch, prepare=prepare, size=size, seed=seed if shuffle else None)

    def name_of(self, row):
        """The display name of an image, for messages."""
        if self.source is not None:
            return self.source.name_of(row)
        if self.images.dtype == RECORD:
            place = self.images[row]
            return f"the record at byte {place['offset']:,} of {self.shards[place['shard']]}"
        return str(self.images[row]) if self.images.dtype.kind == "U" else f"image {row}"

    def update(self, digest):
        """Feed labels and pixels (or names and sizes of files, or places of records) to a hash.

        Those of ``source`` if there is one. Where a folder lies does not count, so that it can be moved.
        """
        if self.source is not None:
            self.source.update(digest)
            return
        digest.update(self.labels.tobytes())
        if self.images.dtype.kind == "U":
            above = len(os.path.commonprefix(self.images.tolist()).rpartition(os.sep)[0])  # noqa: RUF071
            digest.update("\n".join(f"{path[above:]} {_bytes_of(path)}" for path in self.images.tolist()).encode())
        else:
            digest.update(self.images.tobytes())
            digest.update("\n".join(pathlib.PurePath(shard).name for shard in self.shards).encode())


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Three splits that share no image: ``train`` fits, ``validation`` selects, ``test`` reports.

    Args:
        name: what it is called, as "mnist" or "folder:birds".
        origin: where it came from, as displayed.
        class_names: one for each label, in order.
        train, validation, test: each a ``Split``.
        spec: what ``datasets.from_spec`` loads it again by: a dict of JSON values, with absolute paths; or None.
    """

    name: str
    origin: str
    class_names: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    spec: dict | None = None

    def padded(self, size, unreadable=None):
        """The same with images centred in ``size`` × ``size`` pixels of background (0); pictures in files are read.

        Args:
            size: pixels.
            unreadable: an ``Unreadable`` that counts files that ``fields.read_field`` cannot read, which are left out;
                None tolerates none.

        Returns:
            A ``Dataset`` whose images are ``uint8 (n, size, size, channels)``.

        Raises:
            InputError: the images are larger, or a file cannot be read.
        """
        size = checks.whole_number("size", size, 1)
        if not self.train.in_memory:
            return self._as_fields(size, unreadable)
        height, width = self.train.images.shape[1:3]
        if max(height, width) > size:
            raise InputError(f"the images of {self.name} are {height} × {width} pixels; expected at most {size}.")

        def pad(split):
            margins = [(size - side) for side in split.images.shape[1:3]]
            before_after = [(0, 0), *((m // 2, m - m // 2) for m in margins), (0, 0)]
            return Split(np.pad(split.images, before_after), split.labels)

        return dataclasses.replace(self, train=pad(self.train), validation=pad(self.validation), test=pad(self.test))

    def _as_fields(self, size, unreadable):
        from keras_classics.datasets import fields, reading  # which import this

        def read(source, name):
            return fields.read_field(source, size, name=name)

        parts = {part: reading.read_all(getattr(self, part), read, unreadable) for part in _PARTS}
        return dataclasses.replace(self, **parts)

    def describe(self):
        """What was used, for the record of a run.

        Returns:
            A dict: ``name``, ``origin`` and ``spec``; ``images``, how many each split has; ``sha256``, the fingerprint
            of labels and pixels (or names and sizes of files).
        """
        digest = hashlib.sha256()
        for split in (self.train, self.validation, self.test):
            split.update(digest)
        sizes = {name: len(getattr(self, name)) for name in ("train", "validation", "test")}
        return {
            "name": self.name,
            "origin": self.origin,
            "spec": self.spec,
            "images": sizes,
            "sha256": digest.hexdigest(),
        }

    def __str__(self):
        sizes = ", ".join(f"{len(getattr(self, name)):,} {name}" for name in ("train", "validation", "test"))
        return f"{self.name}, {self.origin}: {sizes}"


def _bytes_of(path):
    try:
        return os.stat(path).st_size  # noqa: PTH116 (a Path each for a million files takes minutes)
    except OSError:  # it is gone; reading it raises an error
        return -1


def stratified(split, count, seed=_SEED):
    """Two disjoint splits: ``count`` images, an even share of every class chosen by ``seed``, and the rest.

    Args:
        split: a ``Split``.
        count: how many images, a whole number from 0 up.
        seed: of the choice, a whole number from 0 up.

    Raises:
        ValueError: an argument is no such number.
    """
    count = checks.whole_number("count", count)
    random = np.random.default_rng(checks.whole_number("seed", seed))
    rank = np.zeros(len(split))
    for label in np.unique(split.labels):
        members = np.flatnonzero(split.labels == label)
        ranks = (np.arange(len(members)) + 0.5) / len(members)
        ranks[0] = 0.0 if len(members) > 1 else 1.0  # one of each class first, if it has another
        rank[random.permutation(members)] = ranks
    order = np.argsort(rank, kind="stable")
    return split.take(np.sort(order[:count])), split.take(np.sort(order[count:]))
