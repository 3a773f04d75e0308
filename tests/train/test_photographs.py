"""AlexNet's recipes on real photographs, small enough for a test: the network of CIFAR-10 on pictures from files."""

import json

import keras
import numpy as np
import pytest

from keras_classics import alexnet, datasets
from keras_classics.datasets import pipeline


@pytest.fixture(scope="module")
def paper_run(photographs, called, tmp_path_factory):
    """What the recipe "paper" leaves after three epochs."""
    folder = tmp_path_factory.mktemp("paper")
    arguments = ("--variant", "cifar10", "--recipe", "paper", "--batch-size", 8, "--epochs", 3, "--out", folder)
    done = called("train.alexnet", "--dataset", f"folder:{photographs}", *arguments)
    assert done.returncode == 0, done.stderr
    return folder


def test_what_the_paper_recipe_saves_subtracts_the_mean_of_each_pixel(paper_run, photographs):
    """So ten crops, prepared as for any AlexNet, give the accuracy and loss that the run reports."""
    model = keras.models.load_model(paper_run / "alexnet.keras")
    dataset = datasets.load(f"folder:{photographs}")
    side = 37  # in proportion 256 : 224
    mean = pipeline.load_pictures(dataset.train, side).astype("float32").mean(axis=0)[2:34, 2:34]
    prepared = alexnet.preprocess_input(mean, variant="cifar10")
    np.testing.assert_allclose(np.reshape(model.get_layer("centre").mean, (32, 32, 3)), prepared, atol=1e-2)

    test = pipeline.load_pictures(dataset.test, side)
    corners = ((0, 0), (0, 5), (5, 0), (5, 5), (2, 2))
    crops = np.stack([test[:, top : top + 32, left : left + 32] for top, left in corners], axis=1)
    crops = np.concatenate([crops, crops[:, :, :, ::-1]], axis=1).reshape(-1, 32, 32, 3)
    outputs = model.predict(alexnet.preprocess_input(crops, variant="cifar10"), verbose=0)
    probabilities = outputs.reshape(len(test), 10, 2).mean(axis=1)
    found = json.loads((paper_run / "alexnet_history.json").read_text())["test"]
    assert found["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == dataset.test.labels).mean())
    of_labels = probabilities[np.arange(len(test)), dataset.test.labels]
    assert found["loss"] == pytest.approx(-np.log(of_labels).mean(), rel=1e-3)


def test_a_trained_network_is_tuned_with_the_mean_it_was_trained_with(paper_run, photographs, called, tmp_path):
    arguments = ("--variant", "cifar10", "--recipe", "modern", "--batch-size", 8, "--epochs", 1, "--out", tmp_path)
    weights = ("--weights", paper_run / "alexnet.keras", "--freeze", "conv")
    done = called("train.alexnet", "--dataset", f"folder:{photographs}", *weights, *arguments)
    assert done.returncode == 0, done.stderr
    before, after = (keras.models.load_model(folder / "alexnet.keras") for folder in (paper_run, tmp_path))
    for layer in filter(lambda layer: layer.weights, before.layers):
        weights = zip(layer.get_weights(), after.get_layer(layer.name).get_weights(), strict=True)
        assert all(np.array_equal(*both) for both in weights) == layer.name.startswith("conv"), layer.name
    np.testing.assert_array_equal(before.get_layer("centre").mean, after.get_layer("centre").mean)


def test_cifar10_classes_have_names(data_dir):
    assert datasets.load("cifar10", data_dir).class_names[3] == "cat"
