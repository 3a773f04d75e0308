"""Several networks as one that averages their probabilities."""

import keras
import numpy as np
import pytest

import keras_classics
from keras_classics import averaging, description

IMAGES = np.random.default_rng(0).normal(size=(3, 32, 32, 1)).astype("float32")


@pytest.fixture(scope="module")
def pair():
    return [keras_classics.LeNet5(weights="mnist"), keras_classics.LeNet5(weights="mnist", activation="relu")]


def test_an_ensemble_says_the_mean_of_what_its_networks_say(pair, tmp_path):
    together = keras_classics.ensemble(pair)
    expected = np.mean([model(IMAGES) for model in pair], axis=0)
    np.testing.assert_allclose(together(IMAGES), expected, atol=1e-7)
    together.save(tmp_path / "together.keras")
    loaded = keras.models.load_model(tmp_path / "together.keras")
    np.testing.assert_allclose(loaded(IMAGES), expected, atol=1e-7)
    assert len(averaging.members(loaded)) == 2
    assert description.of(loaded).network == "lenet5"


def test_ensembles_of_one_and_of_ensembles_weigh_every_network_alike(pair):
    np.testing.assert_allclose(keras_classics.ensemble(pair[:1])(IMAGES), pair[0](IMAGES), atol=1e-7)
    three = keras_classics.ensemble([keras_classics.ensemble(pair), pair[0]])
    expected = (2 * np.asarray(pair[0](IMAGES)) + np.asarray(pair[1](IMAGES))) / 3
    np.testing.assert_allclose(three(IMAGES), expected, atol=1e-6)


def test_the_networks_are_copied(pair):
    copied = keras.models.clone_model(pair[0])
    copied.set_weights(pair[0].get_weights())
    together = keras_classics.ensemble([copied, pair[1]])
    before = np.asarray(together(IMAGES))
    copied.set_weights([0 * weights for weights in copied.get_weights()])
    np.testing.assert_array_equal(together(IMAGES), before)


@pytest.mark.parametrize(
    ("models", "reason"),
    [
        (lambda pair: [], "number of models"),
        (lambda pair: [pair[0], "lenet5.keras"], "is no Keras model"),
        (lambda pair: [pair[0], keras_classics.LeNet5(classifier_activation=None)], "does not end in a softmax"),
        (lambda pair: [pair[0], keras_classics.LeNet5(classes=7)], "the output_shape"),
        (lambda pair: [pair[0], keras_classics.LeNet5(input_shape=(40, 40, 1))], "the input_shape"),
    ],
)
def test_what_cannot_be_averaged_is_refused(pair, models, reason):
    with pytest.raises(ValueError, match=reason):
        keras_classics.ensemble(models(pair))
