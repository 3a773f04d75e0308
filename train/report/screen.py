"""What a run prints before training and after testing."""

import numpy as np

from keras_classics.datasets import FOLDER, IDX
from train.engine import devices
from train.report.plain_text import visible

_CLASSES_SHOWN = 10


def introduce(trainer, title, steps, held, dataset):
    """Print what is trained, on which data, and by which recipe.

    Args:
        trainer: a ``Trainer``.
        title: display name of the network.
        steps: how many the run has.
        held: where the training pictures lie, as ``preparation.prepared`` describes it.
        dataset: the ``datasets.Dataset`` before its preparation.
    """
    recipe, replicas = trainer.recipe, trainer.replicas
    images = len(trainer.dataset.train)
    shares = f" ({recipe.batch_size // replicas} a device)" if replicas > 1 else ""
    print(f"{title}: {trainer.model.count_params():,} parameters, on {devices.describe(trainer.strategy)}")
    print(f"Data: {trainer.dataset}" + (f"; training pictures {held}" if held else ""))
    if dataset.name.startswith((FOLDER, IDX)):
        print(f"Classes (train/validation/test): {_classes(dataset)}")
    print(
        f"Recipe: {recipe.optimizer}, learning rate {recipe.learning_rate:g}, batches of {recipe.batch_size}{shares}, "
        f"{recipe.epochs_for(images)} epochs = {trainer.total_steps:,} steps, seed {recipe.seed}"
        + (f"; stopping after {steps:,} steps" if steps < trainer.total_steps else ""),
        flush=True,
    )


def _classes(dataset):
    """The first classes of a dataset, and how many images each has in the three splits."""
    splits = (dataset.train, dataset.validation, dataset.test)
    counts = np.stack([np.bincount(split.labels, minlength=len(dataset.class_names)) for split in splits], axis=1)
    shown = [
        f"{visible(name)} {'/'.join(f'{count:,}' for count in row)}"
        for name, row in zip(dataset.class_names, counts[:_CLASSES_SHOWN], strict=False)
    ]
    more = len(dataset.class_names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more classes" if more else "")


def show_test(record):
    """Print how the test went, as the history file ``record`` has it."""
    test, crops = record["test"], record["recipe"]["test_crops"]
    low, high = test["interval_95"]
    each = {1: "", 2: ", each with its mirror image"}.get(crops, f", {crops} crops each")
    top5 = f", {test['top5']:.2%} top-5" if test["top5"] is not None else ""
    print(
        f"Test: {test['accuracy']:.2%} of {test['images']:,} images right{each} (95 % interval {low:.2%} to {high:.2%})"
        f"{top5}; {sum(row['seconds'] for row in record['training']):.0f} s of training"
    )
