"""The images an export is calibrated and verified with, as ``uint8`` arrays of the size the network takes."""

import dataclasses
import pathlib
import re
import sys

import numpy as np

from export.gate.metrics import UNLABELLED
from export.inputs import pictures
from keras_classics import datasets
from keras_classics.datasets import pipeline
from keras_classics.errors import InputError

CALIBRATION_IMAGES = {"lenet5": 500, "lenet5-1998": 500, "alexnet": 100}


def load(network, shape, *, name, data_dir=None, pictures_folder=None, test_images=None, labelled=True):
    """A ``datasets.Dataset`` whose test images are in memory, and what ``describe`` says of the whole of it.

    Args:
        network: "lenet5", "lenet5-1998" or "alexnet".
        shape: ``(height, width, channels)`` that the model takes.
        name: of the dataset; None: only pictures are given.
        data_dir: where TFDS data lies.
        pictures_folder: a ``pathlib.Path``: any pictures, of which a share calibrates and the rest verifies.
        test_images: take only so many; an even share of every class.
        labelled: whether labels that pictures' names give are of use (to a trained network).

    Raises:
        InputError: the data is not to be had, or does not fit the network.
    """
    if network == "alexnet" and pictures_folder:
        dataset = _pictures(pictures_folder, labelled)
    elif network == "alexnet" and name is None:
        raise InputError("AlexNet is verified on pictures: give --pictures DIR, or --dataset cifar10 or folder:PATH.")
    else:
        if network != "alexnet":
            datasets.check_name(name, datasets.DIGITS)
        dataset = datasets.load(name, data_dir)
        if network != "alexnet":
            dataset = dataset.padded(shape[0])
    described = dataset.describe()
    if test_images and test_images < len(dataset.test):
        dataset = dataclasses.replace(dataset, test=datasets.stratified(dataset.test, test_images)[0])
    return dataclasses.replace(dataset, test=in_memory(dataset.test, shape)), described


def in_memory(split, shape):
    """A split whose pictures have been read.

    Raises:
        InputError: they are not of the shape that the network takes.
    """
    if split.images.dtype.kind == "U":
        images = pictures.read_pictures(map(pathlib.Path, split.images), shape[0])
    else:  # pixels, or pictures in TFRecord shards
        images = pipeline.load_pictures(split, shape[0])
    if images.shape[1:] != tuple(shape):
        found, expected = (" × ".join(map(str, sides)) for sides in (images.shape[1:], shape))
        raise InputError(f"the images are {found}; the network takes {expected}.")
    return datasets.Split(images, split.labels)


def _pictures(folder, labelled):
    """Pictures without classes: a quarter of them to calibrate with, the rest to verify with."""
    paths = pictures.in_folder(folder)
    labels = _imagenet_labels(paths) if labelled else None
    everything = datasets.Split(
        np.array([str(path) for path in paths]), np.full(len(paths), UNLABELLED) if labels is None else labels
    )
    share = len(paths) // 4
    if not share:
        raise InputError(f"the folder {folder} holds {len(paths)} pictures; expected at least 4.")
    train, none, test = (everything.take(np.arange(*ends)) for ends in ((0, share), (0, 0), (share, len(paths))))
    return datasets.Dataset(f"pictures:{folder.name}", f"pictures in {folder}", (), train, none, test)


def _imagenet_labels(paths):
    """Classes of ImageNet by the WordNet identifiers that names begin with; None unless all do."""
    from keras_classics.alexnet import imagenet_classes

    places = {identifier: place for place, (identifier, _) in enumerate(imagenet_classes())}
    found = [re.match(r"n\d{8}", path.name) for path in paths]
    if not all(match and match[0] in places for match in found):
        return None
    return np.array([places[match[0]] for match in found])


def calibration(source, count, seed, own=None):
    """Images that set the ranges of activations, and what a report says of them.

    Args:
        source: a ``source.Source``.
        count: how many; None takes 500 digits or 100 pictures. An even share of every class of the training split.
        seed: of the choice.
        own: ``folder:PATH`` of pictures to take instead.

    Returns:
        ``uint8 (n, height, width, channels)``, and a dict.

    Raises:
        InputError: there is no such folder, or a picture of it cannot be read.
    """
    count = count or CALIBRATION_IMAGES[source.network]
    size = source.image_shape[0]
    if own is None:
        train = source.dataset.train
        chosen, _ = datasets.stratified(train, min(count, len(train)), seed)
        images = in_memory(chosen, source.image_shape).images
        return images, {"images": len(images), "split": "train", "seed": seed}
    paths = pictures.in_folder(pathlib.Path(own.removeprefix(datasets.FOLDER)))
    if len(paths) > count:
        paths = [paths[index] for index in np.random.default_rng(seed).permutation(len(paths))[:count]]
    read = pictures.read_picture if source.network == "alexnet" else pictures.read_digit
    images = np.stack([read(path, size) for path in paths])
    return images, {"images": len(images), "split": own, "seed": seed}


def held_out(trained_on, described):
    """Whether the test split is known not to have trained a network; None where nobody knows.

    Args:
        trained_on: what its training wrote of its data.
        described: what ``load`` says of the data at hand.
    """
    if trained_on.get("sha256") == described["sha256"]:
        return True
    if trained_on.get("name") == "mnist" and described["name"] == datasets.EMBEDDED:
        print(
            "The model was trained on all of MNIST, which the embedded digits are part of: "
            "accuracy below is not on held-out data.",
            file=sys.stderr,
        )
        return False
    return True if trained_on.get("name") == described["name"] == "mnist" else None
