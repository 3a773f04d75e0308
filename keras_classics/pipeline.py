"""Datasets as ``tf.data`` batches. A training batch is a pure function of (seed, step): a run can start at any step.

All epochs form one endless stream of positions; position ``p`` is image ``p % n``, shuffled by (seed, ``p // n``), so
that every epoch shows each image exactly once and every batch is full.
"""

import os

import tensorflow as tf

from keras_classics.runtime import quiet

_ROUNDS = 4  # of the permutation cipher behind RandomIndexShuffle; its documented default
_CORES = os.cpu_count() or 1


def training_batches(split, *, batch, replicas, seed, first_step, prepare, draws, size, mine=None):
    """Endless batches ``(float images, int64 labels)`` of ``batch / replicas`` images, replica after replica.

    Args:
        split: a ``datasets.Split``.
        batch: images a step, over all replicas.
        replicas: devices that share a step.
        seed: of order and augmentation.
        first_step: the step to start at, from 0.
        prepare: ``(uint8 images, draws) -> float images``; ``draws`` is ``(batch, k)`` uniform numbers in [0, 1).
        draws: ``k``.
        size: side in pixels to which pictures read from files are brought (``read_picture``).
        mine: a ``range`` of the replicas whose shares are wanted; None for all.
    """
    share = batch // replicas
    mine = mine or range(replicas)
    images, labels = _tables(split)
    count = len(split)

    def order(position):
        epoch = tf.cast(position // count, tf.int32)
        key = tf.stack([epoch, tf.fill(tf.shape(epoch), tf.constant(seed)), tf.zeros_like(epoch)], axis=-1)
        last = tf.fill(tf.shape(position), tf.constant(count - 1, tf.int64))
        return tf.raw_ops.RandomIndexShuffle(index=position % count, seed=key, max_index=last, rounds=_ROUNDS)

    def pick(element):
        return order(element * share + tf.range(share, dtype=tf.int64))

    # Element e is the share of replica e % replicas in step e // replicas.
    turns = tf.data.Dataset.range(first_step * len(mine), tf.int64.max // batch)
    elements = turns.map(lambda turn: turn // len(mine) * replicas + mine.start + turn % len(mine))
    chosen = elements.map(pick, num_parallel_calls=1, deterministic=True)
    if split.in_memory:
        pictures = chosen.map(lambda rows: (tf.gather(images, rows), tf.gather(labels, rows)))
    else:
        pictures = (
            chosen.unbatch()
            .map(lambda row: (read_picture(images[row], size), labels[row]), num_parallel_calls=_CORES)
            .batch(share, drop_remainder=True)
        )

    def finish(element, picture):
        step, replica = element // replicas, element % replicas
        # Drawn for the whole step and cut, so that one device or many see the same pictures.
        drawn = tf.random.stateless_uniform((batch, draws), seed=tf.stack([tf.constant(seed, tf.int64), step]))
        mine = tf.reshape(drawn, (replicas, share, draws))[replica]
        return prepare(picture[0], mine), picture[1]

    both = tf.data.Dataset.zip((elements, pictures))
    return both.map(finish, num_parallel_calls=1, deterministic=True).prefetch(2).with_options(_options())


def evaluation_batches(split, *, batch, prepare, size):
    """``(float images, int64 labels)`` in order, once; the last batch may be smaller."""
    images, labels = _tables(split)
    rows = tf.data.Dataset.range(len(split))
    if split.in_memory:
        pictures = rows.batch(batch).map(lambda row: (tf.gather(images, row), tf.gather(labels, row)))
    else:
        read = rows.map(lambda row: (read_picture(images[row], size), labels[row]), num_parallel_calls=_CORES)
        pictures = read.batch(batch)
    return pictures.map(lambda image, label: (prepare(image), label)).prefetch(2).with_options(_options())


def read_picture(path, size):
    """A picture file as ``uint8 (size, size, 3)``: its middle square, scaled.

    That is section 2 of the AlexNet paper, which scales the shorter side first and then cuts, at less cost.
    """
    picture = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
    sides = tf.shape(picture)[:2]
    side = tf.reduce_min(sides)
    top, left = tf.unstack((sides - side) // 2)
    resized = tf.image.resize(picture[top : top + side, left : left + side], (size, size), antialias=True)
    return tf.ensure_shape(tf.cast(tf.clip_by_value(tf.math.round(resized), 0, 255), tf.uint8), (size, size, 3))


def unreadable_pictures(split):
    """Paths of the picture files of a split that TensorFlow cannot decode."""
    bad = []
    with quiet():  # the JPEG library complains on stderr of its own accord
        for path in () if split.in_memory else split.images:
            try:
                tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
            except tf.errors.OpError:
                bad.append(str(path))
    return bad


def _tables(split):
    """Images (or paths) and labels as constants outside any graph, so that no graph holds a copy."""
    with tf.device("CPU:0"):
        return tf.constant(split.images), tf.constant(split.labels)


def _options():
    options = tf.data.Options()
    # The autotuner's thread sleeps ever longer, and destroying an iterator waits for it: up to 20 s an epoch.
    options.autotune.enabled = False
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return options
