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
    "schedule": {"cosine", "steps", "plateau"},
    "warmup": (0.0, 1.0),
    "patience": (1, _LARGE),
    "mean": {"channel", "pixel"},
    "augmentation": {
        *("none", "digits", "elastic_digits"),
        *("photographs", "small_photographs", "small_photographs_hidden"),
    },
    "distortion": (0.0, 1.0),
    "colour_noise": (0.0, 10.0),
    "loss": {"cross_entropy", "cross_entropy_or_none", "maximum_a_posteriori"},
    "label_smoothing": (0.0, 0.999),
    "distil": (0.0, 1.0),
    "temperature": (0.01, 1000.0),
    "versions": (0, 10_000),
    "ema": (0.0, 0.9999999),
    "prune_convolutions": (0.0, 0.999),
    "prune_dense": (0.0, 0.999),
    "clusters": (0, 256),
    "test_crops": {1, 2, 10},
    "min_images": (0, _LARGE),
    "momentum": (0.0, 1.0),
    "seed": (0, _LARGE),
}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Raises:
        InputError: a field has a value that it cannot have.
    """

    batch_size: int  # images a step, over all devices
    epochs: int
    optimizer: str  # "adamw", or "sgd": with momentum, as ``keras_classics.optimizers.MomentumSGD``
    learning_rate: float  # the highest of the schedule
    weight_decay: float  # a step, times the learning rate
    # "cosine": up over the warm-up, then down to 0 along a half cosine; "steps": ``rate_steps``; "plateau": divided by
    # 10 when the validation error has not fallen for ``patience`` epochs, three times at most.
    schedule: str = "cosine"
    warmup: float = 0.0  # share of all steps
    rate_steps: str = ""  # EPOCHS:FACTOR,… of the learning rate
    patience: int = 1  # epochs
    mean: str = "channel"  # what is subtracted: the network's "channel" means, or the training split's of each "pixel"
    augmentation: str = "none"  # a name in ``augment.AUGMENTATIONS``
    distortion: float = 1.0  # how far pictures are varied, as a share of the farthest that the augmentation goes
    colour_noise: float = 0.0  # standard deviation along the principal components of the training pixels' colours
    loss: str = "cross_entropy"  # a name in ``losses.LOSSES``
    label_smoothing: float = 0.0  # share of the target spread over all classes
    # Of ``--distil``: the share of the loss that trained networks' answers have, beside labels, and how soft their
    # probabilities are made. Assumption: Hinton et al. (2015) found a low weight of the labels best; both are a first
    # guess.
    distil: float = 0.8
    temperature: float = 2.0
    # How many distorted versions of each training picture those networks are asked about, once, before the first step;
    # training then shows these versions and no others. 0: they are asked about each batch, as it is trained on.
    versions: int = 0
    ema: float = (
        0.0  # decay a step of the moving average of weights that is tested and saved; 0: the weights themselves
    )
    # Share of the weights that are set to 0 before the first step and stay so, the smallest ones; and how many
    # different values a layer's weights get after the last step (0: as many as there are). Not in the first and the
    # last layer.
    prune_convolutions: float = 0.0
    prune_dense: float = 0.0
    clusters: int = 0
    test_crops: int = 1  # 10: corners and centre, and their mirror images, averaged; 2: centre and mirror image
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
                raise InputError(f"{name} is {value!r}; expected {' or '.join(sorted(map(str, allowed)))}.")
        if self.schedule == "steps":
            try:
                rate_steps(self.rate_steps)
            except ValueError as error:
                raise InputError(
                    f"rate_steps is {self.rate_steps!r}; expected EPOCHS:FACTOR,… as 2:1,3:0.4."
                ) from error

    def epochs_for(self, images):
        """Epochs over a training split of ``images``."""
        return max(self.epochs, math.ceil(self.min_images / images))

    def steps_for(self, images):
        """Steps in which all epochs have been seen; the last batch runs into the next epoch."""
        return math.ceil(self.epochs_for(images) * images / self.batch_size)


def rate_steps(text):
    """``"2:1,3:0.4"`` as pairs of epochs and the factor of the learning rate in them, ``[(2, 1.0), (3, 0.4)]``.

    Raises:
        ValueError: it is not of that form, with positive numbers.
    """
    pairs = [(int(epochs), float(factor)) for epochs, factor in (part.split(":") for part in text.split(","))]
    if not all(epochs > 0 and 0 < factor < float("inf") for epochs, factor in pairs):
        raise ValueError(text)
    return pairs


# "default" is ours, meant to be quick; rate and schedule are a first guess that was not tuned. The paper took 20 passes
# (section III.B). "best" shows four times as many and more varied digits. "quick" is meant to reach 98.5 % soonest; of
# thirteen rates, batches and lengths it was the best on MNIST's validation digits (two seeds each).
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

# Section III.B of LeCun et al., 1998: "twenty passes", plain stochastic gradient, no distortions at first; rates of
# 0.0005 for two passes, 0.0002 for three, 0.0001 for three, 0.00005 for four, then 0.00001.
# Assumptions: the paper divides these by a second derivative of each weight, estimated anew before each pass (appendix
# C), which makes rates of "7e-5 to 0.016"; one rate between them for all weights stands here, and batches of
# 16 take the place of single digits. (From 0.016 the network learns nothing for two passes.)
_1998 = Recipe(
    batch_size=16,
    epochs=20,
    optimizer="sgd",
    learning_rate=0.002,
    weight_decay=0.0,
    schedule="steps",
    rate_steps="2:1,3:0.4,3:0.2,4:0.1,8:0.02",
    loss="maximum_a_posteriori",
)

_BEST = dataclasses.replace(_DEFAULT, epochs=40, augmentation="elastic_digits", min_images=2_000_000)

LENET5 = {
    "default": _DEFAULT,
    "quick": dataclasses.replace(_DEFAULT, batch_size=64, epochs=3, augmentation="none", min_images=150_000),
    "best": _BEST,
    # With --distil, of networks that know more (``TEACHER``). Ours: temperature, share and rate are the best of those
    # tried for 40 epochs on training digits that were left out; length and decay follow one longer run with others
    # (docs/training.md). Not tuned together.
    "distilled": dataclasses.replace(
        _BEST,
        epochs=100,
        min_images=5_000_000,
        learning_rate=8e-3,
        weight_decay=0.05,
        distil=1.0,
        temperature=4.0,
        versions=16,
        distortion=0.75,
    ),
    "1998": _1998,
    # Digits as photographs show them and as other hands draw them, and what is no digit (``train.photographs``).
    "photographs": dataclasses.replace(
        _DEFAULT, epochs=18, augmentation="elastic_digits", loss="cross_entropy_or_none", min_images=1_000_000
    ),
}

# Of ``train.teacher``; a first guess that was not tuned.
TEACHER = dataclasses.replace(_BEST, epochs=12, min_images=500_000, weight_decay=0.02, distortion=0.6)

# Krizhevsky et al., 2012. Section 2: the mean of each pixel subtracted. Section 5: batch, momentum, decay, rate, when
# it is divided, "roughly 90 cycles". Section 4.1: crops and mirror images, colour noise of 0.1, ten crops to test with.
_ALEXNET = Recipe(
    batch_size=128,
    epochs=90,
    optimizer="sgd",
    learning_rate=0.01,
    weight_decay=5e-4,
    momentum=0.9,
    schedule="plateau",
    # Assumption: the authors divided the rate by hand, "when the validation error rate stopped improving"; so many
    # epochs without a new least error count as that.
    patience=5,
    mean="pixel",
    augmentation="photographs",
    colour_noise=0.1,
    test_crops=10,
)

# Ours, for the variant "cifar10": crops of padded pictures and mirror images.
_CIFAR10 = dataclasses.replace(
    _ALEXNET,
    epochs=30,
    learning_rate=0.02,
    schedule="cosine",
    warmup=0.01,
    mean="channel",
    augmentation="small_photographs",
    colour_noise=0.0,
    test_crops=1,
)

# Ours, for the variant of that name; epochs, rate and smoothing are a first guess that was not tuned.
_CIFAR10_BATCHNORM = dataclasses.replace(_CIFAR10, epochs=24, learning_rate=0.05, warmup=0.05, label_smoothing=0.1)

ALEXNET = {
    "paper": _ALEXNET,
    # The same network and data with what became usual later: a warm-up (Goyal et al., 2017), half a cosine (Loshchilov
    # and Hutter, 2017), smoothed labels (Szegedy et al., 2016); --set ema=0.9999 tests and saves averaged weights.
    "modern": dataclasses.replace(
        _ALEXNET, schedule="cosine", warmup=0.05, mean="channel", label_smoothing=0.1, test_crops=1
    ),
    "cifar10": _CIFAR10,
    "cifar10_batchnorm": _CIFAR10_BATCHNORM,
    # The same. A network like it with fewer maps erred less on validation pictures, after five epochs, at this than
    # at a third of this rate.
    "cifar10_convolutional": dataclasses.replace(
        _CIFAR10_BATCHNORM, epochs=22, learning_rate=0.15, augmentation="small_photographs_hidden"
    ),
    # Of a trained network of one of these, for a small file; a first guess too.
    "pruned": dataclasses.replace(
        _CIFAR10,
        epochs=5,
        learning_rate=0.005,
        warmup=0.0,
        prune_convolutions=0.65,
        prune_dense=0.98,
        clusters=32,
    ),
}
