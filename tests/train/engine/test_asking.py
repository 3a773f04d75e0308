"""Networks that are asked once: what they say belongs to the pictures that training shows."""

import dataclasses

import numpy as np
import pytest

from keras_classics import datasets, lenet, runtime
from keras_classics.errors import InputError
from train import recipes
from train.engine import asking
from train.engine.batches import Batches

VERSIONS = 3
RECIPE = dataclasses.replace(recipes.LENET5["distilled"], versions=VERSIONS, batch_size=20)


@pytest.fixture
def batches(embedded):
    few = datasets.Split(embedded.train.images[:60].copy(), embedded.train.labels[:60].copy())
    few = dataclasses.replace(embedded, train=few)
    return Batches(few, RECIPE, preprocessing=lenet.PREPROCESSING, size=lenet.IMAGE_SIZE)


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_CLASSICS_CACHE_DIR", str(tmp_path))


def shown(batches, asked, steps, **which):
    """``steps`` training batches, as (images, labels, answers) of NumPy arrays."""
    stream = batches.training(asked=asked, **which).as_numpy_iterator()
    return [next(stream) for _ in range(steps)]


def test_the_answers_are_about_the_pictures_that_are_shown(batches, model):
    asked = asking.ask(model, batches, lanes=2)
    for images, labels, answers in shown(batches, asked, 12):  # four epochs: the first version again
        np.testing.assert_allclose(answers, model.predict_on_batch(images), atol=2e-6)
        assert (answers.argmax(axis=1) == labels).mean() > 0.7
        assert images.std() > 0.1


def test_an_epoch_shows_each_picture_once_and_the_next_another_version(batches, model):
    asked = asking.ask(model, batches)
    epochs = np.split(np.concatenate([images for images, *_ in shown(batches, asked, 12)]), 4)
    pictures = [{image.tobytes() for image in epoch} for epoch in epochs]
    assert [len(epoch) for epoch in pictures] == [60] * 4
    assert not pictures[0] & pictures[1] and not pictures[0] & pictures[2] and not pictures[1] & pictures[2]
    assert pictures[3] == pictures[0]


def test_devices_share_the_pictures_of_a_step(batches, model):
    asked = asking.ask(model, batches)
    alone = shown(batches, asked, 2)
    shares = shown(batches, asked, 4, replicas=2)
    for step, whole in enumerate(alone):
        for one, parts in zip(whole, zip(*shares[2 * step : 2 * step + 2], strict=True), strict=True):
            np.testing.assert_allclose(one, np.concatenate(parts), rtol=1e-5)


def test_more_versions_than_memory_holds_are_refused(batches, model, monkeypatch):
    monkeypatch.setattr(runtime, "memory", lambda: 2 * 60 * VERSIONS * 32 * 32 - 1)
    with pytest.raises(InputError, match="versions of each of 60 pictures would take"):
        asking.ask(model, batches)


def test_they_are_asked_once(batches, model, monkeypatch):
    first = shown(batches, asking.ask(model, batches), 1)
    monkeypatch.setattr(asking, "_said", lambda *_: pytest.fail("asked again"))
    again = shown(batches, asking.ask(model, batches), 1)
    np.testing.assert_array_equal(first[0][2], again[0][2])
    same_weights = lenet.LeNet5(activation="relu")
    same_weights.set_weights(model.get_weights())
    for other in (lenet.LeNet5(), same_weights):
        with pytest.raises(pytest.fail.Exception):
            asking.ask(other, batches)


@pytest.mark.parametrize("augmentation", ["digits", "elastic_digits"])
def test_half_as_far_is_between_not_at_all_and_all_the_way(augmentation, batches, embedded):
    def away(distortion):
        recipe = dataclasses.replace(RECIPE, augmentation=augmentation, distortion=distortion)
        varied = Batches(embedded, recipe, preprocessing=lenet.PREPROCESSING, size=lenet.IMAGE_SIZE)
        draws = np.random.default_rng(0).random((50, varied.draws), np.float32)
        as_they_are = lenet.preprocess_input(embedded.train.images[:50])
        return np.abs(varied.varied()(embedded.train.images[:50], draws) - as_they_are).mean()

    assert away(0.0) < 1e-5
    assert 0.02 < away(0.5) < 0.9 * away(1.0)
