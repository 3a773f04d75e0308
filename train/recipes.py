"""Recipes: every number of a training run, with its source."""

import dataclasses
import math

from keras_classics.errors import InputError

_LARGE = 2**31 - 1
_ALLOWED = {  # names, or the smallest and the largest number
    "batch_size": (1, _LARGE),
    "epochs": (1, _LARGE),
    "optimizer": {"adamw", "sgd"},
    "learning_rate": (1e-30, 3.4e38),
    "weight_decay": (0.0, 1e6),
    "warmup": (0.0, 1.0),
    "augmentation": {"digits", "elastic_digits", "photographs", "small_photographs"},
    "loss": {"cross_entropy", "maximum_a_posteriori"},
    "min_images": (0, _LARGE),
    "momentum": (0.0, 1.0),
    "seed": (0, _LARGE),
}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a network is trained. The rate rises linearly over the warm-up, then falls to 0 along a half cosine.

    Raises:
        InputError: a field has a value that it cannot have.
    """

    batch_size: int  # images a step, over all devices
    epochs: int
    optimizer: str  # "adamw" or "sgd" (with momentum)
    learning_rate: float  # the highest of the schedule
    weight_decay: float  # a step, times the learning rate (decoupled)
    warmup: float  # share of all steps
    augmentation: str  # a name in ``augment.AUGMENTATIONS``
    loss: str = "cross_entropy"  # a name in ``losses.LOSSES``
    min_images: int = 0  # small datasets are repeated until this many images have been seen
    momentum: float = 0.0  # of "sgd"
    seed: int = 0

    def __post_init__(self):
        for name, allowed in _ALLOWED.items():
            value = getattr(self, name)
            if isinstance(allowed, tuple):
                low, high = allowed
                # Written so that NaN is refused.
                if not low <= value <= high:
                    raise InputError(f"{name} is {value}; expected {low:g} to {high:g}.")
            elif value not in allowed:
                raise InputError(f"{name} is {value!r}; expected {' or '.join(sorted(allowed))}.")

    def epochs_for(self, images):
        """Epochs over a training split of ``images``."""
        return max(self.epochs, math.ceil(self.min_images / images))

    def steps_for(self, images):
        """Steps in which all epochs have been seen; the last batch runs into the next epoch."""
        return math.ceil(self.epochs_for(images) * images / self.batch_size)


# "default" is ours, for the impatient; rate and schedule are a first guess that was not tuned. The paper took 20 passes
# (section III.B). "best" shows four times as many and more varied digits.
_DEFAULT = Recipe(
    batch_size=128,
    epochs=10,
    optimizer="adamw",
    learning_rate=4e-3,
    weight_decay=0.01,
    warmup=0.15,
    augmentation="digits",
    min_images=400_000,
)

LENET5 = {
    "default": _DEFAULT,
    "best": dataclasses.replace(_DEFAULT, epochs=40, augmentation="elastic_digits", min_images=2_000_000),
}

# One for each variant of AlexNet. Batch, momentum and decay: section 5 of Krizhevsky et al., 2012; one half cosine
# stands where the authors divided the rate by 10 by hand. Crop and mirror: section 4.1. "cifar10" is ours.
_ALEXNET = Recipe(
    batch_size=128,
    epochs=90,
    optimizer="sgd",
    learning_rate=0.01,
    weight_decay=5e-4,
    warmup=0.0,
    augmentation="photographs",
    momentum=0.9,
)

ALEXNET = {
    "paper": _ALEXNET,
    "single_tower": _ALEXNET,
    "caffe": _ALEXNET,
    "torchvision": _ALEXNET,
    "cifar10": dataclasses.replace(
        _ALEXNET, epochs=30, learning_rate=0.02, warmup=0.01, augmentation="small_photographs"
    ),
}
