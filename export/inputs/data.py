"""The images an export is calibrated and verified with, as ``uint8`` arrays of the size the network takes."""

import dataclasses
import re
import sys

import numpy as np

from export.arguments import NO_DATA
from export.gate.metrics import UNLABELLED
from keras_classics import datasets
from keras_classics.datasets import decoding, fields, picture_files, reading
from keras_classics.datasets.unreadable import Unreadable
from keras_classics.errors import InputError

_TOLERATED = 10  # pictures of a dataset that cannot be read, as training tolerates
_ANY_DIGITS = {"kind": "auto"}
CALIBRATION_IMAGES = {"lenet5": 500, "lenet5-1998": 500, "alexnet": 100}


def load(network, shape, request, trained_on, *, labelled=True):
    """A ``datasets.Dataset`` whose test images are in memory, and what ``describe`` says of the whole of it.

    Args:
        network: "lenet5", "lenet5-1998" or "alexnet".
        shape: ``(height, width, channels)`` that the model takes.
        request: an ``arguments.ExportRequest``: its ``dataset`` or ``pictures``, ``data_dir`` and ``test_images``.
        trained_on: what ``describe`` said of the data the model was trained on, which is taken where none is requested;
            empty: unknown.
        labelled: whether labels that pictures' names give are of use (to a trained network).

    Raises:
        InputError: the data is not to be had, or does not fit the network.
    """
    if request.pictures and network != "alexnet":
        raise InputError(
            "pictures without classes are for AlexNet; digits come from a dataset.", settings=("pictures", "dataset")
        )
    dataset = _pictures(request.pictures, labelled) if request.pictures else _dataset(network, request, trained_on)
    if network != "alexnet":
        dataset = dataset.padded(shape[0], Unreadable(_TOLERATED))
    described = dataset.describe()
    if request.test_images and request.test_images < len(dataset.test):
        dataset = dataclasses.replace(dataset, test=datasets.stratified(dataset.test, request.test_images)[0])
    return dataclasses.replace(dataset, test=in_memory(dataset.test, shape)), described


def _dataset(network, request, trained_on):
    """The dataset that was requested, or the one that the model was trained on, or any digits."""
    if request.dataset == _ANY_DIGITS:
        return datasets.load("auto", request.data_dir)
    if request.dataset:
        return datasets.from_spec(request.dataset, request.data_dir)
    spec = trained_on.get("spec")
    if spec is None or spec == {"kind": "tfds", "name": "mnist"}:  # the packaged weights: any digits of MNIST will do
        if network == "alexnet":
            raise InputError(NO_DATA)
        return datasets.load("auto", request.data_dir)
    try:
        return datasets.from_spec(spec, request.data_dir)
    except InputError as error:
        text = f"{error} The model was trained on that; say where it is now."
        raise InputError(text, settings=("dataset",)) from error


def in_memory(split, shape):
    """A split whose pictures have been read; those in colour are brought to the size that the network takes.

    Raises:
        InputError: they are not of the shape that the network takes.
    """
    split = _read(split, decoding.square, shape[0])
    images = split.images
    if shape[2] == images.shape[3] == 3 and images.shape[1:] != tuple(shape):  # small pictures for a large network
        images = np.stack([decoding.middle_square(image, shape[0]) for image in images])
    if images.shape[1:] != tuple(shape):
        found, expected = (" × ".join(map(str, sides)) for sides in (images.shape[1:], shape))
        raise InputError(f"the images are {found}; the network takes {expected}.")
    return datasets.Split(images, split.labels)


def _pictures(folder, labelled):
    """Pictures without classes: a quarter of them to calibrate with, the rest to verify with."""
    paths = picture_files.in_folder(folder)
    labels = _imagenet_labels(paths) if labelled else None
    everything = datasets.Split(
        np.array([str(path) for path in paths]), np.full(len(paths), UNLABELLED) if labels is None else labels
    )
    share = len(paths) // 4
    if not share:
        raise InputError(f"the folder {folder} holds {len(paths)} pictures; expected at least 4.")
    train, none, test = (everything.take(np.arange(*ends)) for ends in ((0, share), (0, 0), (share, len(paths))))
    spec = {"kind": "pictures", "path": str(folder)}
    return datasets.Dataset(f"pictures:{folder.name}", f"pictures in {folder}", (), train, none, test, spec)


def _imagenet_labels(paths):
    """Classes of ImageNet by the WordNet identifiers that names begin with; None unless all do."""
    from keras_classics.alexnet import imagenet_classes

    places = {identifier: place for place, (identifier, _) in enumerate(imagenet_classes())}
    found = [re.match(r"n\d{8}", path.name) for path in paths]
    if not all(match and match[0] in places for match in found):
        return None
    return np.array([places[match[0]] for match in found])


def calibration(source, request):
    """Images that set the ranges of activations, and what a report says of them.

    Args:
        source: a ``source.Source``.
        request: an ``arguments.ExportRequest``: ``calibration_images``, an even share of every class of the training
            split (default: 500 digits or 100 pictures); the ``seed`` of the choice; ``calibration``, a folder of
            pictures to take instead.

    Returns:
        ``uint8 (n, height, width, channels)``, and a dict.

    Raises:
        InputError: there is no such folder, or a picture of it cannot be read.
    """
    count, seed = request.calibration_images or CALIBRATION_IMAGES[source.network], request.seed
    size = source.image_shape[0]
    if request.calibration is None:
        train = source.dataset.train
        chosen, _ = datasets.stratified(train, min(count, len(train)), seed)
        images = in_memory(chosen, source.image_shape).images
        return images, {"images": len(images), "split": "train", "seed": seed}
    paths = picture_files.in_folder(request.calibration)
    if len(paths) > count:
        paths = [paths[index] for index in np.random.default_rng(seed).permutation(len(paths))[:count]]
    read = decoding.square if source.network == "alexnet" else fields.read_field
    images = _read(datasets.Split(np.array(list(map(str, paths))), np.zeros(len(paths), int)), read, size).images
    return images, {"images": len(images), "split": f"{datasets.FOLDER}{request.calibration}", "seed": seed}


def _read(split, read, size):
    """A split with its pictures read; a few that cannot be are left out, as in training."""
    return reading.read_all(split, lambda source, name: read(source, size, name=name), Unreadable(_TOLERATED))


def held_out(trained_on, described):
    """Whether the test split is known not to have trained a network; None where that is unknown.

    Args:
        trained_on: what its training wrote of its data.
        described: what ``load`` says of the data at hand.
    """
    trained, found = trained_on.get("spec") or {}, described["spec"] or {}
    if trained_on.get("sha256") == described["sha256"]:
        return True
    if trained.get("name") == found.get("name") == "mnist":
        return True
    if trained.get("name") == "mnist" and found.get("kind") == "embedded":
        print(
            "The model was trained on all of MNIST, which the embedded digits are part of: "
            "accuracy below is not on held-out data.",
            file=sys.stderr,
        )
        return False
    if "path" in trained and trained == found:
        print(f"The files in {found['path']} have changed since the model was trained on them.", file=sys.stderr)
    return None
