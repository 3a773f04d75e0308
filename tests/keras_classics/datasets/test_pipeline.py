"""Training batches are a function of (seed, step), whoever shares them."""

import hashlib
import itertools
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_classics.datasets import Split, memory_cache, pipeline, windows
from keras_classics.datasets.unreadable import Unreadable
from keras_classics.errors import InputError

COUNT, BATCH = 50, 8


@pytest.fixture(scope="module")
def numbered():
    """Images whose one pixel is their number."""
    return Split(np.arange(COUNT, dtype=np.uint8).reshape(COUNT, 1, 1, 1), np.arange(COUNT))


def batches(split, steps, *, first_step=0, replicas=1, seed=3, size=1, **options):
    def prepare(images, draws):
        return tf.cast(images, tf.float32) + tf.reshape(draws[:, 0], (-1, 1, 1, 1))

    data = pipeline.training_batches(
        split,
        batch=BATCH,
        replicas=replicas,
        seed=seed,
        first_step=first_step,
        prepare=prepare,
        draws=3,
        size=size,
        **options,
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
    """Not TIFF under another name, which the decoder takes; Encapsulated PostScript it does not."""
    paths = [tmp_path / name for name in ("good.png", "cut.png", "tiff.jpg", "postscript.png", "absent.png")]
    Image.new("RGB", (40, 50)).save(paths[0])
    paths[1].write_bytes(paths[0].read_bytes()[:60])
    Image.new("RGB", (40, 50)).save(paths[2], "tiff")
    Image.new("RGB", (40, 50)).save(paths[3], "eps")
    split = Split(np.array([str(path) for path in paths]), np.arange(5))
    np.testing.assert_array_equal(pipeline.unreadable_rows(split), [1, 3, 4])


def test_pictures_in_files_are_scaled_and_cut(tmp_path):
    wide = np.zeros((30, 90, 3), np.uint8)
    wide[:, 30:60] = 200  # the middle square
    Image.fromarray(wide).save(tmp_path / "wide.png")
    picture = windows.square((tmp_path / "wide.png").read_bytes(), 10).numpy()
    assert picture.shape == (10, 10, 3)
    assert (picture[:, 1:-1] == 200).all()
    split = Split(np.array([str(tmp_path / "wide.png")] * COUNT), np.arange(COUNT))
    data = pipeline.evaluation_batches(split, batch=BATCH, prepare=lambda images: images, size=10)
    seen = list(data.as_numpy_iterator())
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in seen]), np.arange(COUNT))
    assert seen[-1][0].shape == (COUNT % BATCH, 10, 10, 3)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Photograph-like JPEG files: smooth colours, shorter side 40, all different."""
    folder, random = tmp_path_factory.mktemp("files"), np.random.default_rng(0)
    for number in range(COUNT):
        small = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
        small.resize((40 + number, 40) if number % 2 else (40, 40 + number), Image.BICUBIC).save(
            folder / f"{number:02}.jpg"
        )
    return Split(np.array(sorted(map(str, folder.iterdir()))), np.arange(COUNT))


def test_held_or_not_decoded_whole_or_not_the_batches_are_the_same(files):
    """A window is what would have been cut out of the whole picture."""
    options = {"size": 40, "first_step": 2}
    images, labels = batches(files, 8, crop=32, **options)
    held, how, taken = memory_cache.hold(files, 40, COUNT * 40 * 40 * 3, Unreadable())
    assert (held.in_memory, taken) == (True, COUNT * 40 * 40 * 3)
    assert "decoded" in how
    encoded, how, _ = memory_cache.hold(files, 40, COUNT * 40 * 40 * 3 - 1, Unreadable())
    assert encoded.images[3] == pathlib.Path(files.images[3]).read_bytes()
    assert "encoded" in how
    left, how, taken = memory_cache.hold(files, 40, 1000, Unreadable())
    assert (left, taken) == (files, 0)
    assert "read from disk" in how
    for other in (held, encoded):
        again = batches(other, 8, crop=32, **options)
        np.testing.assert_array_equal(again[0], images)
        np.testing.assert_array_equal(again[1], labels)
        assert fingerprint(other) == fingerprint(files)

    def cut(images, draws):
        corners = pipeline.corner_of(draws[:, :2], 8)
        return tf.stack([images[i, y : y + 32, x : x + 32] for i, (y, x) in enumerate(corners.numpy())])

    whole = pipeline.training_batches(
        files,
        batch=BATCH,
        replicas=1,
        seed=3,
        first_step=2,
        prepare=lambda images, draws: (tf.cast(images, tf.float32), draws),
        draws=3,
        size=40,
    )
    for start, ((pictures, draws), _) in zip(range(0, len(images), BATCH * 32 * 32 * 3), whole.take(8), strict=False):
        expected = cut(pictures, draws) + tf.reshape(draws[:, 0], (-1, 1, 1, 1))
        np.testing.assert_array_equal(images[start : start + expected.numpy().size], expected.numpy().ravel())


def fingerprint(split):
    digest = hashlib.sha256()
    split.update(digest)
    return digest.digest()


@pytest.fixture
def damaged(files, tmp_path):
    """The same with pictures 10, 11 and 40 spoilt: cut short, empty, and gone."""
    paths = [pathlib.Path(shutil.copy(path, tmp_path)) for path in files.images]
    paths[10].write_bytes(paths[10].read_bytes()[:300])
    paths[11].write_bytes(b"")
    paths[40].unlink()
    return Split(np.array([str(path) for path in paths]), files.labels)


@pytest.mark.parametrize("crop", [None, 32])
def test_a_bad_picture_is_named_once_and_the_next_takes_its_place(files, damaged, crop, capfd):
    unreadable = Unreadable(3)
    epochs = 3 * COUNT // BATCH
    images, labels = batches(damaged, epochs, size=40, crop=crop, unreadable=unreadable)
    good, expected = batches(files, epochs, size=40, crop=crop)
    np.testing.assert_array_equal(labels, np.select([np.isin(expected, [10, 11]), expected == 40], [12, 41], expected))
    assert sorted(unreadable.names) == sorted(damaged.images[[10, 11, 40]])
    assert capfd.readouterr().err.count("Cannot decode") == 3
    same = np.repeat(labels == expected, len(images) // len(labels))
    np.testing.assert_array_equal(images[same], good[same])
    held, _, _ = memory_cache.hold(damaged, 40, 10**9, Unreadable(3))
    np.testing.assert_array_equal(batches(held, epochs, size=40, crop=crop)[0], images)


def test_more_bad_pictures_than_are_borne_stop_the_run(damaged):
    unreadable = Unreadable(2)
    with pytest.raises(tf.errors.OpError, match="cannot decode 3 of the pictures"):
        batches(damaged, COUNT // BATCH + 1, size=40, unreadable=unreadable)
    with pytest.raises(InputError, match=r"cannot decode 3 of the pictures, such as .*; at most 2 are tolerated"):
        unreadable.check()
    nothing = Split(damaged.images[[10, 11]], np.arange(2))
    with pytest.raises(InputError, match="cannot decode any of the 2 pictures"):
        memory_cache.hold(nothing, 40, 10**9, Unreadable(2))


def test_evaluation_leaves_bad_pictures_out(damaged):
    unreadable = Unreadable(3)
    split = pipeline.without_unreadable(damaged, unreadable)
    np.testing.assert_array_equal(split.labels, np.delete(np.arange(COUNT), [10, 11, 40]))
    assert len(unreadable.names) == 3
    with pytest.raises(InputError, match="none is tolerated"):
        pipeline.without_unreadable(damaged, Unreadable())
