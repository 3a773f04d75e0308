"""Training batches are a function of (seed, step), whoever shares them."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_classics import decoding, pipeline
from keras_classics.datasets import Split

COUNT, BATCH = 50, 8


@pytest.fixture(scope="module")
def numbered():
    """Images whose one pixel is their number."""
    return Split(np.arange(COUNT, dtype=np.uint8).reshape(COUNT, 1, 1, 1), np.arange(COUNT))


def batches(split, steps, *, first_step=0, replicas=1, seed=3):
    def prepare(images, draws):
        return tf.cast(images, tf.float32) + tf.reshape(draws, (-1, 1, 1, 1))

    data = pipeline.training_batches(
        split, batch=BATCH, replicas=replicas, seed=seed, first_step=first_step, prepare=prepare, draws=1, size=1
    )
    taken = list(itertools.islice(data.as_numpy_iterator(), steps * replicas))
    return np.concatenate([images.ravel() for images, _ in taken]), np.concatenate([labels for _, labels in taken])


def test_every_epoch_shows_every_image_once_in_another_order(numbered):
    images, labels = batches(numbered, 3 * COUNT // BATCH + 1)
    np.testing.assert_array_equal(images.astype(int), labels)
    epochs = [labels[start : start + COUNT] for start in range(0, 3 * COUNT, COUNT)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(COUNT))
    assert not any((a == b).all() for a, b in itertools.combinations(epochs, 2))


def test_a_run_can_start_at_any_step(numbered):
    whole, later = batches(numbered, 12), batches(numbered, 5, first_step=7)
    np.testing.assert_array_equal(whole[0][7 * BATCH :], later[0])


def test_two_replicas_share_the_batches_of_one(numbered):
    np.testing.assert_array_equal(batches(numbered, 9)[0], batches(numbered, 9, replicas=2)[0])


def test_another_seed_gives_another_order(numbered):
    assert (batches(numbered, 6)[1] != batches(numbered, 6, seed=4)[1]).any()


def test_unreadable_pictures_are_found(tmp_path):
    """TIFF under another name too, which other readers would take."""
    paths = [tmp_path / name for name in ("good.png", "cut.png", "tiff.jpg")]
    Image.new("RGB", (40, 50)).save(paths[0])
    paths[1].write_bytes(paths[0].read_bytes()[:60])
    Image.new("RGB", (40, 50)).save(paths[2], "tiff")
    split = Split(np.array([str(path) for path in paths]), np.arange(3))
    np.testing.assert_array_equal(pipeline.unreadable_rows(split), [1, 2])


def test_pictures_in_files_are_scaled_and_cut(tmp_path):
    wide = np.zeros((30, 90, 3), np.uint8)
    wide[:, 30:60] = 200  # the middle square
    Image.fromarray(wide).save(tmp_path / "wide.png")
    picture = decoding.square((tmp_path / "wide.png").read_bytes(), 10).numpy()
    assert picture.shape == (10, 10, 3)
    assert (picture[:, 1:-1] == 200).all()
    split = Split(np.array([str(tmp_path / "wide.png")] * COUNT), np.arange(COUNT))
    data = pipeline.evaluation_batches(split, batch=BATCH, prepare=lambda images: images, size=10)
    seen = list(data.as_numpy_iterator())
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in seen]), np.arange(COUNT))
    assert seen[-1][0].shape == (COUNT % BATCH, 10, 10, 3)
