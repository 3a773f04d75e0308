"""AlexNet: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks", 2012.

A variant is a row of numbers (``VARIANTS``); one function builds them all.
"""

import dataclasses

from keras import initializers, layers

from keras_classics import builder
from keras_classics.layers import Conv2D, LocalResponseNormalization
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
    pool: int  # size of the max pooling windows after conv1, conv2, conv5; their stride is 2
    preprocessing: Preprocessing
    classes: int
    dropout: str = "after"  # "after" fc6 and fc7, or "before" them
    gaussian: bool = True  # initialisation of section 5, or He's, for deep ReLU networks


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

VARIANTS = {
    "paper": _PAPER,
    "single_tower": dataclasses.replace(_PAPER, groups=(1, 1, 1, 1, 1)),
    "cifar10": dataclasses.replace(
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
        gaussian=False,
    ),
}


def variant_named(variant):
    """The row of ``VARIANTS`` called ``variant``.

    Raises:
        ValueError: there is none.
    """
    if variant not in VARIANTS:
        raise ValueError(f"AlexNet: variant is {variant!r}; expected one of {', '.join(VARIANTS)}.")
    return VARIANTS[variant]


def AlexNet(  # noqa: N802 (a network is named as in keras.applications)
    include_top=True,
    weights=None,
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=None,
    classifier_activation="softmax",
    name="alexnet",
    variant="paper",
):
    """Build AlexNet: 60,965,224 parameters as in the paper, with the defaults.

    =====  ================================================  =================  ==========
    layer  what                                              output             parameters
    =====  ================================================  =================  ==========
    conv1  96 maps, 11×11, stride 4, ReLU                    (b, 55, 55, 96)        34,944
    norm1  local response normalization                      (b, 55, 55, 96)             0
    pool1  maximum 3×3, stride 2                             (b, 27, 27, 96)             0
    conv2  256 maps, 5×5, two towers, ReLU                   (b, 27, 27, 256)      307,456
    norm2  local response normalization                      (b, 27, 27, 256)            0
    pool2  maximum 3×3, stride 2                             (b, 13, 13, 256)            0
    conv3  384 maps, 3×3, ReLU                               (b, 13, 13, 384)      885,120
    conv4  384 maps, 3×3, two towers, ReLU                   (b, 13, 13, 384)      663,936
    conv5  256 maps, 3×3, two towers, ReLU                   (b, 13, 13, 256)      442,624
    pool5  maximum 3×3, stride 2                             (b, 6, 6, 256)              0
    fc6    4096 units, ReLU, dropout 0.5                     (b, 4096)          37,752,832
    fc7    4096 units, ReLU, dropout 0.5                     (b, 4096)          16,781,312
    fc8    one unit a class, softmax                         (b, 1000)           4,097,000
    =====  ================================================  =================  ==========

    Args:
        include_top: whether the fully connected layers follow pool5.
        weights: None (random) or the path of a ``.weights.h5`` or ``.keras`` file of this network.
        input_tensor: Keras tensor to build on, ``(batch, height, width, channels)``.
        input_shape: ``(height, width, channels)``; default ``(224, 224, 3)``, or what the variant takes. Without the
            top, height and width may be None (any size). Channels first where Keras is so configured.
        pooling: without the top: None (feature maps), "avg" or "max" (a vector of 256).
        classes: units of the output; default 1000, or the variant's.
        classifier_activation: activation of the output; None returns logits.
        name: name of the model.
        variant: "paper" (default); "single_tower", without groups (62,378,344 parameters); "cifar10", for 32×32 colour
            images: 3×3 convolutions, 2×2 pooling, no normalization (35,855,178 parameters).

    Returns:
        A Keras functional model from float images, as ``alexnet.preprocess_input`` makes them, to ``(batch, classes)``
        probabilities.

    Raises:
        ValueError: an argument is outside what is described above.

    Source: sections 3.1 (ReLU), 3.3 (normalization), 3.4 (pooling), 3.5 (sizes), 4.2 (dropout), 5 (initialisation:
    Gaussian of standard deviation 0.01, biases 1 in conv2, conv4, conv5 and the hidden fully connected layers).
    """
    row = variant_named(variant)
    classes = row.classes if classes is None else classes
    builder.check_arguments("AlexNet", pooling=pooling, classes=classes, weights=weights)
    inputs = builder.image_input(
        input_shape,
        input_tensor,
        include_top=include_top,
        size=row.image_size,
        channels=3,
        min_size=_smallest_image(row),
        network="AlexNet",
    )
    x = _convolutions(row, inputs)
    x = _fully_connected(row, x, classes, classifier_activation) if include_top else builder.pool_features(x, pooling)
    return builder.finish(input_tensor, inputs, x, weights=weights, name=name)


def preprocess_input(x, data_format=None, variant="paper"):
    """RGB pixels 0–255, ``(…, height, width, 3)``, to what ``variant`` takes; NumPy in, NumPy out.

    "paper" and "single_tower" subtract ImageNet's mean; "cifar10" also divides by the standard deviation. Raises
    ValueError for another variant, or unless there are three channels.
    """
    return variant_named(variant).preprocessing(x, data_format)


def _convolutions(row, x):
    x = layers.ZeroPadding2D((row.padding, row.padding), name="conv1_pad")(x)
    for number, (filters, kernel, groups) in enumerate(zip(row.filters, row.kernels, row.groups, strict=True), start=1):
        x = Conv2D(
            filters,
            kernel,
            strides=row.stride if number == 1 else 1,
            padding="valid" if number == 1 else "same",
            groups=groups,
            activation="relu",
            name=f"conv{number}",
            **_initialisation(row, ones=number in (2, 4, 5)),
        )(x)
        if row.lrn and number in (1, 2):
            x = LocalResponseNormalization(**row.lrn, axis=builder.channel_axis(), name=f"norm{number}")(x)
        if number in (1, 2, 5):
            x = layers.MaxPooling2D(row.pool, strides=2, name=f"pool{number}")(x)
    return x


def _fully_connected(row, x, classes, activation):
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        x = layers.Dense(4096, activation="relu", name=f"fc{number}", **_initialisation(row, ones=True))(x)
        x = layers.Dropout(0.5, name=f"drop{number}")(x)
    # Small weights here in every variant: He's would start 4096 inputs at logits of several units.
    return builder.classifier(x, classes, activation, name="fc8", kernel_initializer=_gaussian())


def _initialisation(row, ones):
    """Section 5; ``ones`` where the paper starts biases at 1, to feed the ReLUs positive inputs early on."""
    if not row.gaussian:
        return {"kernel_initializer": "he_normal"}
    bias = "ones" if ones else "zeros"
    return {"kernel_initializer": _gaussian(), "bias_initializer": bias}


def _gaussian():
    return initializers.RandomNormal(stddev=0.01)


def _smallest_image(row):
    """The smallest side, in pixels, that leaves at least one pixel after the last pooling."""
    side = row.pool
    for _ in range(2):
        side = (side - 1) * 2 + row.pool
    return (side - 1) * row.stride + row.kernels[0] - sum(row.padding)
