"""Trained networks asked once, before training, what they say of some distorted versions of each training picture.

Asking about each batch as it is trained on costs what those networks cost, every epoch; of networks that are much
larger than the one that learns, that is most of the time.
"""

import hashlib
import time

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from keras_classics import runtime
from keras_classics.datasets import disk_cache
from keras_classics.datasets.dataset import Split
from keras_classics.errors import InputError

_DISTORTIONS = 8192  # different ones, which the versions of all pictures take in turn
_SEED = 2015  # of these, whatever the run's: runs from several seeds ask once
_BATCH = 256  # pictures
_SECONDS_A_LINE = 30
_SMALLEST = 1e-7  # probability that is told from smaller ones


class Asked:
    """Versions of training pictures and what was said of them; version ``v`` of picture ``row`` is a place.

    Args:
        split: the versions, a ``Split`` of pixels: those of one picture after another.
        logarithms: of probabilities, ``float32 (pictures · versions, classes)``.
        versions: of each picture.
    """

    def __init__(self, split, logarithms, versions):
        self.split, self._versions = split, versions
        with tf.device("CPU:0"), tf.init_scope():  # outside any graph, so that no graph holds a copy
            self._logarithms = tf.constant(logarithms)

    def places(self, rows, epochs):
        """``int64`` places of the versions that pictures ``rows`` are shown in, in epochs ``epochs`` (both int64)."""
        return rows * self._versions + (rows + epochs) % self._versions

    def answers(self, places):
        """What was said of them: probabilities, ``float32 (n, classes)``."""
        return tf.exp(tf.gather(self._logarithms, places))


def ask(teacher, batches, lanes=1):
    """The ``Asked`` of a training split; what was said comes from the cache of ``disk_cache`` if it was asked before.

    Args:
        teacher: a ``keras.Model`` with probabilities as output.
        batches: the ``Batches`` of the training split, whose images are in memory; its recipe says how many versions.
        lanes: parts of a batch that go through the network side by side.

    Raises:
        InputError: the images are not in memory, or the versions would not fit there.
    """
    versions = _versions(batches)
    digest = hashlib.sha256(repr(tuple(_layers(teacher))).encode())
    versions.update(digest)
    for weights in teacher.get_weights():
        digest.update(weights.tobytes())
    preprocessed = batches.preprocessed
    saved = disk_cache.arrays("answers", digest.digest(), lambda: _said(teacher, versions, preprocessed, lanes))
    return Asked(versions, saved["logarithms"], batches.recipe.versions)


def _layers(model):
    """Kind and activation of each layer: what, beside its weights, a network is, whatever its layers are called."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        else:
            yield type(layer).__name__, str(layer.get_config().get("activation"))


def _versions(batches):
    """The ``Split`` of all versions, as ``Asked`` takes it: pixels 0–255 of the side that the network takes."""
    split, each = batches.dataset.train, batches.recipe.versions
    if not split.in_memory:
        raise InputError("versions goes with images in memory, as datasets of digits are.")
    count = len(split) * each
    shape = (count, batches.size, batches.size, split.images.shape[-1])
    needed, there = np.prod(shape, dtype=float), runtime.memory()
    if needed > there / 2:
        raise InputError(
            f"{each:,} versions of each of {len(split):,} pictures would take {needed / 1e9:,.1f} GB of this "
            f"machine's {there / 1e9:,.1f} GB of memory; at most half is used."
        )
    pixels, varied = np.empty(shape, np.uint8), batches.varied_pixels()
    with tf.device("CPU:0"):
        images = tf.constant(split.images)
    draws = tf.random.stateless_uniform((_DISTORTIONS, batches.draws), seed=(_SEED, 0))
    for places in _shares(count, f"Making {each} versions of each of {len(split):,} training pictures", "made"):
        made = varied(tf.gather(images, places // each), tf.gather(draws, places % _DISTORTIONS))
        pixels[places] = tf.saturate_cast(tf.round(made), tf.uint8)
    return Split(pixels, np.repeat(split.labels, each))


def _said(teacher, versions, preprocessed, lanes):
    """Logarithms of probabilities, as ``Asked`` takes them."""

    @tf.function(autograph=False)
    def say(pictures):
        pictures = preprocessed(pictures)
        parts = tf.split(pictures, [len(part) for part in np.array_split(np.arange(pictures.shape[0]), lanes)])
        answers = tf.concat([teacher(part, training=False) for part in parts], axis=0)
        return tf.math.log(tf.maximum(tf.cast(answers, tf.float32), _SMALLEST))

    shares = _shares(len(versions), "Asking what they say of these, once", "asked")
    return {"logarithms": np.concatenate([say(tf.constant(versions.images[places])) for places in shares])}


def _shares(count, doing, done):
    """Numbers from 0 to ``count`` - 1, ``_BATCH`` at a time; says how far it is."""
    print(f"{doing} …", flush=True)
    told, shares = time.monotonic(), np.split(np.arange(count), range(_BATCH, count, _BATCH))
    with tqdm(shares, unit=f" × {_BATCH} pictures", disable=None, leave=False) as bar:
        for number, share in enumerate(bar):
            yield share
            if bar.disable and time.monotonic() - told > _SECONDS_A_LINE:  # no terminal
                told = time.monotonic()
                print(f"{done}: {(number + 1) / len(shares):.0%}", flush=True)
