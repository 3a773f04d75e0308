"""Folders of one sub-folder of pictures a class, as datasets."""

import hashlib
import os
import pathlib

import numpy as np

from keras_classics.datasets.dataset import Dataset, Split, stratified
from keras_classics.errors import InputError

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif")

_VALIDATION, _TEST = ("val", "valid", "validation"), ("test",)


def load(root):
    """The pictures below ``root``, split.

    Where ``root`` holds a folder ``train`` of class folders, and ``val`` (or ``valid``, ``validation``) or ``test``
    beside it, that is the split; if only one of the two is there, it tests, and a tenth of ``train`` validates. Else
    the class folders lie in ``root``, and a tenth of the pictures each, chosen by a hash of the path, validates and
    tests.

    Raises:
        InputError: there are fewer than two classes, or too few pictures, or classes that are not in ``train``.
    """
    root = pathlib.Path(root).resolve()
    if not root.is_dir():
        raise InputError(f"there is no folder {root}.")
    parts = _ready_made(root)
    class_names, train = _classes(parts[0] if parts else root)
    if parts is None:
        buckets = _buckets(train, root)
        test, validation = (train.take(np.flatnonzero(buckets == bucket)) for bucket in (0, 1))
        train = train.take(np.flatnonzero(buckets > 1))
    else:
        *others, test = (_classes(part, class_names)[1] for part in parts[1:])
        validation, train = (others[0], train) if others else stratified(train, len(train) // 10)
    if not (len(train) and len(validation) and len(test)):
        pictures = len(train) + len(validation) + len(test)
        raise InputError(f"the folder {root} holds {pictures} pictures; too few to train, validate and test.")
    spec = {"kind": "folder", "path": str(root)}
    return Dataset(f"folder:{root.name}", f"pictures in {root}", tuple(class_names), train, validation, test, spec)


def _ready_made(root):
    """The folders to train, (validate and) test from, or None if ``root`` is not laid out like that."""
    entries = {entry.name: entry for entry in root.iterdir() if _is_class(entry)}
    train = entries.get("train")
    if train is None or set(entries) - {"train", *_VALIDATION, *_TEST} or len(entries) < 2:
        return None
    if not any(_is_class(entry) and _pictures_in(entry) for entry in train.iterdir()):
        return None  # a class called "train"
    # "test" is last, whatever the other is called.
    return [train, *sorted((entries[name] for name in set(entries) - {"train"}), key=lambda part: part.name in _TEST)]


def _classes(root, known=None):
    """Names of the classes in ``root``, and a ``Split`` of their pictures; ``known`` are the classes it may have."""
    folders = {entry.name: _pictures_in(entry) for entry in sorted(root.iterdir()) if _is_class(entry)}
    folders = {name: pictures for name, pictures in folders.items() if pictures}
    names = known or list(folders)
    if known and set(folders) - set(known):
        raise InputError(f"the folder {root} has a class {min(set(folders) - set(known))!r} that is not trained on.")
    if len(names) < 2:
        raise InputError(
            f"the folder {root} holds pictures of {len(names)} classes; expected at least two sub-folders "
            f"of {', '.join(PICTURE_SUFFIXES)} files, one a class."
        )
    paths = [path for name in names for path in folders.get(name, [])]
    labels = np.repeat(np.arange(len(names)), [len(folders.get(name, [])) for name in names])
    return names, Split(np.array(paths, str), labels.astype(np.int64))


def _buckets(split, root):
    """A number from 0 to 9 for each picture, by a hash of its path below ``root``."""
    below = len(str(root / "x")) - 1
    keys = (path[below:].replace(os.sep, "/").encode() for path in split.images)
    return np.array([int.from_bytes(hashlib.sha256(key).digest()[:4], "big") % 10 for key in keys])


def _is_class(entry):
    return entry.is_dir() and not entry.name.startswith(".")


def _pictures_in(folder):
    """Paths of the picture files in a folder and those below it, sorted."""
    found = []
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)  # noqa: PTH118 (a Path each for a million files takes minutes)
            if name.lower().endswith(PICTURE_SUFFIXES) and os.path.isfile(path):  # noqa: PTH113
                try:
                    path.encode()
                except UnicodeEncodeError as error:
                    raise InputError(f"the name of {os.fsencode(path)!r} is not UTF-8; rename it.") from error
                found.append(path)
    return sorted(found, key=lambda path: path.split(os.sep))  # noqa: PTH206
