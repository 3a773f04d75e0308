"""LeNet-5: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998, II.B.

Two variants: "modern", as it is taught and used today (C3 connected to all maps of S2, plain average pooling, softmax),
and "1998", the published network to the last of its 60,000 parameters.
"""

import keras
from keras import layers, ops

from keras_classics import builder, checks, description, names
from keras_classics.characters import digit_bitmaps
from keras_classics.layers import (
    Conv2D,
    EuclideanRBF,
    FanInUniform,
    SparselyConnectedConv2D,
    TrainableSubsampling,
    scaled_tanh,
)
from keras_classics.preprocessing import Preprocessing

IMAGE_SIZE = 32  # pixels; section II.B: larger than the largest character, so that strokes reach C1's centres
LABELS = tuple("0123456789")

# Section II.B: background is -0.1 and foreground 1.175, "this makes the mean input roughly 0, and the variance
# roughly 1". With background 0 and foreground 255 that is (pixel - 20) * 0.005, exactly.
PREPROCESSING = Preprocessing(mean=(20.0,), scale=(0.005,))

VARIANTS = names.LENET5_VARIANTS

# Table I: for each map of C3, the maps of S2 it is connected to.
TABLE_I = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


def LeNet5(  # noqa: N802 (a network is named as in keras.applications)
    include_top=True,
    weights=None,
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=10,
    classifier_activation="auto",
    name="lenet5",
    activation=None,
    variant="modern",
):
    """Build LeNet-5: 61,706 parameters with its defaults, 60,000 as published.

    ======  =============================  ===============  ==========  ========
    layer   what                           output           parameters  "1998"
    ======  =============================  ===============  ==========  ========
    C1      6 maps, 5×5                    (b, 28, 28, 6)          156       156
    S2      average 2×2; 1998: trainable   (b, 14, 14, 6)            0        12
    C3      16 maps, 5×5; 1998: Table I    (b, 10, 10, 16)       2,416     1,516
    S4      as S2                          (b, 5, 5, 16)             0        32
    C5      120 maps, 5×5                  (b, 1, 1, 120)       48,120    48,120
    F6      84 units                       (b, 84)              10,164    10,164
    output  softmax; 1998: distances       (b, 10)                 850         0
    ======  =============================  ===============  ==========  ========

    Args:
        include_top: whether F6 and the output follow C5, the last convolution.
        weights: None (random); "mnist", trained by this project, for "modern" with tanh or relu and for "1998"
            (``keras_classics.list_weights``); or the path of a file of this network: ``.weights.h5`` or ``.keras``,
            for "modern" also ``.pth`` (PyTorch) and ``.onnx``.
        input_tensor: Keras tensor to build on, ``(batch, height, width, channels)``.
        input_shape: ``(height, width, channels)``, at least 32×32; default ``(32, 32, 1)``. Without the top, height
            and width may be None (any size). Channels first where Keras is so configured.
        pooling: without the top: None (feature maps), "avg" or "max" (a vector of 120).
        classes: units of the output; "1998" has a drawn prototype for each of at most 10.
        classifier_activation: activation of the output; None returns logits, or in "1998" the squared distances to the
            prototypes, of which "softmax" makes probabilities too. Of distances the smallest is the answer: measure
            them with ``lenet.NearestPrototypeAccuracy``. "auto" (default) is "softmax", and None in "1998".
        name: name of the model.
        activation: of all hidden layers: "tanh" (default), "sigmoid", "relu", "scaled_tanh" or any Keras activation; in
            "1998" also of S2 and S4, with "scaled_tanh" (appendix A) as the default.
        variant: "modern" or "1998": trainable subsampling, C3 connected by Table I, scaled tanh, Euclidean RBF units on
            7×12 drawings of the digits, weights uniform within ±2.4/fan-in (appendix A).

    Returns:
        A Keras functional model from float images, as ``lenet.preprocess_input`` makes them (about -0.1 to 1.175, white
        strokes on black), to ``(batch, classes)`` probabilities.

    Raises:
        ValueError: an argument is outside what is described above, or the weights are not of this network.
        ImportError: the library that reads the file of weights is not installed.

    Assumption: "modern" starts from Keras' Glorot-uniform weights; the paper's ±2.4/fan-in goes with its scaled tanh.
    Biases start at 0 in both.
    """
    if not isinstance(variant, str) or variant not in VARIANTS:
        raise ValueError(f"LeNet5: variant is {variant!r}; expected one of {', '.join(VARIANTS)}.")
    classes = checks.whole_number("LeNet5: classes", classes, 1)
    include_top = checks.truth("LeNet5: include_top", include_top)
    published = variant == "1998"
    activation = activation or ("scaled_tanh" if published else "tanh")
    activation = scaled_tanh if activation == "scaled_tanh" else keras.activations.get(activation)
    source = builder.check_arguments(
        "LeNet5",
        pooling=pooling,
        classes=classes,
        weights=weights,
        variant=variant,
        activation=_name_of(activation),
        include_top=include_top,
        name=name,
    )
    if published and classes > 10:
        raise ValueError(f"LeNet5: classes is {classes}; the 1998 variant has prototypes of ten digits only.")
    inputs = builder.image_input(
        input_shape,
        input_tensor,
        include_top=include_top,
        size=IMAGE_SIZE,
        channels=1,
        min_size=IMAGE_SIZE,
        network="LeNet5",
    )
    if classifier_activation == "auto":
        classifier_activation = None if published else "softmax"

    described = description.Description("lenet5-1998" if published else "lenet5", variant, PREPROCESSING)
    model = {"source": source, "name": name, "build": LeNet5, "described": described}

    def start(fan_in):
        return {"activation": activation, **({"kernel_initializer": FanInUniform(fan_in)} if published else {})}

    def subsampling(name):
        return TrainableSubsampling(2, activation, name=name) if published else layers.AveragePooling2D(2, name=name)

    x = Conv2D(6, 5, name="C1", **start(25))(inputs)
    x = subsampling("S2")(x)
    if published:
        x = SparselyConnectedConv2D(TABLE_I, 5, activation, name="C3")(x)
    else:
        x = Conv2D(16, 5, name="C3", **start(6 * 25))(x)
    x = subsampling("S4")(x)
    x = Conv2D(120, 5, name="C5", **start(16 * 25))(x)
    if not include_top:
        x = builder.pool_features(x, pooling)
        return builder.finish(input_tensor, inputs, x, **model)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(84, name="F6", **start(120))(x)
    if published:
        x = EuclideanRBF(digit_bitmaps()[:classes], name="output")(x)
        if classifier_activation is not None:
            x = builder.output_activation(layers.Rescaling(-1.0, name="negate")(x), classifier_activation)
    else:
        x = builder.classifier(x, classes, classifier_activation, name="output")
    return builder.finish(input_tensor, inputs, x, **model)


def _name_of(activation):
    """Name of an activation, if it is the one that Keras (or this package) has under that name."""
    name = getattr(activation, "__name__", None)
    known = scaled_tanh if name == "scaled_tanh" else getattr(keras.activations, name or "", None)
    return name if activation is known else f"a function {name!r} of another package"


def preprocess_input(x, data_format=None):
    """Pixels 0–255 (0 the background, 255 the stroke) to the paper's -0.1 … 1.175 (section II.B).

    Args:
        x: pixels of any dtype, ``(…, height, width, 1)``, or channels first.
        data_format: "channels_last" or "channels_first"; None: as Keras is configured.

    Returns:
        Floats (Keras' floatx) of the same shape: a NumPy array of an array or list, a tensor of a tensor.

    Raises:
        ValueError: there is more than one channel.
    """
    return PREPROCESSING(x, data_format)


@keras.saving.register_keras_serializable(package="keras_classics")
class MaximumAPosteriori(keras.losses.Loss):
    """The loss of section II.C, equation 9, on distances: ``y[label] + log(exp(-j) + sum(exp(-y)))``, averaged.

    It pulls the state of F6 towards the prototype of the label and pushes it away from the others; ``exp(-j)`` stands
    for a background class and keeps those already far away from being pushed on.

    Small distances are good, so that ``metrics=["accuracy"]``, which looks for the largest output, says about 0 of a
    network that is right: take ``NearestPrototypeAccuracy``.

    Args:
        j: in units of squared distance; > 0. Assumption: the paper only calls it positive.

    Takes distances ``(batch, classes)``, and labels: whole numbers from 0, ``(batch,)`` or ``(batch, 1)``, or one-hot,
    ``(batch, classes)``. In a graph a label that is out of range makes the loss NaN.

    Raises:
        ValueError: labels have another shape, or (outside a graph) one is no class.
    """

    def __init__(self, j=20.0, name="maximum_a_posteriori", **kwargs):
        super().__init__(name=name, **kwargs)
        self.j = checks.real_number("j", j, above=0)

    def call(self, y_true, y_pred):
        labels = _one_hot(y_true, y_pred)
        background = ops.full_like(y_pred[:, :1], -self.j)
        penalty = ops.logsumexp(ops.concatenate([background, -y_pred], axis=-1), axis=-1)
        return ops.sum(labels * y_pred, axis=-1) + penalty

    def get_config(self):
        return {**super().get_config(), "j": self.j}


@keras.saving.register_keras_serializable(package="keras_classics")
class NearestPrototypeAccuracy(keras.metrics.MeanMetricWrapper):
    """The share of images whose label is the class of the smallest output: accuracy of distances (equation 7).

    For ``LeNet5(variant="1998")``, whose outputs are squared distances::

        model.compile("sgd", lenet.MaximumAPosteriori(), metrics=[lenet.NearestPrototypeAccuracy()])

    Takes labels and distances as ``MaximumAPosteriori`` does. With ``classifier_activation="softmax"`` the outputs are
    probabilities, and Keras' own ``"accuracy"`` is right.
    """

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(_is_nearest, name=name, dtype=dtype)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


def _is_nearest(y_true, y_pred):
    """1 for each image whose label has the smallest distance, else 0."""
    labels = ops.argmax(_one_hot(y_true, y_pred), axis=-1)
    return ops.cast(ops.equal(labels, ops.argmin(y_pred, axis=-1)), y_pred.dtype)


def _one_hot(y_true, y_pred):
    """Labels of ``MaximumAPosteriori`` as ``(batch, classes)``: NaN throughout where one is no class.

    Raises:
        ValueError: they have another shape, or are known and no classes.
    """
    if len(y_pred.shape) != 2 or y_pred.shape[1] is None:
        raise ValueError(f"distances have the shape {tuple(y_pred.shape)}; expected (batch, classes).")
    images, classes = y_pred.shape
    shape = tuple(y_true.shape)
    one_hot = len(shape) == 2 and shape[1] == classes != 1
    known = shape[0] if shape else None
    fits = one_hot or len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
    if not fits or (None not in (known, images) and known != images):
        raise ValueError(
            f"labels have the shape {shape} and distances {tuple(y_pred.shape)}; expected labels (batch,), (batch, 1) "
            f"or, one-hot, (batch, {classes})."
        )
    values = ops.cast(y_true, y_pred.dtype)
    if not one_hot:
        values = ops.reshape(values, (-1,))
        among = ops.logical_and(values >= 0, values < classes)
        is_class = ops.logical_and(among, ops.equal(values, ops.floor(values)))
        rows = ops.one_hot(ops.cast(values, "int32"), classes, dtype=y_pred.dtype)
    else:
        is_class = ops.logical_and(ops.all(values >= 0, axis=-1), ops.abs(ops.sum(values, axis=-1) - 1) < 1e-3)
        rows = values
    if type(is_class).__name__ == "EagerTensor" and not ops.convert_to_numpy(is_class).all():
        expected = "rows of numbers from 0 that sum to 1" if one_hot else f"whole numbers from 0 to {classes - 1}"
        raise ValueError(f"a label is no class; expected {expected}.")
    return ops.where(ops.expand_dims(is_class, -1), rows, ops.full_like(rows, float("nan")))
