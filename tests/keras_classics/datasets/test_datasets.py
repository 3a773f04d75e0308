"""Datasets: what is found, how it is split, and how soon an absent network is given up."""

import gzip
import io
import os
import socket
import struct
import time
import tracemalloc
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from keras_classics import datasets
from keras_classics.datasets import idx, prepared, windows
from keras_classics.errors import InputError
from tests.hostile.records import with_length


def rows(split):
    return {image.tobytes() for image in split.images}


def test_embedded_digits_are_5000_in_three_disjoint_balanced_splits():
    data = datasets.load("embedded")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [3_500, 500, 1_000]
    for split in (data.train, data.validation, data.test):
        assert set(np.bincount(split.labels)) == {len(split) // 10}
    assert not rows(data.train) & rows(data.test)
    assert not rows(data.validation) & (rows(data.train) | rows(data.test))


def test_padding_centres_the_digit_in_background():
    small, padded = datasets.load("embedded").test.images, datasets.load("embedded").padded(32).test.images
    np.testing.assert_array_equal(padded[:, 2:30, 2:30], small)
    assert padded.sum() == small.sum()


def test_stratified_split_has_exact_size_and_even_shares():
    labels = np.repeat(np.arange(3), [100, 50, 10])
    split = datasets.Split(np.arange(160).reshape(160, 1, 1, 1), labels)
    chosen, rest = datasets.stratified(split, 33)
    assert len(chosen) == 33
    assert len(rest) == 127
    assert not rows(chosen) & rows(rest)
    assert np.abs(np.bincount(chosen.labels) - np.array([100, 50, 10]) * 33 / 160).max() <= 1


def test_fingerprint_tells_datasets_apart():
    data = datasets.load("embedded")
    assert data.describe() == datasets.load("embedded").describe()
    assert data.describe()["sha256"] != data.padded(32).describe()["sha256"]


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"'mnits'.*auto, mnist, fashion_mnist, cifar10, .*, folder:PATH"):
        datasets.load("mnits")
    with pytest.raises(InputError, match="folder: is to be followed by the path"):
        datasets.load("folder:")


@pytest.fixture
def silent_host(monkeypatch):
    """A host that accepts connections and never says a word, in place of the dataset's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/labels"
        monkeypatch.setitem(prepared.PUBLISHED, "mnist", prepared.Published(5_000, url))
        monkeypatch.delenv(datasets.DATA_DIR_VARIABLE, raising=False)
        yield


def test_auto_gives_up_a_silent_network_within_seconds(silent_host, tmp_path, capsys):
    start = time.monotonic()
    data = datasets.load("auto", str(tmp_path))
    assert time.monotonic() - start < 30  # TFDS alone would try for minutes
    assert data.name == "embedded"
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "mnist is not in" in said
    assert "embedded" in said


def test_mnist_insists(silent_host, tmp_path):
    with pytest.raises(InputError, match=r"mnist is not in .* with data_dir"):
        datasets.load("mnist", str(tmp_path))


def test_mnist_on_disk_is_read_whole(data_dir):
    data = datasets.load("auto", data_dir)
    assert (data.name, len(data.train), len(data.validation), len(data.test)) == ("mnist", 55_000, 5_000, 10_000)
    assert not rows(data.train) & rows(data.validation)
    assert rows(datasets.load("embedded").test) <= rows(data.train) | rows(data.validation)
    assert data.class_names == tuple("0123456789")


@pytest.fixture
def picture_folder(tmp_path):
    for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        (tmp_path / name).mkdir()
        for number in range(40):
            Image.new("RGB", (40 + number, 50), colour).save(tmp_path / name / f"{number}.png")
    (tmp_path / "red" / "notes.txt").write_text("not a picture")
    return tmp_path


def test_folder_has_one_class_a_sub_folder_and_a_stable_split(picture_folder):
    data, again = (datasets.load(f"folder:{picture_folder}") for _ in range(2))
    assert data.class_names == ("blue", "red")
    assert len(data.train) + len(data.validation) + len(data.test) == 80
    assert data.describe() == again.describe()
    (picture_folder / "red" / "new.png").write_bytes((picture_folder / "red" / "0.png").read_bytes())
    assert set(data.test.images) <= set(datasets.load(f"folder:{picture_folder}").test.images)


def test_folder_counts_only_classes_with_pictures(picture_folder):
    for name in ("empty", ".git"):
        (picture_folder / name).mkdir()
    (picture_folder / ".git" / "x.png").write_bytes(b"")
    (picture_folder / "red" / "dangling.png").symlink_to(picture_folder / "absent.png")
    data = datasets.load(f"folder:{picture_folder}")
    assert data.class_names == ("blue", "red")
    assert len(data.train) + len(data.validation) + len(data.test) == 80


def test_folder_without_classes_is_refused(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        datasets.load(f"folder:{tmp_path / 'absent'}")
    with pytest.raises(InputError, match="0 classes"):
        datasets.load(f"folder:{tmp_path}")


def test_folder_laid_out_as_train_val_test_is_split_like_that(picture_folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("laid_out")
    for part in ("train", "val", "test"):
        (root / part).symlink_to(picture_folder)
    data = datasets.load(f"folder:{root}")
    assert data.class_names == ("blue", "red")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [80, 80, 80]
    (root / "test").unlink()
    data = datasets.load(f"folder:{root}")  # what is beside "train" tests
    assert [len(split) for split in (data.train, data.validation, data.test)] == [72, 8, 80]
    (root / "val").unlink()
    (root / "val" / "green").mkdir(parents=True)
    (root / "val" / "green" / "0.png").symlink_to(picture_folder / "red" / "0.png")
    with pytest.raises(InputError, match="class 'green' that is not trained on"):
        datasets.load(f"folder:{root}")


def write_idx(path, array, *, header=None, end=None):
    shape = header or array.shape
    content = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()
    path.write_bytes((gzip.compress if path.suffix == ".gz" else bytes)(content[:end]))


def zipped(claimed, data):
    """A gzipped idx file of labels that announces ``claimed`` of them."""
    return gzip.compress(struct.pack(">4BI", 0, 0, 8, 1, claimed) + data, 1)


def shuffled_digits():
    return datasets.load("embedded").test.take(np.random.default_rng(0).permutation(1_000))


@pytest.fixture
def idx_folder(tmp_path):
    """The test digits of the embedded set, 600 to train (gzipped) and 400 to test (not), as MNIST was published."""
    digits = shuffled_digits()
    for prefix, end, rows in (("train", ".gz", slice(0, 600)), ("t10k", "", slice(600, None))):
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte{end}", digits.images[rows, :, :, 0])
        write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte{end}", digits.labels[rows].astype(np.uint8))
    return tmp_path


def test_idx_files_hold_the_digits_that_were_written(idx_folder):
    data, digits = datasets.load(f"idx:{idx_folder}"), shuffled_digits()
    assert (len(data.train), len(data.validation)) == (550, 50)
    np.testing.assert_array_equal(data.test.images, digits.images[600:])
    np.testing.assert_array_equal(data.test.labels, digits.labels[600:])
    assert rows(data.train) | rows(data.validation) == rows(digits.take(np.arange(600)))
    assert data.class_names == tuple("0123456789")
    assert datasets.load(data.name).describe() == data.describe()  # the name leads back to the data


def test_damaged_idx_files_are_refused_by_name(idx_folder):
    labels = idx_folder / "t10k-labels-idx1-ubyte"
    numbers = np.frombuffer(labels.read_bytes()[8:], np.uint8)
    for damage, said in (
        (lambda: write_idx(labels, numbers, end=-1), "holds 399 bytes of data; its header announces 400"),
        (lambda: write_idx(labels, numbers[:-1]), "400 images and .*t10k-labels-idx1-ubyte 399 labels"),
        (lambda: write_idx(labels, numbers.reshape(20, 20)), "2 dimensions; labels have 1"),
        (lambda: labels.write_bytes(b"<html>"), "is not an idx file"),
        (lambda: labels.write_bytes(zipped(4000, bytes(4000))[:-9]), "cannot be read"),
        (lambda: write_idx(labels, np.full(400, 200, np.uint8)), "leave out classes from 0 to 200"),
        (lambda: labels.write_bytes(bytes([0, 0, 8, 70]) + b"\0\0\0\1" * 70 + b"\7"), "claims 70 dimensions"),
        (lambda: labels.write_bytes(zipped(2**32 - 1, b"")), "can hold [0-9,]+ bytes"),
        (lambda: labels.write_bytes(zipped(9, bytes(10))), "more than 9 bytes"),
        (lambda: labels.write_bytes(zipped(9, bytes(8))), "holds 8 bytes"),
        (lambda: labels.write_bytes(struct.pack(">4BI", 0, 0, 8, 1, 2**32 - 1)), "holds 0 bytes"),
        (labels.unlink, "there is no t10k-labels-idx1-ubyte"),
    ):
        damage()
        with pytest.raises(InputError, match=said):
            datasets.load(f"idx:{idx_folder}")


def test_a_bomb_in_gzip_is_not_unpacked(idx_folder):
    """300 MB of zeros behind a header that announces four bytes."""
    labels = idx_folder / "t10k-labels-idx1-ubyte"
    labels.write_bytes(zipped(4, bytes(300_000_000)))
    tracemalloc.start()
    with pytest.raises(InputError, match="holds more than 4 bytes of data; its header announces 4"):
        idx.read(labels)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_mapping_that_would_be_waited_for_is_passed_over(idx_folder):
    os.mkfifo(idx_folder / "digits-mapping.txt")
    assert datasets.load(f"idx:{idx_folder}").class_names == tuple("0123456789")
    (idx_folder / "mapping.txt").write_text(" " * 2_000_000)
    with pytest.raises(InputError, match="more than 1,048,576 bytes"):
        datasets.load(f"idx:{idx_folder}")


def test_images_larger_than_the_network_takes_are_refused(idx_folder):
    with pytest.raises(InputError, match="28 × 28 pixels; expected at most 20"):
        datasets.load(f"idx:{idx_folder}").padded(20)


@pytest.fixture(scope="module")
def imagenette(tmp_path_factory):
    """A folder where TFDS finds Imagenette: its features, version and file layout, but 60 + 20 pictures of ours."""
    import tensorflow_datasets as tfds

    root = tmp_path_factory.mktemp("tfds")
    published = tfds.builder("imagenette", data_dir=str(root))

    def examples(count, seed):
        random = np.random.default_rng(seed)
        for number in range(count):
            file = io.BytesIO()
            Image.fromarray(random.integers(0, 256, (30, 40 + number % 7, 3), np.uint8)).save(file, "jpeg")
            yield number, {"image": io.BytesIO(file.getvalue()), "label": number % 10}

    made = {"train": examples(60, 0), "validation": examples(20, 1)}
    with mock.patch.object(type(published), "_split_generators", lambda self, dl_manager: made):
        config = tfds.download.DownloadConfig(num_shards=3, try_download_gcs=False)
        published.download_and_prepare(download_config=config)
    return root


def test_pictures_of_tfds_stay_in_their_shards_and_any_of_them_can_be_read(imagenette, tmp_path, monkeypatch, capfd):
    """Against TFDS' own reading; the index is made once."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    monkeypatch.setenv("KERAS_CLASSICS_CACHE_DIR", str(tmp_path))
    data = datasets.load("imagenette", str(imagenette))
    assert "Indexing imagenette, train: 3 files" in capfd.readouterr().err
    assert [len(split) for split in (data.train, data.validation, data.test)] == [54, 6, 20]
    assert not data.train.in_memory
    assert len(data.class_names) == 10
    assert data.spec == {"kind": "tfds", "name": "imagenette", "data_dir": str(imagenette)}
    everything = tfds.builder("imagenette", data_dir=str(imagenette)).as_dataset(
        "validation", decoders={"image": tfds.decode.SkipDecoding()}
    )
    expected = [(example["image"], example["label"]) for example in everything.as_numpy_iterator()]
    read = windows.reader(data.test)
    for row in (19, 0, 7):
        assert read(tf.constant(row, tf.int64)).numpy() == expected[row][0]
        assert data.test.labels[row] == expected[row][1]
    assert datasets.load("imagenette", str(imagenette)).describe() == data.describe()
    assert "Indexing" not in capfd.readouterr().err
    for shard in imagenette.glob("imagenette/*/*/*train*00001-of*"):
        content = shard.read_bytes()
        assert with_length(content, int.from_bytes(content[:8], "little")) == content
        shard.write_bytes(with_length(content, 60_000_000_000))  # its checksum is right: TensorFlow would believe it
        with pytest.raises(InputError, match=r"shards cannot be read: .* a record of 60,000,000,000 bytes"):
            datasets.load("imagenette", str(imagenette))
        shard.write_bytes(content)
    shard = next(imagenette.glob("imagenette/*/*/*train*00001-of*"))
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"shards cannot be read: .*prepare it anew"):
        datasets.load("imagenette", str(imagenette))


def test_imagenet_that_is_not_prepared_is_explained(tmp_path):
    with pytest.raises(InputError, match=r"imagenet2012 is not in .*`tfds build imagenet2012 --manual_dir"):
        datasets.load("imagenet2012", str(tmp_path))
