"""``RunSettings``: all that a training run is to know beside its network, data, recipe and devices."""

import dataclasses
import pathlib
from typing import Any

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
STRATEGIES = ("auto", "one", "mirrored", "multiworker")


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """What is trained and how a run goes about it; ``run.train_network`` takes one."""

    name: str  # of the files: NAME.keras, NAME_history.json, NAME_report.md and others
    title: str  # display name of the network
    preprocessing: Any  # the network's ``Preprocessing``, applied after augmentation
    size: int  # side of the network's input in pixels
    # Where to write; the folder exists. Over several machines the chief writes there, and all read checkpoints there.
    folder: pathlib.Path
    lanes: int = 1  # parts of a device's batch that are computed side by side, at most; see ``trainer.Trainer``
    # Stop after so many steps; None: all epochs of the recipe. A run of less than an epoch is evaluated on 1,000 images
    # of each split.
    steps: int | None = None
    checkpoint_minutes: float = 5.0  # minutes between two checkpoints
    checkpoint_steps: int | None = None  # and steps between two; None: minutes alone count
    keep: int = 2  # how many checkpoints are kept
    fresh: bool = False  # discard an unfinished run in the folder
    precision: str = "float32"  # a name in ``PRECISIONS``
    deterministic: bool = False  # the same bits from the same seed, at some cost in speed
    tensorboard: bool = False  # write NAME_tensorboard/ while training
    cache_mb: float = 0.0  # memory for pictures that are not pixels yet, in 10^6 bytes
    distil: tuple = ()  # paths of the networks that are learned from beside the labels
    max_bad: int = 0  # undecodable pictures that are tolerated: replaced in training, left out of evaluation

    @property
    def checkpoint_folder(self):
        """The folder of the state of an unfinished run."""
        return self.folder / f"{self.name}_checkpoints"

    @property
    def logs_folder(self):
        """The folder of logs for TensorBoard."""
        return self.folder / f"{self.name}_tensorboard"
