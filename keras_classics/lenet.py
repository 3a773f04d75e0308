"""LeNet-5: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998, II.B.

The network as it is taught and used today: C3 connected to all maps of S2 and plain average pooling, with the paper's
sizes everywhere else.
"""

from keras import layers

from keras_classics import builder
from keras_classics.layers import Conv2D
from keras_classics.preprocessing import Preprocessing

IMAGE_SIZE = 32  # pixels; section II.B: larger than the largest character, so that strokes reach C1's centres
LABELS = tuple("0123456789")

# Section II.B: background is -0.1 and foreground 1.175, "this makes the mean input roughly 0, and the variance
# roughly 1". With background 0 and foreground 255 that is (pixel - 20) * 0.005, exactly.
PREPROCESSING = Preprocessing(mean=(20.0,), scale=(0.005,))


def LeNet5(  # noqa: N802 (a network is named as in keras.applications)
    include_top=True,
    weights=None,
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=10,
    classifier_activation="softmax",
    name="lenet5",
    activation="tanh",
):
    """Build LeNet-5: 61,706 parameters with its defaults.

    ======  ==========================  ===============  ==========
    layer   what                        output           parameters
    ======  ==========================  ===============  ==========
    C1      6 maps, 5×5                 (b, 28, 28, 6)          156
    S2      average 2×2                 (b, 14, 14, 6)            0
    C3      16 maps, 5×5                (b, 10, 10, 16)       2,416
    S4      average 2×2                 (b, 5, 5, 16)             0
    C5      120 maps, 5×5               (b, 1, 1, 120)       48,120
    F6      84 units                    (b, 84)              10,164
    output  one unit a class, softmax   (b, 10)                 850
    ======  ==========================  ===============  ==========

    Args:
        include_top: whether F6 and the output follow C5, the last convolution.
        weights: None (random) or the path of a ``.weights.h5`` or ``.keras`` file of this network.
        input_tensor: Keras tensor to build on, ``(batch, height, width, channels)``.
        input_shape: ``(height, width, channels)``, at least 32×32; default ``(32, 32, 1)``. Without the top, height
            and width may be None (any size). Channels first where Keras is so configured.
        pooling: without the top: None (feature maps), "avg" or "max" (a vector of 120).
        classes: units of the output.
        classifier_activation: activation of the output; None returns logits.
        name: name of the model.
        activation: of C1, C3, C5 and F6: "tanh" (default), "sigmoid", "relu" or any Keras activation.

    Returns:
        A Keras functional model from float images, as ``lenet.preprocess_input`` makes them (about -0.1 to 1.175, white
        strokes on black), to ``(batch, classes)`` probabilities.

    Raises:
        ValueError: an argument is outside what is described above.

    Assumption: weights start as Keras' Glorot-uniform and biases as 0; the paper's ±2.4/fan-in goes with its scaled
    tanh.
    """
    builder.check_arguments("LeNet5", pooling=pooling, classes=classes, weights=weights)
    inputs = builder.image_input(
        input_shape,
        input_tensor,
        include_top=include_top,
        size=IMAGE_SIZE,
        channels=1,
        min_size=IMAGE_SIZE,
        network="LeNet5",
    )
    x = Conv2D(6, 5, activation=activation, name="C1")(inputs)
    x = layers.AveragePooling2D(2, name="S2")(x)
    x = Conv2D(16, 5, activation=activation, name="C3")(x)
    x = layers.AveragePooling2D(2, name="S4")(x)
    x = Conv2D(120, 5, activation=activation, name="C5")(x)
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(84, activation=activation, name="F6")(x)
        x = builder.classifier(x, classes, classifier_activation, name="output")
    else:
        x = builder.pool_features(x, pooling)
    return builder.finish(input_tensor, inputs, x, weights=weights, name=name)


def preprocess_input(x, data_format=None):
    """Pixels 0–255 (0 the background, 255 the stroke), ``(…, 32, 32, 1)``, to the paper's -0.1 … 1.175 (section II.B).

    Returns floats of the same shape; NumPy in, NumPy out. Raises ValueError unless there is one channel.
    """
    return PREPROCESSING(x, data_format)
