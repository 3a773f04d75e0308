"""The variants of AlexNet: for each a row of numbers, with its source; ``alexnet.AlexNet`` builds them all."""

import dataclasses

from keras_classics import checks
from keras_classics.preprocessing import Preprocessing


@dataclasses.dataclass(frozen=True)
class Variant:
    """The numbers of one AlexNet; where a field has five entries they are for conv1 … conv5."""

    image_size: int  # pixels
    filters: tuple[int, ...]
    kernels: tuple[int, ...]
    stride: int  # of conv1
    padding: tuple[int, int]  # pixels before and after, around the input of conv1
    groups: tuple[int, ...]  # 2: the towers of section 3.5 do not see each other's maps
    # Arguments of LocalResponseNormalization after conv1 and conv2, or None. Section 3.3 sums over "the total number of
    # kernels in the layer", so both towers' maps are neighbours here.
    lrn: dict | None
    pool: int  # size of the max pooling windows; their stride is 2
    preprocessing: Preprocessing
    classes: int
    # Initialisation: "gaussian" of section 5, "he" for deep ReLU networks, "torch" (PyTorch's default).
    initialisation: str = "gaussian"
    positive_bias: float = 1.0  # of conv2, conv4, conv5, fc6 and fc7 in "gaussian"
    dense_stddev: float = 0.01  # of fc6 and fc7 in "gaussian"
    dropout: str = "after"  # "after" fc6 and fc7, or "before" them
    pooled_size: int | None = None  # side of the maps that fc6 takes, whatever the image's; None: as they come
    dense: int = 4096  # units of fc6 and of fc7; 0: neither of them, and fc8 takes the largest value of each map
    # Whether batches are normalized after each convolution and the pooling that follows it, before the ReLU (Ioffe and
    # Szegedy, 2015, section 3.2), in place of a bias.
    batch_norm: bool = False
    pools_after: tuple[int, ...] = (1, 2, 5)  # numbers of the convolutions that max pooling follows

    def __post_init__(self):
        for name, low in {"image_size": 1, "stride": 1, "pool": 1, "classes": 1, "pooled_size": 1, "dense": 0}.items():
            if getattr(self, name) is not None:
                object.__setattr__(self, name, checks.whole_number(name, getattr(self, name), low))
        for name, count, low in (("filters", 5, 1), ("kernels", 5, 1), ("padding", 2, 0), ("groups", 5, 1)):
            object.__setattr__(self, name, checks.whole_numbers(name, getattr(self, name), count, low))
        pools = self.pools_after
        if not isinstance(pools, (tuple, list)) or any(number not in range(1, 6) for number in pools):
            raise ValueError(f"pools_after is {pools!r}; expected numbers from 1 to 5.")
        object.__setattr__(self, "pools_after", tuple(sorted(set(pools))))


# The mean of ImageNet's training pixels, R, G, B, as published with the Caffe reference models.
_IMAGENET_MEAN = (123.68, 116.779, 103.939)

_PAPER = Variant(
    image_size=224,
    filters=(96, 256, 384, 384, 256),  # section 3.5, as are kernels, stride and groups
    kernels=(11, 5, 3, 3, 3),
    stride=4,
    # Assumption: 224 does not give the paper's 55×55 maps unpadded; three more pixels do.
    padding=(2, 1),
    groups=(1, 2, 1, 2, 2),
    lrn={"depth_radius": 2, "bias": 2.0, "alpha": 1e-4, "beta": 0.75},  # section 3.3
    pool=3,  # section 3.4: z = 3, s = 2
    # Section 2: the mean over the training set is subtracted from each pixel. Assumption: one mean a channel.
    preprocessing=Preprocessing(mean=_IMAGENET_MEAN, scale=(1.0, 1.0, 1.0)),
    classes=1000,
)

_CIFAR10 = dataclasses.replace(
    _PAPER,
    image_size=32,
    filters=(64, 192, 384, 256, 256),
    kernels=(3, 3, 3, 3, 3),
    stride=1,
    padding=(1, 1),
    groups=(1, 1, 1, 1, 1),
    lrn=None,
    pool=2,
    # Channel mean and 1 / standard deviation of the CIFAR-10 training pixels.
    preprocessing=Preprocessing(mean=(125.3, 123.0, 113.9), scale=(1 / 63.0, 1 / 62.1, 1 / 66.7)),
    classes=10,
    initialisation="he",
)

VARIANTS = {
    "paper": _PAPER,
    "single_tower": dataclasses.replace(_PAPER, groups=(1, 1, 1, 1, 1)),
    "cifar10": _CIFAR10,
    # Ours: normalized batches, and the smaller dense layers that 32×32 pixels need.
    "cifar10_batchnorm": dataclasses.replace(_CIFAR10, batch_norm=True, dense=1024),
    # Ours: as many convolutions, two of them before the first pooling, and no hidden dense layers, which had most
    # weights (after Springenberg et al., "Striving for simplicity: the all convolutional net", 2015).
    "cifar10_convolutional": dataclasses.replace(
        _CIFAR10, filters=(64, 128, 256, 256, 512), batch_norm=True, pools_after=(2, 4, 5), dense=0
    ),
    # BVLC's reference network: bvlc_alexnet/train_val.prototxt of Caffe, which takes windows of 227 pixels, blue first.
    "caffe": dataclasses.replace(
        _PAPER,
        image_size=227,
        padding=(0, 0),
        # Caffe divides alpha by the size of the window, 5, and adds 1 where the paper adds k = 2.
        lrn={"depth_radius": 2, "bias": 1.0, "alpha": 1e-4 / 5, "beta": 0.75},
        preprocessing=Preprocessing(mean=_IMAGENET_MEAN[::-1], scale=(1.0, 1.0, 1.0), bgr=True),
        positive_bias=0.1,
        dense_stddev=0.005,
    ),
    # Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014, as torchvision has it.
    "torchvision": dataclasses.replace(
        _PAPER,
        filters=(64, 192, 384, 256, 256),
        padding=(2, 2),
        groups=(1, 1, 1, 1, 1),
        lrn=None,
        # torchvision takes pixels 0–1 and subtracts 0.485, 0.456, 0.406, then divides by 0.229, 0.224, 0.225.
        preprocessing=Preprocessing(
            mean=(0.485 * 255, 0.456 * 255, 0.406 * 255), scale=(1 / 58.395, 1 / 57.12, 1 / 57.375)
        ),
        initialisation="torch",
        dropout="before",
        pooled_size=6,
    ),
}


def variant_named(variant):
    """The row of ``VARIANTS`` called ``variant``; a ``Variant`` is returned as it is.

    Raises:
        ValueError: there is none of that name.
    """
    if isinstance(variant, Variant):
        return variant
    if not isinstance(variant, str) or variant not in VARIANTS:
        raise ValueError(f"AlexNet: variant is {variant!r}; expected {', '.join(VARIANTS)} or an alexnet.Variant.")
    return VARIANTS[variant]


def name_of(row):
    """The name of a row in ``VARIANTS``; "custom" for one of the user's own."""
    return next((name for name, known in VARIANTS.items() if known == row), "custom")
