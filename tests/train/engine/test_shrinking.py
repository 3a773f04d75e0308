"""Small weights left out, and the others shared: what is left of a network, and that it stays so."""

import dataclasses

import keras
import numpy as np
import pytest

from keras_classics import LeNet5, lenet
from keras_classics.errors import InputError
from train import fine_tuning, recipes
from train.engine import devices, shrinking
from train.engine.trainer import Trainer

INNER = {"C3": 0.5, "C5": 0.5, "F6": 0.9}  # share of zeros
PRUNED = {"prune_convolutions": 0.5, "prune_dense": 0.9}


def trained_on(dataset, steps, **changes):
    def build():
        return LeNet5(weights="mnist", activation="relu")

    given = {"epochs": 2, "min_images": 0, "warmup": 0.0, "learning_rate": 1e-3}
    engine = Trainer(
        build,
        preprocessing=lenet.PREPROCESSING,
        size=32,
        dataset=dataset,
        recipe=dataclasses.replace(recipes.LENET5["default"], **{**given, **changes}),
        strategy=devices.strategy(),
    )
    list(engine.train(steps))
    return engine


def kernels(model):
    return {layer.name: np.asarray(layer.kernel) for layer in model.layers if layer.weights}


@pytest.mark.parametrize("optimizer", [{"optimizer": "adamw"}, {"optimizer": "sgd", "momentum": 0.9}])
def test_the_smallest_weights_are_left_out_and_the_others_trained(embedded, optimizer):
    before = kernels(LeNet5(weights="mnist", activation="relu"))
    after = kernels(trained_on(embedded, 20, **PRUNED, **optimizer).model)
    for name, kernel in after.items():
        zeros = kernel == 0
        assert zeros.mean() == pytest.approx(INNER.get(name, 0.0), abs=0.001)
        assert not np.allclose(kernel[~zeros], before[name][~zeros])
        if name in INNER:
            assert np.abs(before[name][zeros]).max() <= np.abs(before[name][~zeros]).min()


def test_each_layer_ends_with_few_values_near_those_it_had(embedded):
    engine = trained_on(embedded, 5, **PRUNED, clusters=16, ema=0.9)
    with engine.averaged_weights():
        before = kernels(engine.model)
    engine.finish()
    with engine.averaged_weights():  # which are clustered already
        after = kernels(engine.model)
    for name, kernel in after.items():
        if name not in INNER:
            np.testing.assert_array_equal(kernel, before[name])
            continue
        assert len(np.unique(kernel)) <= 16
        np.testing.assert_array_equal(kernel == 0, before[name] == 0)
        spread = before[name][kernel != 0].std()
        assert np.square(kernel - before[name])[kernel != 0].mean() < (0.1 * spread) ** 2


def test_few_values_are_the_means_of_what_lies_around_them():
    layers = [keras.layers.Dense(2, name="first"), keras.layers.Dense(8, name="inner"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    kernel = np.repeat([0.0, -1.0, 2.0, 2.2], 4).reshape(2, 8)
    model.get_layer("inner").kernel.assign(kernel)
    shrinking.cluster(model, 3)
    np.testing.assert_allclose(
        model.get_layer("inner").kernel, np.repeat([0, -1, 2.1, 2.1], 4).reshape(2, 8), rtol=1e-6
    )


def test_random_weights_are_not_pruned():
    class Arguments:
        weights, freeze = None, None

    with pytest.raises(InputError, match="--weights must name a trained network"):
        fine_tuning.check(Arguments, recipes.ALEXNET["pruned"])
