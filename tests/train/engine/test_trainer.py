"""The engine: it learns, it can be repeated, and its recipes are what they say."""

import dataclasses
import functools

import keras
import numpy as np
import pytest

from keras_classics import alexnet, lenet
from keras_classics.datasets.augment import AUGMENTATIONS
from keras_classics.errors import InputError
from keras_classics.names import ALEXNET_VARIANTS
from train import recipes
from train.engine import devices, evaluation, optimizers
from train.engine.losses import LOSSES
from train.engine.scores import Progress
from train.engine.trainer import Trainer


def trainer(dataset, lanes=1, **changes):
    recipe = dataclasses.replace(recipes.LENET5["default"], epochs=8, min_images=0, **changes)
    return Trainer(
        lenet.LeNet5,
        preprocessing=lenet.PREPROCESSING,
        size=32,
        dataset=dataset,
        recipe=recipe,
        strategy=devices.strategy(),
        lanes=lanes,
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


def test_the_command_knows_every_variant_of_alexnet():
    assert set(ALEXNET_VARIANTS) == set(alexnet.VARIANTS)


def test_names_in_recipes_are_those_that_exist():
    assert recipes._ALLOWED["augmentation"] == set(AUGMENTATIONS)
    assert recipes._ALLOWED["loss"] == set(LOSSES)
    assert recipes._ALLOWED["schedule"] == set(optimizers._SCHEDULES)
    assert {*recipes._ALLOWED, "rate_steps"} == {field.name for field in dataclasses.fields(recipes.Recipe)}


RATES = {"rate_steps": "2:1,3", "schedule": "steps"}


@pytest.mark.parametrize(
    "change", [{"warmup": 1.5}, {"momentum": float("nan")}, {"optimizer": "lion"}, {"epochs": 0}, RATES]
)
def test_a_recipe_refuses_what_it_cannot_be(change):
    with pytest.raises(InputError, match=next(iter(change))):
        dataclasses.replace(recipes.LENET5["default"], **change)


def test_small_datasets_are_repeated():
    assert recipes.LENET5["default"].epochs_for(55_000) == 10
    assert recipes.LENET5["default"].epochs_for(3_500) == 115
    assert recipes.LENET5["default"].steps_for(3_500) == -(-115 * 3_500 // 128)


def test_lanes_change_nothing_but_rounding(embedded):
    one, three = trainer(embedded, batch_size=50), trainer(embedded, lanes=3, batch_size=50)
    rows = [functools.reduce(Progress.then, engine.train(20)) for engine in (one, three)]
    assert rows[0].loss == pytest.approx(rows[1].loss, rel=1e-4)
    assert rows[0].accuracy == pytest.approx(rows[1].accuracy, abs=1e-3)
    for a, b in zip(one.model.get_weights(), three.model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_rates_of_1998_are_those_of_section_iii_b():
    recipe = recipes.LENET5["1998"]
    rate = optimizers.optimizer_for(recipe, 60_000)
    steps = 60_000 // recipe.batch_size
    found = []
    for epoch in range(20):
        rate.iterations.assign(epoch * steps + steps // 2)
        found.append(float(rate.learning_rate) / recipe.learning_rate * 0.0005)
    assert recipe.epochs == 20
    np.testing.assert_allclose(found, [5e-4] * 2 + [2e-4] * 3 + [1e-4] * 3 + [5e-5] * 4 + [1e-5] * 8, rtol=1e-5)


def test_a_rate_is_divided_when_the_validation_error_stops_falling():
    assert optimizers.plateau_drops([0.5, 0.4, 0.4, 0.41], patience=2) == 1
    assert optimizers.plateau_drops([0.5, 0.4, 0.4, 0.39, 0.39], patience=2) == 0
    assert optimizers.plateau_drops([0.5] * 20, patience=2) == 3  # "three times prior to termination"


def test_averaged_weights_are_tested_and_given_back(embedded):
    engine = trainer(embedded, ema=0.9)
    averages = None
    for row in engine.train(6):
        assert row.step <= 6
    now = [variable.numpy() for variable in engine.model.trainable_variables]
    with engine.averaged_weights():
        averages = [variable.numpy() for variable in engine.model.trainable_variables]
    after = [variable.numpy() for variable in engine.model.trainable_variables]
    assert max(np.abs(a - b).max() for a, b in zip(now, averages, strict=True)) > 1e-4
    for before, again in zip(now, after, strict=True):
        np.testing.assert_array_equal(before, again)


def test_smoothed_labels_spread_the_target():
    probabilities = np.array([[0.7, 0.2, 0.1]], "float32")
    logits = keras.ops.convert_to_tensor(np.log(probabilities) + 5)  # a constant more changes no probability
    found = LOSSES["cross_entropy"].of_images(np.array([0]), logits, 0.3)
    np.testing.assert_allclose(found, [-(0.8 * np.log(0.7) + 0.1 * np.log(0.2) + 0.1 * np.log(0.1))], rtol=1e-5)


def test_the_loss_of_a_hopeless_digit_is_finite_and_exact():
    """Probabilities of 0 would make it infinite, or cut it off at the smallest number that is added to them."""
    logits = keras.ops.convert_to_tensor(np.array([[-500.0, 0.0]], "float32"))
    np.testing.assert_allclose(LOSSES["cross_entropy"].of_images(np.array([0]), logits, 0.0), [500.0])


def test_ten_crops_are_averaged(embedded):
    """Of an image that all crops see alike, ten say what one does; of others they do not."""
    engine = trainer(embedded, augmentation="photographs")
    same = dataclasses.replace(embedded.test, images=np.full_like(embedded.test.images, 7)).take(np.arange(20))
    one, ten = (engine.test(same, crops)[1] for crops in (1, 10))
    np.testing.assert_allclose(one, ten, rtol=1e-5)
    one, ten = (engine.test(embedded.test.take(np.arange(20)), crops)[1] for crops in (1, 10))
    assert ten.shape == (20, 10)
    np.testing.assert_allclose(ten.sum(axis=1), 1, rtol=1e-5)
    assert np.abs(one - ten).max() > 1e-4


def test_an_image_and_its_mirror_image_are_averaged(embedded):
    engine, some = trainer(embedded), embedded.test.take(np.arange(20))
    mirrored = dataclasses.replace(some, images=some.images[:, :, ::-1])
    one, other, both = (engine.test(*what)[1] for what in ((some,), (mirrored,), (some, 2)))
    np.testing.assert_allclose(both, (one + other) / 2, rtol=1e-5)


def test_the_test_is_the_evaluation_and_top5_counts_among_many_classes(embedded):
    engine = trainer(embedded)
    test, probabilities = engine.test(embedded.test)
    score = engine.evaluate(embedded.test)
    assert (test.accuracy, test.top5) == (score.accuracy, None)
    assert test.loss == pytest.approx(score.loss, rel=1e-5)
    assert (probabilities.argmax(axis=1) == embedded.test.labels).mean() == test.accuracy
    ranked = keras.ops.convert_to_tensor(np.tile(np.arange(12, dtype="float32"), (3, 1)) / 66)
    assert float(evaluation.sums(engine.loss, np.array([11, 7, 6]), ranked, ranked)[3]) == 2
