"""Numbers of any library are taken if they are exactly what an argument needs, and refused in one sentence if not."""

import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_classics import AlexNet, LeNet5, alexnet, datasets, layers, lenet
from keras_classics.errors import InputError
from keras_classics.preprocessing import Preprocessing

SEVEN = [7, np.int64(7), np.uint8(7), np.float32(7), 7.0, np.array(7), np.array(7.0)]
NONE = [True, np.True_, "7", 7.5, float("nan"), float("inf"), -7, None, [7], np.array([7]), 1j]
WHOLE = {
    "classes": lambda value: LeNet5(classes=value).output_shape[-1],
    "size": lambda value: layers.TrainableSubsampling(value).size,
    "depth_radius": lambda value: layers.LocalResponseNormalization(value).depth_radius,
    "local_size": lambda value: 2 * layers.LocalResponseNormalization.from_caffe(value).depth_radius + 1,
    "filters": lambda value: layers.Conv2D(value, 3).filters,
    "kernel_size": lambda value: layers.Conv2D(3, value).kernel_size[0],
    "groups": lambda value: layers.Conv2D(7, 3, groups=value).groups,
    "pool_size": lambda value: layers.MaxPooling2D(value).pool_size[0],
    "input_shape": lambda value: LeNet5(include_top=False, input_shape=(40, 40, value)).input_shape[-1],
    "top": lambda value: len(alexnet.decode_predictions(np.zeros((1, 1000)), value)[0]),
    "count": lambda value: len(datasets.stratified(datasets.Split(np.zeros(9), np.zeros(9, int)), value)[0]),
}
REAL = {
    "alpha": lambda value: layers.LocalResponseNormalization(alpha=value).alpha,
    "beta": lambda value: layers.LocalResponseNormalization(beta=value).beta,
    "bias": lambda value: layers.LocalResponseNormalization(bias=value).bias,
    "j": lambda value: lenet.MaximumAPosteriori(value).j,
    "mean": lambda value: Preprocessing([value], [1]).mean[0],
}


@pytest.mark.parametrize("name", [*WHOLE, *REAL])
def test_a_number_of_any_library_is_that_number(name):
    for value in SEVEN:
        found = {**WHOLE, **REAL}[name](value)
        assert found == 7
        assert type(found) in (int, float), value


@pytest.mark.parametrize("name", [*WHOLE, *REAL])
def test_what_is_no_such_number_is_refused_in_one_sentence(name):
    for value in NONE if name in WHOLE else [value for value in NONE if value not in (7.5, -7)]:
        with pytest.raises(ValueError, match=f"{name} is ") as refused:
            {**WHOLE, **REAL}[name](value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: LeNet5(include_top="no"), "include_top is 'no'; expected True or False"),
        (lambda: LeNet5(name=3), "name is 3; expected a text"),
        (lambda: AlexNet(variant=["paper"]), re.escape("variant is ['paper']")),
        (lambda: layers.LocalResponseNormalization(axis=0), "axis is 0, which counts the images"),
        (lambda: layers.FanInUniform(0), "fan_in is 0"),
        (lambda: layers.EuclideanRBF([1, 2]), "prototypes have the shape"),
        (lambda: layers.TrainableSubsampling(2, data_format="NHWC"), "data_format is 'NHWC'"),
        (lambda: Preprocessing((1, 2), (1,)), "mean has 2 numbers and scale 1"),
        (lambda: alexnet.decode_predictions(np.zeros((1, 10))), "preds has the shape"),
        (lambda: alexnet.decode_predictions(np.zeros((1, 1000)), 1001), "from 1 to 1000"),
        (lambda: datasets.load(3), "the name of a dataset is 3"),
        (lambda: lenet.preprocess_input(np.array(["x"])), "images are of the type"),
        (lambda: lenet.preprocess_input(np.zeros((32, 32, 3))), "images have 3 channels"),
        (lambda: lenet.preprocess_input(np.zeros(32)), "images have the shape"),
    ],
)
def test_other_arguments_are_refused_by_name(call, said):
    with pytest.raises((ValueError, InputError), match=said):
        call()


def test_layers_of_numpy_numbers_are_saved_and_loaded(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((16, 16, 4)),
            layers.Conv2D(np.int64(8), np.array([3, 3]), strides=np.float64(1), groups=np.int32(2)),
            layers.LocalResponseNormalization(np.int64(2), np.float32(1), np.float64(0.5), axis=np.int64(-1)),
            layers.MaxPooling2D(np.int64(2), strides=np.int64(2)),
            layers.TrainableSubsampling(np.int64(2)),
            layers.SparselyConnectedConv2D(np.array([[0, 1], [1, 2]]), np.int64(3)),
            keras.layers.Flatten(),
            layers.EuclideanRBF(np.ones((3, 2), "int64")),
        ]
    )
    for layer in model.layers:
        json.dumps(layer.get_config())
    model.save(tmp_path / "model.keras")
    images = np.random.default_rng(0).random((2, 16, 16, 4), "float32")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(images, verbose=0), model.predict(images, verbose=0))


@pytest.mark.parametrize("shape", [(None, None, None, 3), (None, None, None, None), None])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_pixels_of_unknown_shape_are_preprocessed_in_a_pipeline(shape, data_format):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 6, 5, 3), "uint8")
    expected = alexnet.preprocess_input(pixels, "channels_last", variant="caffe")
    if data_format == "channels_first":
        pixels, expected = (np.moveaxis(images, -1, 1) for images in (pixels, expected))
        shape = shape and (None, shape[-1], None, None)

    def data(preprocess):
        images = tf.data.Dataset.from_generator(lambda: [pixels], output_signature=tf.TensorSpec(shape, "uint8"))
        return next(iter(images.map(preprocess))).numpy()

    found = data(lambda images: alexnet.preprocess_input(images, data_format, variant="caffe"))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="this network takes 1"):
        data(lambda images: lenet.preprocess_input(images, data_format))


def test_labels_of_equation_9_are_numbers_or_one_hot():
    distances = np.random.default_rng(0).random((3, 10), "float32") * 9
    loss, labels = lenet.MaximumAPosteriori(reduction=None), np.array([3, 0, 9])
    expected = loss(labels, distances)
    for same in (labels[:, None], labels.astype("float32"), np.eye(10)[labels], tf.constant(labels)):
        np.testing.assert_allclose(loss(same, distances), expected, rtol=1e-6)
        np.testing.assert_allclose(loss(same[:1], distances[:1]), expected[:1], rtol=1e-6)
    for bad in ([3, 0, 10], [3, 0, -1], [3, 0, 2.5], np.ones((3, 10))):
        with pytest.raises(ValueError, match="a label is no class"):
            loss(np.array(bad), distances)
        assert np.isnan(tf.function(loss)(tf.constant(bad, tf.float32), tf.constant(distances))[-1])
    for bad in (np.zeros(2), np.zeros((3, 9)), np.array(3)):
        with pytest.raises(ValueError, match="labels have the shape"):
            loss(bad, distances)


def test_accuracy_of_the_1998_network_is_that_of_the_nearest_prototype(embedded, tmp_path):
    model = LeNet5(variant="1998", weights="mnist")
    model.compile("sgd", lenet.MaximumAPosteriori(), metrics=[lenet.NearestPrototypeAccuracy()])
    images, labels = lenet.preprocess_input(embedded.test.images[:200]), embedded.test.labels[:200]
    expected = (model.predict(images, verbose=0).argmin(axis=1) == labels).mean()
    assert expected > 0.95
    assert model.evaluate(images, labels, verbose=0)[1] == pytest.approx(expected)
    assert model.evaluate(images, np.eye(10)[labels], verbose=0)[1] == pytest.approx(expected)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.evaluate(images, labels, verbose=0)[1] == pytest.approx(expected)
