"""AlexNet: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks", 2012.

A variant is a row of numbers (``VARIANTS``, in ``alexnet_variants``); one function builds them all.
"""

import functools
import importlib.resources

from keras import initializers, layers, ops

from keras_classics import builder, checks, description
from keras_classics.alexnet_variants import VARIANTS, Variant, name_of, variant_named
from keras_classics.layers import BatchNormalization, Conv2D, LocalResponseNormalization, MaxPooling2D

__all__ = [
    "VARIANTS",
    "AlexNet",
    "Variant",
    "decode_predictions",
    "imagenet_classes",
    "preprocess_input",
    "variant_named",
]


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
        weights: None (random); "cifar10" for "cifar10_batchnorm" (they come with the package); "imagenet" for
            "torchvision" (fetched from torchvision, needs ``torch`` to convert) and
            "caffe" (from the ONNX model zoo, needs ``onnx``), kept in Keras' cache (``keras_classics.list_weights``);
            or the path of a file of this network: ``.weights.h5``, ``.keras``, ``.pth`` (PyTorch) or ``.onnx``.
        input_tensor: Keras tensor to build on, ``(batch, height, width, channels)``.
        input_shape: ``(height, width, channels)``; default ``(224, 224, 3)``, or what the variant takes. Without the
            top, height and width may be None (any size). Channels first where Keras is so configured.
        pooling: without the top: None (feature maps), "avg" or "max" (a vector of 256).
        classes: units of the output; default 1000, or the variant's.
        classifier_activation: activation of the output; None returns logits.
        name: name of the model.
        variant: "paper" (default); "single_tower", without groups (62,378,344 parameters); "cifar10", for 32×32 colour
            images: 3×3 convolutions, 2×2 pooling, no normalization (35,855,178 parameters); "cifar10_batchnorm", the
            same with batch normalization and dense layers of 1,024 units (7,509,066); "cifar10_convolutional", with
            batch normalization, pooling after conv2, conv4 and conv5, and no fc6 or fc7 (2,148,618); "caffe", BVLC's
            reference network: 227×227 pixels, Caffe's normalization, blue first; "torchvision", the "one weird trick"
            network without normalization or towers (61,100,840 parameters); or an ``alexnet.Variant`` of your own, such
            as ``dataclasses.replace(alexnet.VARIANTS["paper"], lrn=None)``.

    Returns:
        A Keras functional model from float images, as ``alexnet.preprocess_input`` makes them, to ``(batch, classes)``
        probabilities.

    Raises:
        ValueError: an argument is outside what is described above, or the weights are not of this network.
        ImportError: the library that reads the file of weights is not installed.
        ConnectionError: the weights cannot be fetched.

    Source: sections 3.1 (ReLU), 3.3 (normalization), 3.4 (pooling), 3.5 (sizes), 4.2 (dropout), 5 (initialisation:
    Gaussian of standard deviation 0.01, biases 1 in conv2, conv4, conv5 and the hidden fully connected layers).
    """
    row = variant_named(variant)
    classes = checks.whole_number("AlexNet: classes", row.classes if classes is None else classes, 1)
    include_top = checks.truth("AlexNet: include_top", include_top)
    source = builder.check_arguments(
        "AlexNet",
        pooling=pooling,
        classes=classes,
        weights=weights,
        variant=name_of(row),
        include_top=include_top,
        name=name,
    )
    inputs = builder.image_input(
        input_shape,
        input_tensor,
        include_top=include_top,
        size=row.image_size,
        channels=3,
        min_size=_smallest_image(row),
        network="AlexNet",
    )
    # Section 3.5. Output shapes and parameters are those of "paper".
    x = layers.ZeroPadding2D((row.padding, row.padding), name="conv1_pad")(inputs)
    x = _stage(row, 1, x, strides=row.stride, padding="valid")  # 55×55×96: 34,944 parameters; pooled 27×27
    x = _stage(row, 2, x, positive_bias=True)  # 27×27×256, two towers: 307,456; pooled 13×13
    x = _stage(row, 3, x)  # 13×13×384, both towers seen: 885,120
    x = _stage(row, 4, x, positive_bias=True)  # 13×13×384, two towers: 663,936
    x = _stage(row, 5, x, positive_bias=True)  # 13×13×256, two towers: 442,624; pooled 6×6
    x = _fully_connected(row, x, classes, classifier_activation) if include_top else builder.pool_features(x, pooling)

    def build():
        return AlexNet(variant=variant)

    described = description.Description("alexnet", name_of(row), row.preprocessing)
    return builder.finish(input_tensor, inputs, x, source=source, name=name, build=build, described=described)


def preprocess_input(x, data_format=None, variant="paper"):
    """RGB pixels to what ``variant`` takes.

    "paper" and "single_tower" subtract ImageNet's mean, as "caffe" does after putting blue first; the others
    subtract a mean and divide by a standard deviation.

    Args:
        x: pixels 0–255 of any dtype, ``(…, height, width, 3)``, or channels first.
        data_format: "channels_last" or "channels_first"; None: as Keras is configured.
        variant: a name in ``VARIANTS``, or a ``Variant``.

    Returns:
        Floats (Keras' floatx) of the same shape: a NumPy array of an array or list, a tensor of a tensor.

    Raises:
        ValueError: there is no such variant, or there are not three channels.

    Source: section 2.
    """
    return variant_named(variant).preprocessing(x, data_format)


def decode_predictions(preds, top=5):
    """The ``top`` most probable ImageNet classes of each row of ``preds``.

    Args:
        preds: ``(batch, 1000)`` probabilities (or logits), a NumPy array or a tensor.
        top: how many; from 1 to 1000.

    Returns:
        For each row a list of ``(WordNet identifier, name, score)``, the highest score first.

    Raises:
        ValueError: ``preds`` has another shape, or ``top`` is out of range.
    """
    scores = ops.convert_to_numpy(preds)
    if scores.ndim != 2 or scores.shape[1] != 1000:
        raise ValueError(f"preds has the shape {tuple(scores.shape)}; expected (batch, 1000).")
    top = checks.whole_number("top", top, 1, 1000)
    names = imagenet_classes()
    return [[(*names[label], float(row[label])) for label in row.argsort()[::-1][:top]] for row in scores]


def _stage(row, number, x, **convolution):
    """conv1 … conv5 with ReLU (section 3.1), normalization (3.3) and pooling (3.4), where the variant has them."""
    x = _conv(row, number, x, **convolution)
    if row.lrn is not None and number in (1, 2):
        x = LocalResponseNormalization(**row.lrn, axis=builder.channel_axis(), name=f"norm{number}")(x)
    if number in row.pools_after:
        x = MaxPooling2D(row.pool, strides=2, name=f"pool{number}")(x)
    if row.batch_norm:  # of the pooled maps, of which there are fewer; unscaled, as the next layer has weights
        x = BatchNormalization(axis=builder.channel_axis(), scale=False, name=f"batchnorm{number}")(x)
        x = layers.Activation("relu", name=f"relu{number}")(x)
    return x


def _conv(row, number, x, *, strides=1, padding="same", positive_bias=False):
    return Conv2D(
        row.filters[number - 1],
        row.kernels[number - 1],
        strides=strides,
        padding=padding,
        groups=row.groups[number - 1],
        activation=None if row.batch_norm else "relu",
        use_bias=not row.batch_norm,
        name=f"conv{number}",
        **_initialisation(row, positive_bias),
    )(x)


def _fully_connected(row, x, classes, activation):
    if row.pooled_size and x.shape[1:] != _pooled_shape(row):  # of the image's own size they already are
        if not hasattr(layers, "AdaptiveAveragePooling2D"):
            raise ValueError(
                "AlexNet: images of another size need a Keras with AdaptiveAveragePooling2D (3.13 or newer)."
            )
        x = layers.AdaptiveAveragePooling2D(row.pooled_size, name="avgpool")(x)
    if not row.dense:  # windows of whole maps
        x = MaxPooling2D(x.shape[1:3] if builder.channel_axis() == -1 else x.shape[2:4], name="pool6")(x)
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7) if row.dense else ():
        if row.dropout == "before":
            x = layers.Dropout(0.5, name=f"drop{number}")(x)
        start = _initialisation(row, positive_bias=True, stddev=row.dense_stddev)
        x = layers.Dense(row.dense, activation="relu", name=f"fc{number}", **start)(x)  # 37,752,832 and 16,781,312
        if row.dropout == "after":
            x = layers.Dropout(0.5, name=f"drop{number}")(x)
    # Small weights here after He's too: so many inputs would start at logits of several units.
    torch = row.initialisation == "torch"
    start = _initialisation(row, positive_bias=False) if torch else {"kernel_initializer": _gaussian(0.01)}
    return builder.classifier(x, classes, activation, name="fc8", **start)  # 4,097,000


def _pooled_shape(row):
    """Shape of the maps that fc6 takes, without the batch."""
    side, maps = row.pooled_size, row.filters[-1]
    return (side, side, maps) if builder.channel_axis() == -1 else (maps, side, side)


def _initialisation(row, positive_bias, stddev=0.01):
    """Section 5; biases of some layers start at 1, so that their ReLUs get positive inputs early on."""
    if row.initialisation == "he":
        return {"kernel_initializer": "he_normal"}
    if row.initialisation == "torch":  # Assumption: biases 0, where PyTorch draws them from ±1 / sqrt(fan-in)
        return {"kernel_initializer": initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")}
    bias = initializers.Constant(row.positive_bias if positive_bias else 0.0)
    return {"kernel_initializer": _gaussian(stddev), "bias_initializer": bias}


def _gaussian(stddev):
    return initializers.RandomNormal(stddev=stddev)


def _smallest_image(row):
    """The smallest side, in pixels, that leaves at least one pixel after the last pooling."""
    side = 1
    for _ in row.pools_after:
        side = (side - 1) * 2 + row.pool
    return (side - 1) * row.stride + row.kernels[0] - sum(row.padding)


@functools.cache
def imagenet_classes():
    """The 1,000 classes of ILSVRC-2012 in the order of the outputs: ``(WordNet identifier, name)`` pairs."""
    text = importlib.resources.files("keras_classics").joinpath("imagenet_classes.txt").read_text(encoding="utf-8")
    return tuple(tuple(line.split(" ", 1)) for line in text.splitlines())
