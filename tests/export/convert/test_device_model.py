"""Device graphs compute what the trained network computes, in whatever form, and the forms do what they are for."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import keras_classics
from export.contract import MODES, PIXEL_TYPES
from export.convert import quantize
from export.convert.device_model import Forms, device_model
from export.litert import flatbuffer
from export.litert.classifier import Classifier, as_input
from keras_classics import alexnet, lenet
from keras_classics.errors import InputError


def lively(network):
    """Weights three times as large and biases that are not zero, so that every nonlinearity counts."""
    random = np.random.default_rng(0)
    network.set_weights([3 * w + random.normal(scale=0.1, size=w.shape) for w in network.get_weights()])
    return network


def centred(values):
    """Less their mean over the classes, of which a softmax takes no notice."""
    return values - values.mean(axis=1, keepdims=True)


def answers(network, images, dtype="float32"):
    return np.concatenate([network(as_input(image[None], dtype)) for image in images])


def converted(network, mode, images, **settings):
    tflite = quantize.convert(network, lenet.PREPROCESSING, mode, images, **settings)
    interpreter = Interpreter(model_content=tflite, num_threads=1)
    interpreter.allocate_tensors()
    return tflite, interpreter


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 256, (4, 32, 32, 1), np.uint8)


@pytest.mark.parametrize("dtype", PIXEL_TYPES)
@pytest.mark.parametrize(("pooling", "products"), [("average", False), ("convolution", True)])
@pytest.mark.parametrize(
    "arguments", [{}, {"activation": "relu"}, {"activation": "scaled_tanh"}, {"variant": "1998"}], ids=str
)
def test_every_form_of_lenet5_gives_the_logits_of_the_trained_graph(arguments, pooling, products, dtype, images):
    network = lively(keras_classics.LeNet5(**arguments, classifier_activation=None))
    expected = network.predict(lenet.preprocess_input(images), verbose=0)
    if arguments.get("variant") == "1998":
        expected = -expected  # distances: small means likely
    device = device_model(network, lenet.PREPROCESSING, dtype, Forms(pooling, products=products), logits=True)
    assert device.input_shape == (1, 32, 32, 1)
    found = answers(device, images, dtype)
    np.testing.assert_allclose(centred(found), centred(expected), atol=2e-5 * np.abs(expected).max())


def test_distances_become_the_probabilities_of_a_softmax(images):
    """On the device a product with the prototypes takes their place."""
    network = lively(keras_classics.LeNet5(variant="1998", classifier_activation="softmax"))
    expected = network.predict(lenet.preprocess_input(images), verbose=0)
    bare = keras_classics.LeNet5(variant="1998")
    bare.set_weights(network.get_weights())
    for model in (network, bare):
        np.testing.assert_allclose(answers(device_model(model, lenet.PREPROCESSING), images), expected, atol=1e-4)


@pytest.mark.parametrize(
    "variant", ["paper", "caffe", "cifar10", "cifar10_batchnorm", "cifar10_convolutional", "torchvision"]
)
@pytest.mark.parametrize("lrn", ["native", "banded"])
@pytest.mark.parametrize("towers", [True, False])
def test_every_form_of_alexnets_convolutions_gives_the_maps_of_the_trained_graph(variant, lrn, towers):
    """Padding puts zeros where the mean has been subtracted: folding the mean into conv1 would be wrong there."""
    side = 32 if variant.startswith("cifar10") else 67
    network = lively(keras_classics.AlexNet(variant=variant, include_top=False, input_shape=(side, side, 3)))
    preprocessing = alexnet.VARIANTS[variant].preprocessing
    images = np.random.default_rng(2).integers(0, 256, (2, side, side, 3), np.uint8)
    expected = network.predict(preprocessing(images, "channels_last"), verbose=0)
    assert np.abs(expected).max() > 0
    device = device_model(network, preprocessing, "uint8", Forms(lrn=lrn, towers=towers))
    np.testing.assert_allclose(answers(device, images, "uint8"), expected, atol=3e-5 * np.abs(expected).max())


def test_a_layer_of_another_network_is_refused_by_name():
    inputs = keras.Input((32, 32, 1))
    network = keras.Model(inputs, keras.layers.UpSampling2D(name="larger")(inputs))
    with pytest.raises(InputError, match="larger"):
        device_model(network, lenet.PREPROCESSING)


def test_averages_as_convolutions_leave_an_int8_network_in_one_piece(embedded):
    """XNNPACK takes no average pooling in 8 bits, so that the pooling operator cuts the network in three."""
    network = keras_classics.LeNet5(weights="mnist")
    pieces = {}
    for pooling in ("average", "convolution"):
        _, interpreter = converted(network, "int8", embedded.train.images[:50], forms=Forms(pooling=pooling))
        names = [operator["op_name"].lower() for operator in interpreter._get_ops_details()]
        pieces[pooling] = sum("delegate" in name for name in names)
    assert pieces == {"average": 3, "convolution": 1}


def normalising(name="norm"):
    """Two convolutions with normalization behind each, for 32×32 colour pictures, and ten classes."""
    x = inputs = keras.Input((32, 32, 3))
    for number, maps in enumerate((8, 16), 1):
        x = keras_classics.layers.Conv2D(maps, 3, activation="relu", padding="same", name=f"conv{number}")(x)
        x = keras_classics.layers.LocalResponseNormalization(alpha=0.01, name=f"{name}{number}")(x)
        x = keras.layers.MaxPooling2D(4, name=f"pool{number}")(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(10, name="output")(x)
    return lively(keras.Model(inputs, keras.layers.Activation("softmax")(x)))


@pytest.mark.parametrize(
    ("name", "several", "dtype"),
    [*(("norm", False, dtype) for dtype in PIXEL_TYPES), ("my.own-norm>", True, "uint8")],
)
def test_normalization_leaves_an_int8_network_in_one_piece(name, several, dtype):
    """In float32 between DEQUANTIZE and QUANTIZE, by operators that XNNPACK takes, whatever the layers are called."""
    network = normalising(name)
    if several:
        network = keras_classics.ensemble([network, normalising(name)])
    preprocessing = alexnet.VARIANTS["cifar10"].preprocessing
    images = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
    expected = network.predict(preprocessing(images), verbose=0)
    found = {}
    for lrn in ("native", "banded"):
        tflite = quantize.convert(network, preprocessing, "int8", images, dtype=dtype, forms=Forms(lrn=lrn))
        classifier = Classifier(tflite, "file")
        assert classifier.dtype == dtype
        found[lrn] = classifier.delegate_partitions()
        assert np.abs(classifier.probabilities(images) - expected).mean() < 0.02
    # XNNPACK takes no softmax in 8 bits, which something follows in an ensemble, and where the output is float32.
    assert found["banded"] == 1 + (several or dtype == "float32")
    assert found["native"] >= 3


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", PIXEL_TYPES)
def test_every_mode_takes_pixels_of_every_type(mode, dtype, embedded):
    network = keras_classics.LeNet5(weights="mnist")
    _, interpreter = converted(network, mode, embedded.train.images[:50], dtype=dtype)
    given, returned = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    assert given["dtype"].__name__ == dtype
    chosen = []
    for image in embedded.test.images[:200]:
        interpreter.set_tensor(given["index"], as_input(image[None], dtype))
        interpreter.invoke()
        chosen.append(interpreter.get_tensor(returned["index"])[0].argmax())
    assert (chosen == embedded.test.labels[:200]).mean() > 0.98


def test_probabilities_of_many_classes_are_floats(embedded):
    """Steps of 1/256 would make zeros of most of a thousand probabilities."""
    network = keras_classics.LeNet5(classes=300)
    few, many = (
        converted(network, "int8", embedded.train.images[:20], integer_only=integer_only)[1]
        for integer_only in (True, False)
    )
    assert few.get_output_details()[0]["dtype"] is np.uint8
    output = many.get_output_details()[0]
    assert output["dtype"] is np.float32
    many.invoke()
    probabilities = many.get_tensor(output["index"])
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert np.count_nonzero(probabilities) == 300


def test_dim_calibration_images_leave_the_input_its_whole_range(images):
    tflite = quantize.convert(keras_classics.LeNet5(), lenet.PREPROCESSING, "int8", images // 2)
    assert Classifier(tflite, "dim.tflite").input["quantization"] == (1.0, 0)


def test_logits_can_be_read_beside_probabilities(embedded):
    tflite, _ = converted(keras_classics.LeNet5(weights="mnist"), "float32", None)
    interpreter = Interpreter(model_content=flatbuffer.with_logits(tflite), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], embedded.test.images[:1])
    interpreter.invoke()
    probabilities, logits = (interpreter.get_tensor(each["index"])[0] for each in interpreter.get_output_details())
    powers = np.exp(logits - logits.max())
    np.testing.assert_allclose(probabilities, powers / powers.sum(), atol=1e-6)
