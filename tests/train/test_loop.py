"""The engine: it learns, it can be repeated, and two devices do what one does."""

import dataclasses
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from keras_classics import alexnet, lenet
from keras_classics.errors import InputError
from train import devices, recipes
from train.augment import AUGMENTATIONS
from train.loop import Trainer
from train.losses import LOSSES


def trainer(dataset, **changes):
    recipe = dataclasses.replace(recipes.LENET5["default"], epochs=8, min_images=0, **changes)
    return Trainer(
        lenet.LeNet5,
        preprocessing=lenet.PREPROCESSING,
        size=32,
        dataset=dataset,
        recipe=recipe,
        strategy=devices.strategy(),
    )


def test_training_learns_and_evaluation_is_that_of_the_model(embedded):
    engine = trainer(embedded)
    rows = list(engine.train(engine.total_steps))
    assert rows[-1].loss < rows[0].loss / 2
    assert sum(row.steps for row in rows) == rows[-1].step == engine.total_steps
    score = engine.evaluate(embedded.test)
    probabilities = engine.model.predict(lenet.preprocess_input(embedded.test.images), verbose=0)
    assert score.images == 1_000
    assert score.accuracy == pytest.approx((probabilities.argmax(axis=1) == embedded.test.labels).mean())
    of_labels = probabilities[np.arange(1_000), embedded.test.labels]
    assert score.loss == pytest.approx(-np.log(of_labels).mean(), rel=1e-3)


def test_one_seed_gives_one_network_however_the_steps_are_reported(embedded):
    once, again, other = trainer(embedded), trainer(embedded), trainer(embedded, seed=1)
    list(once.train(20))
    for stop in (1, 4, 20):
        list(again.train(stop))
    list(other.train(20))
    for a, b in zip(once.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert not np.allclose(once.model.get_weights()[0], other.model.get_weights()[0])


def test_a_loss_that_is_no_number_stops_the_run(embedded):
    engine = trainer(embedded, optimizer="sgd", learning_rate=1e30, warmup=0.0)
    with pytest.raises(FloatingPointError, match=r"became (nan|inf) by step .* learning rate .*e\+(29|30)"):
        list(engine.train(50))


def test_classes_of_network_and_dataset_must_agree(embedded):
    with pytest.raises(InputError, match="10 classes; the network has 7"):
        Trainer(
            lambda: lenet.LeNet5(classes=7),
            preprocessing=lenet.PREPROCESSING,
            size=32,
            dataset=embedded,
            recipe=recipes.LENET5["default"],
            strategy=devices.strategy(),
        )


def test_batches_must_fit_the_training_split(embedded):
    with pytest.raises(InputError, match="larger than the 3500 training images"):
        trainer(embedded, batch_size=3_501)


def test_every_variant_of_alexnet_has_a_recipe():
    assert set(recipes.ALEXNET) == set(alexnet.VARIANTS)


def test_names_in_recipes_are_those_that_exist():
    assert recipes._ALLOWED["augmentation"] == set(AUGMENTATIONS)
    assert recipes._ALLOWED["loss"] == set(LOSSES)
    assert set(recipes._ALLOWED) == {field.name for field in dataclasses.fields(recipes.Recipe)}


@pytest.mark.parametrize("change", [{"warmup": 1.5}, {"momentum": float("nan")}, {"optimizer": "lion"}, {"epochs": 0}])
def test_a_recipe_refuses_what_it_cannot_be(change):
    with pytest.raises(InputError, match=next(iter(change))):
        dataclasses.replace(recipes.LENET5["default"], **change)


def test_small_datasets_are_repeated():
    assert recipes.LENET5["default"].epochs_for(55_000) == 10
    assert recipes.LENET5["default"].epochs_for(3_500) == 115
    assert recipes.LENET5["default"].steps_for(3_500) == -(-115 * 3_500 // 128)


TWO_DEVICES = """
import sys
from keras_classics.runtime import start_tensorflow
tf = start_tensorflow()
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import dataclasses
import numpy as np
from keras_classics import alexnet, datasets, lenet
from train import devices, recipes
from train.loop import Trainer

network, names = sys.argv[1], sys.argv[2].split(",")
data = datasets.load("embedded").padded(32)
if network == "lenet5":
    build, preprocessing, recipe, steps = lenet.LeNet5, lenet.PREPROCESSING, recipes.LENET5["default"], 50
else:  # the digits, as small colour pictures
    grey = lambda split: datasets.Split(np.repeat(split.images, 3, axis=-1), split.labels)
    data = dataclasses.replace(data, train=grey(data.train), validation=grey(data.validation), test=grey(data.test))
    build = lambda: alexnet.AlexNet(variant="cifar10")
    preprocessing = alexnet.VARIANTS["cifar10"].preprocessing
    recipe, steps = dataclasses.replace(recipes.ALEXNET["cifar10"], batch_size=8), 3
engine = Trainer(build, preprocessing=preprocessing, size=32, dataset=data, recipe=recipe,
                 strategy=devices.strategy(names))
list(engine.train(steps))
small = data.test.take(np.arange(101))  # does not divide by two
score = engine.evaluate(small)
np.savez(sys.argv[3], *engine.model.get_weights()[:8], loss=score.loss, accuracy=score.accuracy, images=score.images)
"""


def run_on(names, network, path):
    root = pathlib.Path(devices.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    arguments = [sys.executable, "-c", TWO_DEVICES, network, names, str(path)]
    subprocess.run(arguments, check=True, env=environment, stderr=subprocess.PIPE)
    return dict(np.load(path))


def test_mirrored_over_two_devices_gives_the_weights_of_one(tmp_path):
    """50 steps of LeNet-5, whose batches, distortions and updates are then the same to float rounding."""
    one = run_on("CPU:0", "lenet5", tmp_path / "one.npz")
    two = run_on("CPU:0,CPU:1", "lenet5", tmp_path / "two.npz")
    assert one["images"] == two["images"] == 101
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, atol=1e-5, err_msg=name)


def test_alexnet_trains_mirrored_over_two_devices(tmp_path):
    """Its dropout draws other units on each device, so losses are only alike."""
    two = run_on("CPU:0,CPU:1", "alexnet", tmp_path / "two.npz")
    assert np.isfinite(two["loss"])
    assert two["images"] == 101
