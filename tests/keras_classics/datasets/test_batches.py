"""``Split.batches``, for Keras' own ``fit``: every image once an epoch, in a new order, repeatable."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_classics
from keras_classics import datasets, lenet


@pytest.fixture
def numbered():
    """A split whose images and labels are their numbers."""
    numbers = np.arange(10)
    return datasets.Split(np.tile(numbers.astype(np.uint8)[:, None, None, None], (1, 4, 4, 1)), numbers)


def orders(batches, epochs):
    found = []
    for _ in range(epochs):
        images, labels = (np.concatenate(part) for part in zip(*batches.as_numpy_iterator(), strict=True))
        np.testing.assert_array_equal(images[:, 0, 0, 0], labels)
        found.append(labels.tolist())
    return found


def test_each_epoch_has_every_image_once_in_an_order_of_its_own(numbered):
    first, second = orders(numbered.batches(4), 2)
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert [first, second] == orders(numbered.batches(4), 2)
    assert first not in (list(range(10)), orders(numbered.batches(4, seed=1), 1)[0])


def test_the_last_batch_may_be_smaller_and_order_is_kept_where_it_is_asked_for(numbered):
    batches = numbered.batches(4, shuffle=False)
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    assert orders(batches, 2) == [list(range(10))] * 2


def test_a_users_preparation_may_branch_by_what_is_in_a_batch(numbered):
    def prepare(images):
        if tf.reduce_max(images) > 8:
            images = tf.zeros_like(images)
        return images

    found = [images.numpy().max() for images, _ in numbered.batches(5, prepare=prepare, shuffle=False)]
    assert found == [4, 0]


def test_keras_fits_evaluates_and_predicts_with_them(embedded):
    model = keras_classics.LeNet5()
    model.compile(
        "adam", "sparse_categorical_crossentropy", metrics=["accuracy"], steps_per_execution=8, jit_compile=False
    )
    batches = embedded.train.batches(64, prepare=lenet.preprocess_input)
    test = embedded.test.batches(64, prepare=lenet.preprocess_input, shuffle=False)
    model.fit(batches, validation_data=test, epochs=3, verbose=0)
    assert model.evaluate(test, verbose=0)[1] > 0.85
    by_arrays = model.predict(lenet.preprocess_input(embedded.test.images), verbose=0)
    np.testing.assert_allclose(model.predict(test, verbose=0), by_arrays, atol=1e-5)


def test_pictures_in_files_are_brought_to_one_size(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(20):
            Image.new("RGB", (50, 40), (number, 100, 200)).save(tmp_path / name / f"{number}.png")
    split = datasets.load(f"folder:{tmp_path}").train
    images, labels = next(iter(split.batches(len(split), size=24)))
    assert images.shape == (len(split), 24, 24, 3)
    assert np.bincount(labels).tolist() == np.bincount(split.labels).tolist()
    with pytest.raises(ValueError, match="size"):
        split.batches(4)


@pytest.mark.parametrize("batch", [0, -1, 2.5, "8", None])
def test_a_batch_that_is_no_whole_number_is_refused(numbered, batch):
    with pytest.raises(ValueError, match="batch"):
        numbered.batches(batch)
