"""Trained networks asked once, before training, what they say of some distorted versions of each training picture.

Asking about each batch as it is trained on costs what those networks cost, every epoch; of networks that are much
larger than the one that learns, that is most of the time.
"""

import hashlib
import time

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from keras_classics.datasets import disk_cache
from keras_classics.errors import InputError

_DISTORTIONS = 8192  # different ones, which the versions of all pictures take in turn
_SEED = 2015  # of these, whatever the run's: runs from several seeds ask once
_BATCH = 256  # pictures
_SECONDS_A_LINE = 30
_SMALLEST = 1e-7  # probability that is told from smaller ones


class Asked:
    """Versions of training pictures and what was said of them; version ``v`` of picture ``row`` is a place.

    Args:
        draws: uniform numbers, ``float32 (distortions, k)``, as an augmentation takes them.
        logarithms: of probabilities, ``float32 (pictures · versions, classes)``, by picture and then version.
        versions: of each picture.
    """

    def __init__(self, draws, logarithms, versions):
        self._versions = versions
        with tf.device("CPU:0"), tf.init_scope():  # outside any graph, so that no graph holds a copy
            self._draws, self._logarithms = tf.constant(draws), tf.constant(logarithms)

    def places(self, rows, epochs):
        """``int64`` places of the versions that pictures ``rows`` are shown in, in epochs ``epochs`` (both int64)."""
        return rows * self._versions + (rows + epochs) % self._versions

    def draws(self, places):
        """The uniform numbers, ``float32 (n, k)``, that those versions are made with."""
        return tf.gather(self._draws, places % len(self._draws))

    def answers(self, places):
        """What was said of them: probabilities, ``float32 (n, classes)``."""
        return tf.exp(tf.gather(self._logarithms, places))


def ask(teacher, batches, lanes=1):
    """The ``Asked`` of a training split, from the cache of ``disk_cache`` if it has been asked before.

    Args:
        teacher: a ``keras.Model`` with probabilities as output.
        batches: the ``Batches`` of the training split, whose images are in memory; its recipe says how many versions.
        lanes: parts of a batch that go through the network side by side.

    Raises:
        InputError: the images are not in memory.
    """
    split, recipe, versions = batches.dataset.train, batches.recipe, batches.recipe.versions
    if not split.in_memory:
        raise InputError("versions goes with images in memory, as datasets of digits are.")
    draws = tf.random.stateless_uniform((_DISTORTIONS, batches.draws), seed=(_SEED, 0)).numpy()
    facts = (versions, recipe.augmentation, recipe.distortion, batches.size, _DISTORTIONS, _SEED)
    digest = hashlib.sha256(repr((*facts, *_layers(teacher))).encode())
    split.update(digest)
    for weights in teacher.get_weights():
        digest.update(weights.tobytes())
    saved = disk_cache.arrays("answers", digest.digest(), lambda: _said(teacher, batches, draws, lanes))
    return Asked(draws, saved["logarithms"], versions)


def _layers(model):
    """Kind and activation of each layer: what, beside its weights, a network is, whatever its layers are called."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        else:
            yield type(layer).__name__, str(layer.get_config().get("activation"))


def _said(teacher, batches, draws, lanes):
    """Logarithms of probabilities, as ``Asked`` takes them."""
    split, varied, versions = batches.dataset.train, batches.varied(), batches.recipe.versions
    with tf.device("CPU:0"):
        images, table = tf.constant(split.images), tf.constant(draws)

    @tf.function(autograph=False)
    def say(places):
        pictures = varied(tf.gather(images, places // versions), tf.gather(table, places % _DISTORTIONS))
        parts = tf.split(pictures, [len(part) for part in np.array_split(np.arange(places.shape[0]), lanes)])
        answers = tf.concat([teacher(part, training=False) for part in parts], axis=0)
        return tf.math.log(tf.maximum(tf.cast(answers, tf.float32), _SMALLEST))

    places = np.arange(len(split) * versions)
    shares = np.split(places, range(_BATCH, len(places), _BATCH))
    print(f"Asking about {versions} versions of each of {len(split):,} training pictures, once …", flush=True)
    said, bar = [], tqdm(shares, unit=f" × {_BATCH} pictures", disable=None, leave=False)
    told = time.monotonic()
    for part in bar:
        said.append(say(tf.constant(part)).numpy())
        if bar.disable and time.monotonic() - told > _SECONDS_A_LINE:  # no terminal
            told = time.monotonic()
            print(f"asked about {len(said) / len(shares):.0%}", flush=True)
    return {"logarithms": np.concatenate(said)}
