"""Whatever a user puts into a network is in its device graph too, or refused by name before anything is computed."""

import functools

import keras
import numpy as np
import pytest

import keras_classics
from export.convert import quantize
from export.convert.device_model import PLAIN, Forms, device_model
from export.convert.folding import without_batch_norm
from export.convert.reading import read_steps
from export.litert.classifier import Classifier
from keras_classics import alexnet, layers, lenet
from keras_classics.errors import InputError


def answers(network, preprocessing, dtype="float32"):
    """Logits of the network and of its device graph in every form, for a few noisy images."""
    images = np.random.default_rng(1).integers(0, 256, (3, *network.input_shape[1:]), np.uint8)
    expected = network.predict(preprocessing(images, "channels_last"), verbose=0)
    for forms in (Forms(), PLAIN):
        graph = device_model(network, preprocessing, "uint8", forms, logits=True, batch=None)
        yield expected, np.asarray(graph(images))


def assert_the_same(network, preprocessing=lenet.PREPROCESSING):
    for expected, found in answers(network, preprocessing):
        np.testing.assert_allclose(found, expected, atol=3e-5 * max(1, np.abs(expected).max()))


def lively(network):
    """Weights three times as large and biases that are not zero, so that every nonlinearity counts."""
    random = np.random.default_rng(0)
    network.set_weights([2 * w + random.normal(scale=0.1, size=w.shape) for w in network.get_weights()])
    return network


@keras.saving.register_keras_serializable(package="test")
def bent(x):
    return x * keras.ops.sigmoid(1.3 * x)


@keras.saving.register_keras_serializable(package="test")
def across_maps(x):
    return x - keras.ops.mean(x, axis=-1, keepdims=True)


ACTIVATIONS = {
    **{name: name for name in ("sigmoid", "gelu", "swish", "leaky_relu", "hard_sigmoid", "relu6", "elu", "softmax")},
    "LeakyReLU": lambda: keras.layers.LeakyReLU(0.3),
    "ELU": lambda: keras.layers.ELU(0.5),
    "ReLU": lambda: keras.layers.ReLU(max_value=1.0, negative_slope=0.1),
    "PReLU": lambda: keras.layers.PReLU(alpha_initializer=keras.initializers.RandomUniform(0.1, 0.9)),
    "lambda": lambda: lambda x: keras.ops.tanh(x) + 0.1 * x,
    "partial": lambda: functools.partial(keras.activations.leaky_relu, negative_slope=0.4),
    "user": lambda: bent,
    "across maps": lambda: across_maps,
}


def modern(activation, **options):
    """LeNet-5, as a user would write it, with a new activation object for each layer."""

    def new():
        return activation() if callable(activation) else activation

    return keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            layers.Conv2D(6, 5, activation=new(), name="first", **options),
            keras.layers.AveragePooling2D(2),
            keras.layers.Conv2D(16, 5, activation=new(), use_bias=False),
            keras.layers.AveragePooling2D(2),
            layers.Conv2D(20, 5, activation=new()),
            keras.layers.Flatten(),
            keras.layers.Dense(12, activation=new()),
            keras.layers.Dense(10),
        ]
    )


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_exported_as_they_are(name):
    assert_the_same(lively(modern(ACTIVATIONS[name])))


def test_an_activation_object_is_in_the_file(embedded):
    """It was silently linear there."""
    network = keras_classics.LeNet5(activation=keras.layers.LeakyReLU(0.3))
    lively(network)
    tflite = quantize.convert(network, lenet.PREPROCESSING, "float32")
    expected = network.predict(lenet.preprocess_input(embedded.test.images[:20]), verbose=0)
    np.testing.assert_allclose(Classifier(tflite, "x").probabilities(embedded.test.images[:20]), expected, atol=1e-4)


def test_what_is_not_an_activation_of_elements_stays_where_it_is():
    """Factors and pooling are moved over activations of single elements only."""
    image = keras.Input((32, 32, 1))
    x = layers.Conv2D(4, 5, activation=layers.scaled_tanh)(image)
    x = keras.layers.Activation(across_maps)(x)
    x = keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = keras.layers.Rescaling([0.5, 2.0, 1.0, 1.0], offset=0.1)(x)
    x = keras.layers.ZeroPadding2D(((0, 1), (2, 0)))(x)
    x = keras.layers.Dropout(0.5)(x)
    x = layers.Conv2D(3, 3, strides=2, padding="same", activation=layers.scaled_tanh)(x)
    x = keras.layers.LeakyReLU(0.2)(x)
    x = keras.layers.Dense(5)(keras.layers.Flatten()(x))
    assert_the_same(lively(keras.Model(image, x)))


def mean_picture(shape, **options):
    random = np.random.default_rng(3)
    return keras.layers.Normalization(
        axis=tuple(range(1, len(shape) + 1)), mean=random.normal(size=shape), **options, name="centre"
    )


def spread(shape):
    return np.linspace(0.5, 2, np.prod(shape)).reshape(shape)


FRONTS = {
    "mean picture": lambda shape: mean_picture(shape, variance=np.ones(shape)),
    "picture of deviations": lambda shape: mean_picture(
        shape, variance=np.linspace(0.5, 2, np.prod(shape)).reshape(shape)
    ),
    "one mean a channel": lambda shape: keras.layers.Normalization(mean=[1.0] * shape[-1], variance=[4.0] * shape[-1]),
    "rescaling": lambda shape: keras.layers.Rescaling(0.5, offset=[0.1 * c for c in range(shape[-1])]),
}


@pytest.mark.parametrize("front", FRONTS)
def test_layers_before_the_network_are_part_of_the_device_graph(front):
    image = keras.Input((32, 32, 1))
    assert_the_same(
        lively(keras_classics.LeNet5(input_tensor=FRONTS[front]((32, 32, 1))(image), classifier_activation=None))
    )
    image = keras.Input((67, 67, 3))
    for variant in ("caffe", "single_tower"):  # blue first and unpadded; padded
        x = FRONTS[front]((67, 67, 3))(image)
        network = keras_classics.AlexNet(variant=variant, include_top=False, input_tensor=x)
        network = keras.Model(image, keras.layers.Flatten()(network.output))
        assert_the_same(lively(network), alexnet.VARIANTS[variant].preprocessing)


def test_a_mean_picture_stays_exact_in_16_bits_and_8(embedded):
    image = keras.Input((32, 32, 1))
    x = mean_picture((32, 32, 1), variance=np.ones((32, 32, 1)))(image)
    network = keras_classics.LeNet5(input_tensor=x)
    network.set_weights(keras_classics.LeNet5(weights="mnist").get_weights())
    expected = network.predict(lenet.preprocess_input(embedded.test.images[:50]), verbose=0).argmax(axis=1)
    for mode, dtype in (("int8", "uint8"), ("int16x8", "int8"), ("dynamic", "float32")):
        tflite = quantize.convert(network, lenet.PREPROCESSING, mode, embedded.train.images[:50], dtype=dtype)
        found = Classifier(tflite, mode).probabilities(embedded.test.images[:50]).argmax(axis=1)
        assert (found == expected).mean() > 0.9, mode


def test_adaptive_pooling_is_exported_at_any_size():
    """Of torchvision's network for pictures larger than it was trained on; here with few units."""
    if not hasattr(keras.layers, "AdaptiveAveragePooling2D"):  # before Keras 3.13
        with pytest.raises(ValueError, match="need a Keras with AdaptiveAveragePooling2D"):
            keras_classics.AlexNet(variant="torchvision", input_shape=(256, 256, 3))
        return
    image = keras.Input((20, 26, 3))
    x = layers.Conv2D(4, 3, activation="relu")(image)
    x = keras.layers.Flatten()(keras.layers.AdaptiveAveragePooling2D((5, 6))(x))
    network = lively(keras.Model(image, keras.layers.Dense(3)(x)))
    assert_the_same(network, alexnet.VARIANTS["torchvision"].preprocessing)


def chained(*following, side=32):
    image = keras.Input((side, side, 1))
    x = image
    for layer in following:
        x = layer(x)
    return keras.Model(image, x)


@pytest.mark.parametrize(
    ("norm", "scale"), [(layers.BatchNormalization, False), (keras.layers.BatchNormalization, True)]
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([layers.Conv2D], ["relu"]),
        ([layers.Conv2D, layers.MaxPooling2D], ["relu"]),
        ([layers.Conv2D, layers.MaxPooling2D], ["tanh"]),
        ([layers.Conv2D, "relu", layers.MaxPooling2D], []),
        ([layers.MaxPooling2D], ["relu"]),
        ([layers.Conv2D, keras.layers.Flatten, keras.layers.Dense], ["relu"]),
    ],
    ids=str,
)
def test_batch_normalization_is_computed_wherever_it_stands(before, after, norm, scale):
    """With factors below 0 too, which maximum pooling does not pass on; folded into the layer before if possible."""
    numbers = {layers.Conv2D: (6, 3), layers.MaxPooling2D: (2,), keras.layers.Dense: (7,)}

    def built(kind):
        return keras.layers.Activation(kind) if isinstance(kind, str) else kind(*numbers.get(kind, ()))

    x = inputs = keras.Input((32, 32, 1))
    x = layers.Conv2D(4, 3, activation="relu")(x)
    for each in map(built, before):
        x = each(x)
    x = norm(scale=scale)(x)
    for each in map(built, after):
        x = each(x)
    network = lively(keras.Model(inputs, keras.layers.Dense(10)(keras.layers.Flatten()(x))))
    for layer in network.layers:
        if scale and isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(np.random.default_rng(2).normal(size=layer.gamma.shape))
    assert_the_same(network)
    folded = without_batch_norm(network)
    left = any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    pooled = before[-1] is layers.MaxPooling2D
    assert left == ("relu" in before or before == [layers.MaxPooling2D] or (pooled and scale))


def residual():
    image = keras.Input((32, 32, 1))
    x = layers.Conv2D(1, 5, padding="same", name="stem")(image)
    return keras.Model(image, keras.layers.Add(name="sum")([image, x]))


def two_in_one():
    network = keras_classics.LeNet5(variant="1998")
    return keras.Model(network.input, keras.layers.Softmax(name="likely")(network.output))


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: chained(layers.Conv2D(2, 3, dilation_rate=2, name="wide")), r"wide .*dilation_rate \(2, 2\)"),
        (lambda: chained(layers.Conv2D(2, 3, strides=(1, 2), name="steps")), "steps .*strides 1 × 2"),
        (lambda: chained(keras.layers.MaxPooling2D((2, 3), name="flat")), "flat .*pool_size 2 × 3"),
        (lambda: chained(keras.layers.AveragePooling2D(3, strides=1, name="near")), "near .*strides 1"),
        (lambda: chained(keras.layers.AveragePooling2D(3, padding="same", name="wet")), "wet .*padding 'same'"),
        (lambda: chained(layers.LocalResponseNormalization(axis=1, name="tall")), "tall .*axis 1"),
        (lambda: chained(keras.layers.BatchNormalization(axis=1, name="batch")), "batch .*axis 1"),
        (lambda: chained(keras.layers.Lambda(lambda x: 2 * x, name="twice")), "twice"),
        (
            lambda: chained(keras.layers.Conv2D(1, 1, data_format="channels_first", name="red")),
            "red has its channels",
        ),
        (residual, "sum does not follow layer stem|sum"),
        (two_in_one, "layer likely follows the distances of output"),
        (lambda: chained(keras_classics.LeNet5()), "lenet5"),
    ],
)
def test_what_no_step_computes_is_refused_by_name(build, named):
    with pytest.raises(InputError, match=named):
        read_steps(build())


def test_minus_one_before_the_network_is_no_softmax_of_distances():
    """It was passed over wherever it stood."""
    assert_the_same(lively(chained(keras.layers.Rescaling(-1.0), layers.Conv2D(2, 5), keras.layers.Flatten())))
