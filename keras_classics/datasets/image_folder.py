"""Folders of one sub-folder of pictures a class, as datasets."""

import os
import pathlib
import sys
import unicodedata

import numpy as np

from keras_classics.datasets import division, picture_files, split_names
from keras_classics.datasets.dataset import Dataset, Split, stratified
from keras_classics.datasets.decoding import SUFFIXES
from keras_classics.errors import InputError

_PARTS = ("train", "validation", "test")


def load(root):
    """The pictures below ``root``, split.

    Where ``root`` holds a folder ``train`` of class folders, and ``val`` or ``test`` or both beside it (or other usual
    spellings, ``split_names``), that is the split; if only one of the two is there, it tests, and a tenth of ``train``
    validates. Else the class folders lie in ``root`` (or in a folder ``train`` alone in it), and ``division.divide``
    splits them. Files that are no pictures are skipped (``picture_files``) and counted on stderr.

    Raises:
        InputError: there are fewer than two classes, too few pictures, a class without a picture that can be read,
            splits with different classes, or folders called like splits that do not fit together.
    """
    root = pathlib.Path(root).resolve()
    skipped = picture_files.Skipped(root)
    folders = picture_files.folders_in(root, skipped)
    parts = _ready_made(root, folders)
    for name in set(folders) - set(parts.values()) if parts else ():
        skipped.note(picture_files.EMPTY, folders[name])
    if len(parts) > 1:
        names, *split = _splits({part: folders[name] for part, name in parts.items()}, skipped)
    else:
        if parts:
            folders = picture_files.folders_in(folders[parts["train"]], skipped)
        names, paths, labels = _classes(root, folders, skipped)
        where = division.divide(paths, labels, str(root))
        order = (division.TRAIN, division.VALIDATION, division.TEST)
        split = [Split(paths[where == part], labels[where == part]) for part in order]
    skipped.tell()
    _check(root, names, split)
    spec = {"kind": "folder", "path": str(root)}
    return Dataset(f"folder:{root.name}", f"pictures in {root}", tuple(names), *split, spec)


def _ready_made(root, folders):
    """``{"train": name, …}`` of the folders that are splits; {} where they are classes."""
    found = split_names.roles(folders)
    if not found:
        return {}
    full = {name for name, path in folders.items() if picture_files.has_pictures(path, root)}
    deep = set()
    for name in full & set(found):
        inside = picture_files.folders_in(folders[name], picture_files.Skipped(root))
        if any(picture_files.has_pictures(path, root) for path in inside.values()):
            deep.add(name)
    found = {name: role for name, role in found.items() if name in full}
    return split_names.arranged(found, deep, full - set(found), root)


def _splits(folders, skipped):
    """Class names, and the splits to train, validate and test from, of ready-made folders."""
    read = {}
    for part, folder in folders.items():
        read[part] = _classes(folder, picture_files.folders_in(folder, skipped), skipped, fewest=1)
    names = read["train"][0]
    for part in set(read) - {"train"}:
        lacking, more = set(names) - set(read[part][0]), set(read[part][0]) - set(names)
        if more:
            raise InputError(
                f"the folder {folders[part]} has a class {min(more)!r} that is not trained on: splits need the same "
                f"classes, and {folders['train']} has none of it."
            )
        if lacking:
            raise InputError(
                f"the folder {folders[part]} has no picture of the class {min(lacking)!r}, which {folders['train']} "
                "has; splits need the same classes."
            )
    if len(names) < 2:
        raise _too_few_classes(folders["train"], names, {})
    if "test" not in read:
        read["test"] = read.pop("validation")
    numbers = {"train": division.TRAIN, "validation": division.VALIDATION, "test": division.TEST}
    paths, labels = (np.concatenate([read[part][column] for part in read]) for column in (1, 2))
    where = np.concatenate([np.full(len(read[part][1]), numbers[part]) for part in read])
    keep = division.apart(paths, labels, where)
    paths, labels, where = paths[keep], labels[keep], where[keep]
    train, validation, test = (Split(paths[where == numbers[p]], labels[where == numbers[p]]) for p in _PARTS)
    if not len(validation):
        validation, train = stratified(train, max(len(train) // 10, min(len(names), len(train) - len(names))))
    return names, train, validation, test


def _classes(root, folders, skipped, fewest=2):
    """Names of the classes in folders, paths of their pictures, and labels."""
    found = {}
    for name, folder in folders.items():
        seen = picture_files.Skipped(skipped.root)
        pictures = picture_files.pictures_below(folder, seen)
        skipped.add(seen)
        others = seen.names.get(picture_files.OTHER)
        if not pictures and others:
            raise InputError(
                f"the class folder {folder} has no picture that can be read, only {picture_files.formats(others)}; "
                f"expected {', '.join(SUFFIXES)}: convert its files, or move it away."
            )
        if any(os.sep in path[len(folder) + 1 :] for path in pictures):
            _refuse_splits_inside(folder)
        same = unicodedata.normalize("NFC", name)
        if same in found:
            raise InputError(f"the folder {root} has two class folders called {same!r}; make one of them.")
        if pictures:
            found[same] = pictures
        else:
            skipped.note(picture_files.EMPTY, folder)
    if len(found) < fewest:
        skipped.tell()
        raise _too_few_classes(root, found, folders)
    names = sorted(found)
    paths = np.array([path for name in names for path in found[name]], str)
    labels = np.repeat(np.arange(len(names)), [len(found[name]) for name in names])
    return names, paths, labels.astype(np.int64)


def _refuse_splits_inside(folder):
    """Refuse ``CLASS/train`` and ``CLASS/test``, which would be thrown together."""
    inside = picture_files.folders_in(folder, picture_files.Skipped(folder))
    found = {role for role, rest in split_names.roles(inside).values() if not rest}
    if "train" in found and len(found) > 1:
        raise InputError(
            f"the folder {folder} holds splits ({', '.join(sorted(split_names.roles(inside)))}); put them outside the "
            "classes, as train/CLASS and test/CLASS."
        )


def _too_few_classes(root, names, folders):
    """An error; with a hint where the one folder in ``root`` (of ``{name: path}``) may be the one that is meant."""
    inside = [path for path in folders.values() if picture_files.folders_in(path, picture_files.Skipped(path))]
    hint = f"; is it {inside[0]} that you mean?" if len(folders) == len(inside) == 1 else "."
    return InputError(
        f"the folder {root} holds pictures of {len(names)} classes; expected at least two sub-folders of "
        f"{', '.join(SUFFIXES)} files, one a class{hint}"
    )


def _check(root, names, splits):
    """Refuse a split without pictures; name classes that have no test picture."""
    if not all(map(len, splits)):
        raise InputError(
            f"the folder {root} holds {sum(map(len, splits))} pictures of {len(names)} classes; too few to train, "
            f"validate and test: a class needs {division.LEAST} at least."
        )
    lacking = [name for label, name in enumerate(names) if not all((split.labels == label).any() for split in splits)]
    if lacking:
        print(
            f"{len(lacking)} of {len(names)} classes lack a picture to validate or test with (such as {lacking[0]!r}); "
            f"a class needs {division.LEAST} pictures at least.",
            file=sys.stderr,
            flush=True,
        )
