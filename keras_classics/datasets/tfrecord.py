"""Pictures that stay in TFDS' TFRecord shards, each found by its place, so that any of them can be read at any time.

TensorFlow reads such files from beginning to end only. They are read so once, for labels and places of the records,
and what was found is kept in ``disk_cache.folder()``.
"""

import concurrent.futures
import mmap
import os
import stat
import sys

import numpy as np
import tensorflow as tf

from keras_classics.datasets import disk_cache
from keras_classics.datasets.dataset import RECORD, Split
from keras_classics.errors import InputError
from keras_classics.runtime import cores

_BEFORE, _AFTER = 12, 4  # bytes around a record in a TFRecord file: length and checksum, checksum


def count(shards):
    """How many records TFRecord files hold, by their lengths: TensorFlow does not survive one that claims 60 GB.

    Args:
        shards: paths.

    Raises:
        InputError: a file is absent, ends within a record or is none of records.
    """
    found = 0
    for shard in shards:
        try:
            if not stat.S_ISREG(os.stat(shard).st_mode):  # noqa: PTH116 (a pipe would be waited for)
                raise InputError(f"the shard {shard} is not a file.")
            with open(shard, "rb") as file:  # noqa: PTH123 (a name that is not UTF-8)
                found += _count(shard, file)
        except OSError as error:
            raise InputError(f"the shard {shard} cannot be read: {error.strerror or error}.") from error
    return found


def _count(shard, file):
    size, place, found = os.fstat(file.fileno()).st_size, 0, 0
    if not size:
        return 0
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        while place < size:
            length = int.from_bytes(content[place : place + 8], "little")
            place, found = place + _BEFORE + length + _AFTER, found + 1
            if place > size:
                raise InputError(
                    f"the shards cannot be read: {shard} has {size:,} bytes, and a record of {length:,} bytes that "
                    f"would end at {place:,}; prepare it anew."
                )
    return found


def split(shards, what):
    """The ``Split`` of all records in TFRecord files of ``tf.train.Example`` with features "image" and "label".

    Args:
        shards: paths, in order.
        what: display name of the records.

    Raises:
        InputError: a shard is absent or damaged.
    """
    shards = tuple(os.fspath(shard) for shard in shards)
    try:
        found = [os.stat(shard) for shard in shards]  # noqa: PTH116 (TensorFlow's has whole seconds)
    except OSError as error:
        raise InputError(f"the shards of {what} cannot be read: {error.filename}: {error.strerror}.") from error
    facts = [(path, fact.st_size, fact.st_mtime_ns) for path, fact in zip(shards, found, strict=True)]

    def index():
        gigabytes = sum(fact.st_size for fact in found) / 1e9
        print(f"Indexing {what}: {len(shards):,} files, {gigabytes:,.1f} GB, once …", file=sys.stderr, flush=True)
        count(shards)  # before TensorFlow reads them
        try:
            with concurrent.futures.ThreadPoolExecutor(cores()) as pool:
                parts = list(pool.map(_index, range(len(shards)), map(os.fsencode, shards)))
        except tf.errors.OpError as error:
            raise InputError(f"the shards of {what} cannot be read: {error.message}; prepare it anew.") from error
        places, labels = (np.concatenate(values) for values in zip(*parts, strict=True))
        return {"places": places, "labels": labels}

    arrays = disk_cache.arrays("records", repr(facts).encode(), index)
    return Split(arrays["places"], arrays["labels"], shards)


def reader(split):
    """``row -> encoded picture``, a scalar string tensor, for a split of records; for use in graphs."""
    paths = [os.fsencode(shard) for shard in split.shards]  # a folder's name may be none that is UTF-8
    shards = tf.constant(paths)
    sizes = tf.constant([tf.io.gfile.stat(path).length for path in paths], tf.int64)
    numbers, offsets, lengths = (tf.constant(split.images[name]) for name in RECORD.names)

    def read(row):
        shard, offset, length = numbers[row], offsets[row], lengths[row]
        # The one way to read a part of a file in a graph: a file of one record between a header and a footer.
        record = tf.data.FixedLengthRecordDataset(
            shards[shard],
            record_bytes=length,
            header_bytes=offset,
            footer_bytes=sizes[shard] - offset - length,
        ).get_single_element()
        return _example(record, image=tf.string)["image"]

    return read


def _index(number, path):
    """Places and labels of the records in one shard."""

    def look(record):
        return tf.strings.length(record), _example(record, label=tf.int64)["label"]

    options = tf.data.Options()
    options.autotune.enabled = False
    data = tf.data.TFRecordDataset(path).map(look).batch(1024).with_options(options)
    pairs = list(data.as_numpy_iterator()) or [(np.zeros(0, np.int32), np.zeros(0, np.int64))]
    lengths, labels = (np.concatenate(values) for values in zip(*pairs, strict=True))
    places = np.zeros(len(lengths), RECORD)
    places["shard"], places["length"] = number, lengths
    ends = np.cumsum(lengths.astype(np.int64) + _BEFORE + _AFTER)
    places["offset"] = ends - lengths - _AFTER
    return places, labels


def _example(record, **features):
    """Scalar features of a serialized ``tf.train.Example``, by name."""
    return tf.io.parse_single_example(
        record, {name: tf.io.FixedLenFeature((), kind) for name, kind in features.items()}
    )
