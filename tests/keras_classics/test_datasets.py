"""Datasets: what is found, how it is split, and how soon an absent network is given up."""

import gzip
import socket
import time

import numpy as np
import pytest
from PIL import Image

from keras_classics import datasets
from keras_classics.errors import InputError


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
    with pytest.raises(InputError, match=r"'mnits'.*auto, mnist, fashion_mnist, cifar10, embedded, folder:PATH"):
        datasets.load("mnits")


@pytest.fixture
def silent_host(monkeypatch):
    """A host that accepts connections and never says a word, in place of the dataset's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/labels"
        monkeypatch.setitem(datasets._PUBLISHED, "mnist", datasets._Published(5_000, url))
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
    with pytest.raises(InputError, match=r"mnist is not in .* --data-dir"):
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


@pytest.fixture
def idx_folder(tmp_path):
    """Digits as MNIST was published: training files gzipped, test files not."""
    data = datasets.load("embedded")
    for name, split in (("train", data.train), ("t10k", data.test)):
        images, labels = split.images[:240], split.labels[:240]
        for kind, values in (("images-idx3", images[..., 0]), ("labels-idx1", labels.astype(np.uint8))):
            content = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes() + values.tobytes()
            path = tmp_path / f"{name}-{kind}-ubyte"
            if name == "train":
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(content))
            else:
                path.write_bytes(content)
    return tmp_path


def test_files_as_mnist_was_published_in_are_read(idx_folder):
    data, digits = datasets.load(f"idx:{idx_folder}"), datasets.load("embedded")
    assert (len(data.train), len(data.validation), len(data.test)) == (220, 20, 240)
    assert rows(data.train) | rows(data.validation) == rows(digits.train.take(np.arange(240)))
    np.testing.assert_array_equal(data.test.images, digits.test.images[:240])
    np.testing.assert_array_equal(data.test.labels, digits.test.labels[:240])


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("t10k-images-idx3-ubyte", lambda content: content[:-1], "its header makes it"),
        ("t10k-images-idx3-ubyte", lambda content: b"\x01" + content[1:], "not an IDX file"),
        ("t10k-labels-idx1-ubyte", lambda content: content[:7] + b"\x03" + content[8:11], "240 images and"),
        ("train-labels-idx1-ubyte.gz", lambda content: content[:30], "cannot be read"),
        ("train-images-idx3-ubyte.gz", None, "there is no train-images-idx3-ubyte"),
    ],
)
def test_damaged_idx_files_are_named(name, change, said, idx_folder):
    path = idx_folder / name
    content = path.read_bytes()
    path.unlink()
    if change:
        path.write_bytes(change(content))
    with pytest.raises(InputError, match=said):
        datasets.load(f"idx:{idx_folder}")
