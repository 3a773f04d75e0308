"""Datasets as ``tf.data`` batches. A training batch is a pure function of (seed, step): a run can start at any step.

All epochs form one endless stream of positions; position ``p`` is image ``p % n``, shuffled by (seed, ``p // n``), so
that every epoch shows each image exactly once and every batch is full. A picture that cannot be decoded is replaced by
the next one in the split that can be, label and all, whenever its turn comes.
"""

import numpy as np
import tensorflow as tf

from keras_classics.datasets import decoding, reading, windows
from keras_classics.errors import InputError
from keras_classics.runtime import cores, quiet

_ROUNDS = 4  # of the permutation cipher behind RandomIndexShuffle; its documented default
_CORES = cores()
_BATCHES_READ_AHEAD = 2  # at once, so that no core waits for the last picture of a batch
ALIGNMENT = 64  # bytes; TensorFlow takes an array aligned to that as it is

# Functions that branch by TensorFlow's own operations, which AutoGraph need not look for: that takes seconds.
_plain = tf.autograph.experimental.do_not_convert


def training_batches(
    split,
    *,
    batch,
    replicas,
    seed,
    first_step,
    prepare,
    draws,
    size,
    mine=None,
    crop=None,
    unreadable=None,
    asked=None,
):
    """Endless batches ``(float images, int64 labels)`` of ``batch / replicas`` images, replica after replica.

    Args:
        split: a ``datasets.Split``.
        batch: images a step, over all replicas.
        replicas: devices that share a step.
        seed: of order and augmentation.
        first_step: the step to start at, from 0.
        prepare: ``(uint8 images, draws) -> float images``; ``draws`` is ``(batch, k)`` uniform numbers in [0, 1).
            Without ``draws`` where there is ``asked``.
        draws: ``k``.
        size: side in pixels to which encoded pictures are brought (``windows.square``).
        mine: a ``range`` of the replicas whose shares are wanted; None for all.
        crop: side in pixels of the window that ``prepare`` would cut out of pictures of ``size`` at the place that the
            first two draws say (``corner_of``): it then gets pictures of this side, decoded or copied only there.
            Images in memory of another size than ``size`` come whole all the same.
        unreadable: an ``Unreadable`` that counts replaced pictures; None makes such a picture an error.
        asked: of images in memory, an ``asking.Asked``: its versions of them are shown in turn, and its answers follow
            the labels in each batch. None: the images themselves, other draws each time, and no answers.
    """
    share = batch // replicas
    mine = mine or range(replicas)
    count = len(split)

    def order(position):
        epoch = tf.cast(position // count, tf.int32)
        key = tf.stack([epoch, tf.fill(tf.shape(epoch), tf.constant(seed)), tf.zeros_like(epoch)], axis=-1)
        last = tf.fill(tf.shape(position), tf.constant(count - 1, tf.int64))
        return tf.raw_ops.RandomIndexShuffle(index=position % count, seed=key, max_index=last, rounds=_ROUNDS)

    def plan(turn):
        # Element e is the share of replica e % replicas in step e // replicas.
        element = turn // len(mine) * replicas + mine.start + turn % len(mine)
        positions = element * share + tf.range(share, dtype=tf.int64)
        rows = order(positions)
        if asked is not None:
            places = asked.places(rows, positions // count)
            return places, places
        step, replica = element // replicas, element % replicas
        # Drawn for the whole step and cut, so that one device or many see the same pictures.
        drawn = tf.random.stateless_uniform((batch, draws), seed=tf.stack([tf.constant(seed, tf.int64), step]))
        return rows, tf.reshape(drawn, (replicas, share, draws))[replica]

    def finish(images, labels, drawn):
        if asked is None:
            return prepare(images, drawn), labels
        return prepare(images), labels, asked.answers(drawn)

    turns = tf.data.Dataset.range(first_step * len(mine), tf.int64.max // batch)
    planned = turns.map(_plain(plan), num_parallel_calls=1, deterministic=True)
    loaded = _load(planned, split if asked is None else asked.split, size, crop, unreadable)
    finished = loaded.map(_plain(finish), num_parallel_calls=1, deterministic=True)
    return finished.prefetch(2).with_options(_options())


def evaluation_batches(split, *, batch, prepare, size, unreadable=None):
    """``(float images, int64 labels)`` in order, once; the last batch may be smaller."""
    rows = tf.data.Dataset.range(len(split))
    finished = _once(rows, split, batch, size, unreadable).map(_plain(_of_images(prepare)))
    return finished.prefetch(2).with_options(_options())


def epoch_batches(split, *, batch, prepare, size, seed):
    """As ``Split.batches``; ``seed`` is None where the images come in order."""
    rows = tf.data.Dataset.range(len(split))
    if seed is not None:
        rows = rows.shuffle(len(split), seed=seed, reshuffle_each_iteration=True)
    prepare = prepare or (lambda images: tf.cast(images, tf.float32))
    options = _options()
    if split.in_memory:
        options.threading.private_threadpool_size = 1  # threads that wait take time from those that compute
    return _once(rows, split, batch, size).map(_of_images(prepare)).prefetch(8).with_options(options)


def _once(rows, split, batch, size, unreadable=None):
    """Batches of the images of ``rows``, as they are: ``(images, labels, no draws)``."""
    planned = rows.batch(batch).map(_plain(lambda row: (row, tf.zeros((tf.size(row), 0)))))
    return _load(planned, split, size, None, unreadable)


def _of_images(prepare):
    return lambda images, labels, _: (prepare(images), labels)


def corner_of(draws, room):
    """Upper left corners of random windows, ``int32 (…, 2)``, from uniform draws ``(…, 2)``.

    ``room`` is by how many pixels the picture is larger than the window.
    """
    return tf.cast(tf.floor(draws * (tf.cast(room, tf.float32) + 1.0)), tf.int32)


def load_pictures(split, size):
    """All images of a (small) split as ``uint8 (n, size, size, channels)``; images in memory as they are.

    Raises:
        InputError: a picture cannot be read.
    """
    return reading.read_all(split, lambda source, name: decoding.square(source, size, name=name)).images


def encoded(split):
    """The encoded pictures of a split, in order, as a ``tf.data.Dataset`` of strings."""
    rows = tf.data.Dataset.range(len(split))
    read = rows.map(_plain(windows.reader(split)), num_parallel_calls=_CORES, deterministic=True)
    return read.with_options(_options())


def unreadable_rows(split):
    """Which of the pictures of a split cannot be decoded, as an array of their numbers."""
    if split.in_memory:
        return np.zeros(0, int)
    read = windows.reader(split)

    def readable(row):
        one = tf.data.Dataset.from_tensors(row)
        decoded = one.map(lambda row: tf.ensure_shape(windows.by_python(_decodes, read(row), tf.bool), ()))
        return decoded.ignore_errors().concatenate(tf.data.Dataset.from_tensors(False)).take(1).get_single_element()

    rows = tf.data.Dataset.range(len(split)).map(_plain(readable), num_parallel_calls=_CORES, deterministic=True)
    with quiet():  # libraries of picture formats complain on stderr of their own accord
        found = list(rows.batch(64).with_options(_options()).as_numpy_iterator())
    return np.flatnonzero(~np.concatenate(found)) if found else np.zeros(0, int)


def _decodes(content):
    try:
        return np.bool_(decoding.decode(content).size > 0)
    except InputError:
        return np.bool_(False)


def without_unreadable(split, unreadable):
    """The split without the pictures that cannot be decoded, to evaluate on.

    Raises:
        InputError: there are more of them than ``unreadable`` tolerates.
    """
    bad = unreadable_rows(split)
    unreadable.note([split.name_of(row) for row in bad], "it is left out")
    return split.take(np.delete(np.arange(len(split)), bad)) if len(bad) else split


def _load(planned, split, size, crop, unreadable):
    """Batches of (rows, draws) → (uint8 images, labels, draws)."""
    with tf.device("CPU:0"):  # outside any graph, so that no graph holds a copy
        labels = tf.constant(split.labels)
        images = _tensor(split.images) if split.in_memory else None
    count = len(split)
    if split.in_memory and not (crop and split.images.shape[1:3] == (size, size)):
        return planned.map(_plain(lambda rows, drawn: (tf.gather(images, rows), tf.gather(labels, rows), drawn)))
    one = _one_picture(split, images, size, crop)

    def the_next_readable(row, drawn):
        side = crop or size
        tries = min(count, unreadable.limit + 1)  # more in a row are not tolerated anyway
        # The decoder that every other part uses decides what cannot be read.
        others = tf.data.Dataset.range(row, row + tries)
        found = others.map(lambda other: one(other % count, drawn, fast=False)).ignore_errors()
        nothing = tf.zeros((side, side, 3), tf.uint8), tf.constant(-1, tf.int64)
        return found.concatenate(tf.data.Dataset.from_tensors(nothing)).take(1).get_single_element()

    def report(rows, used):
        return _report_replaced(split, unreadable, rows, used)

    def batch(rows, drawn):
        asked = tf.data.Dataset.from_tensor_slices((rows, drawn))
        size_of = tf.cast(tf.size(rows), tf.int64)
        loaded = asked.map(one, num_parallel_calls=_CORES, deterministic=True).batch(size_of)
        if unreadable is not None:
            # Picture by picture only when one of the batch fails: that costs a dataset each.
            again = asked.map(the_next_readable, num_parallel_calls=_CORES, deterministic=True).batch(size_of)
            loaded = loaded.ignore_errors().concatenate(again).take(1)
        pictures, used = loaded.get_single_element()
        if unreadable is not None:
            different = tf.reduce_any(used != rows)
            tf.cond(different, lambda: tf.numpy_function(report, [rows, used], tf.bool), lambda: False)
        pictures = tf.ensure_shape(pictures, (rows.shape[0], *pictures.shape[1:]))
        return pictures, tf.gather(labels, tf.maximum(used, 0)), drawn

    return planned.map(_plain(batch), num_parallel_calls=_BATCHES_READ_AHEAD, deterministic=True)


def _one_picture(split, images, size, crop):
    """A function of (row, draws, whether to decode the fast way) → (uint8 image, row)."""
    read = None if split.in_memory else windows.reader(split)

    def one(row, drawn, fast=True):
        if split.in_memory:
            top, left = tf.unstack(tf.cast(corner_of(drawn[:2], size - crop), tf.int64))
            return tf.slice(images, [row, top, left, 0], [1, crop, crop, split.images.shape[3]])[0], row
        content = read(row)
        if crop is None:
            return windows.square(content, size), row
        return windows.window(content, size, corner_of(drawn[:2], size - crop), crop, fast=fast), row

    return one


def _report_replaced(split, unreadable, rows, used):
    """Count and name the pictures of ``rows`` in whose place those of ``used`` (-1: none) were read."""
    count = len(split)
    for row, last in zip(rows, used, strict=True):
        skipped = (last - row) % count if last >= 0 else min(count, unreadable.limit + 1)
        names = [split.name_of((row + further) % count) for further in range(skipped)]
        unreadable.note(names, "the next one takes its place")
    if (used < 0).any():
        unreadable.give_up(f"cannot decode any of the {count} pictures, such as {split.name_of(0)}.")
    return np.zeros((), np.bool_)


def _tensor(array):
    """An array in memory as a tensor, without a copy where its alignment allows."""
    if array.flags.writeable and array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0:
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.constant(array)


def _options():
    options = tf.data.Options()
    # The autotuner's thread sleeps ever longer, and destroying an iterator waits for it: up to 20 s an epoch.
    options.autotune.enabled = False
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return options
