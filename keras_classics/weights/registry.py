"""Weights that have a name: of MNIST and CIFAR-10 they come with the package, of ImageNet they are fetched."""

import dataclasses
import functools
import importlib.resources
import json
import os
import pathlib

import keras

from keras_classics import files
from keras_classics.weights import importers


@dataclasses.dataclass(frozen=True)
class NamedWeights:
    """Trained weights of one variant of a network."""

    network: str  # "LeNet5" or "AlexNet"
    variant: str
    name: str  # what ``weights=`` takes
    activation: str | None  # that LeNet-5 was trained with
    accuracy: dict  # in percent of the test set: "top1", and as known "top5", or "mean" and "spread" of several "seeds"
    accuracy_source: str
    licence: str
    url: str | None  # None: it comes with the package
    file: str
    sha256: str
    classes: int


_IMAGENET = (
    NamedWeights(
        network="AlexNet",
        variant="torchvision",
        name="imagenet",
        activation=None,
        accuracy={"top1": 56.522, "top5": 79.066},
        accuracy_source="ImageNet-2012 validation set, one crop, as torchvision publishes it",
        licence="BSD-3-Clause (torchvision); trained on ImageNet, whose terms are for research",
        url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        file="alexnet-owt-7be5be79.pth",
        sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
        classes=1000,
    ),
    NamedWeights(
        network="AlexNet",
        variant="caffe",
        name="imagenet",
        activation=None,
        accuracy={"top1": 57.1, "top5": 80.2},
        accuracy_source="ImageNet-2012 validation set, centre crop of 227, as BVLC publishes it",
        licence="BSD-3-Clause (ONNX model zoo); BVLC released the network for unrestricted use",
        # The zoo's files moved from GitHub to this address in July 2025; size and hash are those of its own manifest.
        url="https://huggingface.co/onnxmodelzoo/bvlcalexnet-12/resolve/main/bvlcalexnet-12.onnx",
        file="bvlcalexnet-12.onnx",
        sha256="6b0da9510f27f234ee96a85dc3809dd210150fdefad87f6850f9788513216945",
        classes=1000,
    ),
)


@functools.cache
def _packaged():
    """Those of this project, as ``python -m train.pretrained`` recorded them."""
    found = []
    for name, network, title, data in (
        ("mnist", "LeNet5", "MNIST", "digits"),
        ("cifar10", "AlexNet", "CIFAR-10", "pictures"),
    ):
        text = importlib.resources.files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8")
        for row in json.loads(text):
            seeds = len(row["accuracies"])
            several = {which: row[which] for which in ("mean", "spread")} if seeds > 1 else {}
            found.append(
                NamedWeights(
                    network=network,
                    variant=row["variant"],
                    name=name,
                    activation=row.get("activation"),
                    accuracy={"top1": row["accuracies"][0], **several, "seeds": seeds},
                    accuracy_source=f"{title} test set, all 10,000 {data}; "
                    + ("mean and standard deviation over the seeds" if several else "one seed"),
                    licence="Apache-2.0; trained by this project",
                    url=None,
                    file=row["file"],
                    sha256=row["sha256"],
                    classes=10,
                )
            )
    return tuple(found)


def list_weights(network=None):
    """The weights that have a name.

    Args:
        network: "LeNet5", "AlexNet", or None for both.

    Returns:
        A tuple of ``NamedWeights``: each says for which variant it is, where it comes from, under which licence, and
        how accurate it is (in percent) according to whom.

    Raises:
        ValueError: there is no such network.
    """
    if network not in (None, "LeNet5", "AlexNet"):
        raise ValueError(f"network is {network!r}; expected LeNet5 or AlexNet.")
    return tuple(row for row in (*_packaged(), *_IMAGENET) if network in (None, row.network))


def find(network, weights, *, variant, activation, classes, include_top):
    """What the argument ``weights`` of a network means: None, a ``NamedWeights``, or the path of a file.

    Raises:
        ValueError: it is none of these, or named weights that this variant, activation or number of classes has not.
    """
    if weights is None:
        return None
    if not isinstance(weights, (str, os.PathLike)):
        raise ValueError(f"{network}: weights is {weights!r}; expected None, a name or the path of a file.")
    names = {row.name for row in list_weights(network)}
    if weights not in names:
        return _file(network, pathlib.Path(weights), names)
    for row in list_weights(network):
        if (row.name, row.variant, row.activation) == (weights, variant, activation):
            if include_top and classes != row.classes:
                raise ValueError(
                    f"{network}: classes is {classes}; the weights {weights!r} have {row.classes}, or take "
                    "include_top=False."
                )
            return row
    there_are = "; ".join(
        f"variant={row.variant!r}" + (f", activation={row.activation!r}" if row.activation else "")
        for row in list_weights(network)
        if row.name == weights
    )
    asked = f"variant={variant!r}" + (f", activation={activation!r}" if activation else "")
    raise ValueError(f"{network}: there are no weights {weights!r} for {asked}; there are for {there_are}.")


def _file(network, path, names):
    try:
        there = path.is_file()
    except OSError:  # a name too long, a folder that may not be entered
        there = False
    if not there:
        raise ValueError(
            f"{network}: weights is {str(path)!r}; expected None, {', '.join(sorted(names))}, or the path of a file "
            f"({importers.ENDINGS})."
        )
    if not path.name.endswith(importers.KERAS_ENDINGS) and path.suffix not in importers.READERS:
        raise ValueError(f"{network}: cannot tell what {path} is by its name; expected {importers.ENDINGS}.")
    return path


def load(model, source, *, build):
    """Put the weights of ``source`` (what ``find`` returned) into ``model``.

    Args:
        model: a network of this package, with or without its top.
        source: a ``NamedWeights`` or a ``pathlib.Path``.
        build: ``() -> keras.Model``, the whole network that named weights were trained for; called when they are
            converted for the first time.

    Raises:
        ValueError: the file is not of this network, or cannot be read.
        ImportError: the library that reads such a file is not installed.
        ConnectionError: the file cannot be fetched.
    """
    if not isinstance(source, NamedWeights):
        importers.load(model, source)
    elif source.url is None:
        with importlib.resources.as_file(importlib.resources.files(__package__) / source.file) as path:
            importers.load(model, path)
    else:
        importers.load(model, _fetched(source, build))


def _fetched(row, build):
    """Path of the published weights in Keras' format, in Keras' cache; fetched and converted where they are not yet."""
    folder = files.keras_home() / "models" / "keras_classics"
    converted = folder / f"{pathlib.Path(row.file).stem}.weights.h5"
    if converted.is_file():
        return converted
    importers.check_reader(row.file)  # before 240 MB are fetched
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files.sweep(folder)
    except OSError as error:
        raise ValueError(
            f"cannot write weights to {folder}: {error.strerror}; set KERAS_HOME to another folder."
        ) from error
    by_hand = f"Fetch it by other means and give its path as weights=, with variant={row.variant!r}."
    try:
        published = keras.utils.get_file(
            row.file,
            row.url,
            file_hash=row.sha256,
            hash_algorithm="sha256",
            cache_subdir="models/keras_classics",
            cache_dir=str(folder.parent.parent),
        )
    except ValueError as error:
        (folder / row.file).unlink(missing_ok=True)
        raise ValueError(f"{row.url} is not the file that was published (its SHA-256 differs). {by_hand}") from error
    except Exception as error:  # Keras raises a bare Exception, urllib what it likes
        raise ConnectionError(f"cannot fetch {row.url}: {error}. {by_hand}") from error
    network = build()
    importers.load(network, pathlib.Path(published))
    with files.whole_file(converted) as partial:
        network.save_weights(partial)
    return converted
