"""A dataset prepared for a run: undecodable pictures left out, few images for a short run, pictures in memory."""

import dataclasses
import sys

import numpy as np

from keras_classics.datasets import memory_cache, pipeline
from keras_classics.datasets.augment import AUGMENTATIONS

_IMAGES_A_SHORT_RUN = 1_000  # images of a split that a run of less than an epoch is evaluated on


def prepared(dataset, recipe, settings, steps, unreadable):
    """A dataset as a run of ``steps`` reads it.

    Args:
        dataset: a ``datasets.Dataset``.
        recipe: a ``recipes.Recipe``.
        settings: a ``RunSettings``.
        steps: how many the run has.
        unreadable: an ``Unreadable`` that counts undecodable pictures; evaluation leaves them out.

    Returns:
        The dataset, and a description of where its training pictures lie: None where they are pixels in memory.

    Raises:
        InputError: more pictures than tolerated are undecodable.
    """
    if steps * recipe.batch_size < len(dataset.train):
        dataset = dataclasses.replace(dataset, validation=_sample(dataset.validation), test=_sample(dataset.test))
    # Better found before training than after.
    if count := sum(len(split) for split in (dataset.validation, dataset.test) if not split.in_memory):
        print(f"Decoding the {count:,} pictures to evaluate on, to find bad ones …", file=sys.stderr, flush=True)
    validation, test = (pipeline.without_unreadable(split, unreadable) for split in (dataset.validation, dataset.test))
    dataset = dataclasses.replace(dataset, validation=validation, test=test)
    if dataset.train.in_memory:
        return dataset, None
    if steps * recipe.batch_size <= len(dataset.train):
        return dataset, "read from disk, once"
    load_size, budget = AUGMENTATIONS[recipe.augmentation].load_size(settings.size), int(settings.cache_mb * 1e6)
    train, how, taken = memory_cache.hold(dataset.train, load_size, budget, unreadable)
    validation, _, _ = memory_cache.hold(dataset.validation, load_size, budget - taken, unreadable)
    return dataclasses.replace(dataset, train=train, validation=validation), how


def _sample(split):
    """Evenly spaced images of a split: at most ``_IMAGES_A_SHORT_RUN``."""
    count = min(len(split), _IMAGES_A_SHORT_RUN)
    return split.take(np.linspace(0, len(split) - 1, count).astype(int))
