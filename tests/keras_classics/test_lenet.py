"""LeNet-5 against section II.B of LeCun et al., 1998."""

import keras
import numpy as np
import pytest

import keras_classics
from keras_classics import lenet

# Layer, output shape, parameters: the modern network has the paper's C1, C5 and F6, and C3 without Table I.
LAYERS = {
    "C1": ((28, 28, 6), 156),
    "S2": ((14, 14, 6), 0),
    "C3": ((10, 10, 16), 2_416),
    "S4": ((5, 5, 16), 0),
    "C5": ((1, 1, 120), 48_120),
    "F6": ((84,), 10_164),
    "output": ((10,), 850),
}


def test_every_layer_has_the_shape_and_parameters_of_the_paper():
    model = keras_classics.LeNet5()
    found = {name: (model.get_layer(name).output.shape[1:], model.get_layer(name).count_params()) for name in LAYERS}
    assert found == LAYERS
    assert model.count_params() == 61_706


def test_outputs_are_probabilities_and_logits_on_request():
    images = np.random.default_rng(0).normal(size=(3, 32, 32, 1)).astype("float32")
    probabilities = keras_classics.LeNet5().predict(images, verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    logits = keras_classics.LeNet5(classifier_activation=None)
    assert logits.layers[-1].name == "output"


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_activation_is_that_of_all_hidden_layers(activation):
    model = keras_classics.LeNet5(activation=activation)
    assert {model.get_layer(name).activation.__name__ for name in ("C1", "C3", "C5", "F6")} == {activation}
    assert {type(model.get_layer(name)) for name in ("S2", "S4")} == {keras.layers.AveragePooling2D}


def test_preprocessing_is_the_papers():
    pixels = np.array([0, 255], np.uint8).reshape(1, 1, 2, 1)
    np.testing.assert_allclose(lenet.preprocess_input(pixels).ravel(), [-0.1, 1.175], rtol=1e-6)


def test_preprocessing_makes_digits_of_mean_0_and_variance_1_roughly(embedded):
    pixels = lenet.preprocess_input(embedded.train.images)
    assert abs(pixels.mean()) < 0.1
    assert 0.05 < pixels.var() < 1  # the paper's "roughly 1" is for its own scanned digits, with thicker strokes


def test_any_size_from_32_without_the_top():
    features = keras_classics.LeNet5(include_top=False)
    assert features(np.zeros((2, 40, 36, 1), "float32")).shape == (2, 3, 2, 120)
    assert keras_classics.LeNet5(include_top=False, pooling="avg").output_shape == (None, 120)


def test_convolutional_c5_and_matrix_product_agree(model):
    """C5 on a map of its own size is a matrix product; on a larger one, a convolution with the same weights."""
    features = keras_classics.LeNet5(include_top=False)
    features.set_weights(model.get_weights()[:6])
    whole = keras.Model(model.input, model.get_layer("C5").output)
    image = np.random.default_rng(1).normal(size=(1, 36, 36, 1)).astype("float32")
    everywhere = keras.ops.convert_to_numpy(features(image))
    there = keras.ops.convert_to_numpy(whole(image[:, 4:, 4:]))
    np.testing.assert_allclose(everywhere[:, 1:, 1:], there, atol=1e-5)


def test_input_tensor_and_fine_tuning():
    base = keras_classics.LeNet5(include_top=False, pooling="max", input_tensor=keras.Input((32, 32, 1)))
    base.trainable = False
    model = keras.Sequential([base, keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    before = base.get_weights()
    model.fit(np.ones((4, 32, 32, 1)), np.ones((4, 3)), verbose=0)
    for old, new in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"input_shape": (28, 28, 1)}, "at least 32"),
        ({"input_shape": (32, 32)}, "three numbers"),
        ({"input_shape": (None, None, 1)}, "include_top=False"),
        ({"pooling": "median"}, "'median'"),
        ({"classes": 0}, "classes is 0"),
        ({"classes": None, "variant": "1998"}, "classes is None"),
        ({"weights": 3}, "weights is 3"),
        ({"input_shape": 32}, "input_shape is 32"),
        ({"weights": "nowhere.weights.h5"}, "nowhere.weights.h5"),
    ],
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        keras_classics.LeNet5(**arguments)


def test_weights_of_a_file(tmp_path):
    model = keras_classics.LeNet5()
    model.save_weights(tmp_path / "lenet5.weights.h5")
    again = keras_classics.LeNet5(weights=str(tmp_path / "lenet5.weights.h5"))
    np.testing.assert_array_equal(model.get_weights()[0], again.get_weights()[0])
