"""A dataset can be loaded again by what it says of itself, from any working directory."""

import json
import shutil
import struct

import numpy as np
import pytest
from PIL import Image

from keras_classics import datasets
from keras_classics.errors import InputError

ODD = "my [data] é $1 #%?"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with pictures and IDX files in folders of odd names."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        for number in range(20):
            path = tmp_path / ODD / "pictures" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (9 + number, 8, 3), np.uint8)).save(path)
    (tmp_path / ODD / "idx").mkdir()
    for prefix in ("train", "t10k"):
        for what, values in (("images-idx3", random.integers(0, 256, (48, 5, 5))), ("labels-idx1", np.arange(48) % 3)):
            head = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
            path = tmp_path / ODD / "idx" / f"{prefix}-{what}-ubyte"
            path.write_bytes(head + values.astype(np.uint8).tobytes())
    return tmp_path


@pytest.mark.parametrize("kind", ["folder:pictures", "idx:idx"])
@pytest.mark.parametrize("where", [f"{ODD}/", f"./x/../{ODD}/", f"~/{ODD}/", "{home}/" + f"{ODD}/"])
def test_from_any_folder_by_any_way_of_saying_where(kind, where, home, monkeypatch, tmp_path_factory):
    kind, path = kind.split(":")
    data = datasets.load(f"{kind}:{where.format(home=home)}{path}")
    assert data.spec == {"kind": kind, "path": str(home / ODD / path)}
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    again = datasets.from_spec(json.loads(json.dumps(data.spec)))
    assert again.describe() == data.describe()


def test_embedded_and_prepared_data_too(monkeypatch):
    data = datasets.load("embedded")
    assert data.padded(32).spec == data.spec == {"kind": "embedded"}
    assert datasets.from_spec(data.spec).describe() == data.describe()


def test_prepared_data_is_found_again_without_being_told_where(data_dir, monkeypatch, tmp_path):
    data = datasets.load("mnist", data_dir)
    monkeypatch.delenv(datasets.DATA_DIR_VARIABLE)
    monkeypatch.chdir(tmp_path)
    assert datasets.from_spec(data.spec).describe() == data.describe()
    moved = {**data.spec, "data_dir": str(tmp_path / "gone")}
    assert datasets.from_spec(moved, data_dir).describe() == data.describe()


def test_a_folder_that_was_moved_is_the_same_data_and_one_that_was_changed_is_not(home):
    before = datasets.load(f"folder:{ODD}/pictures").describe()
    shutil.move(home / ODD / "pictures", home / "moved")
    after = datasets.load("folder:moved").describe()
    assert after["sha256"] == before["sha256"]
    assert after["spec"] != before["spec"]
    picture = next((home / "moved" / "a").iterdir())
    picture.write_bytes(picture.read_bytes() + b"0")
    assert datasets.load("folder:moved").describe()["sha256"] != before["sha256"]


@pytest.mark.parametrize("spec", [None, {}, [], {"kind": "x"}, {"kind": "folder"}, {"kind": "tfds", "name": "y"}])
def test_what_is_no_spec_is_refused(spec):
    with pytest.raises(InputError, match="does not say which dataset"):
        datasets.from_spec(spec)
