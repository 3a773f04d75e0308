"""The datasets that TFDS prepares: MNIST and its like, CIFAR-10, Imagenette, ImageNet, on disk or downloaded now."""

import dataclasses
import pathlib
import struct
import sys
import threading
import urllib.request

import numpy as np

from keras_classics import files
from keras_classics.datasets import decoding
from keras_classics.datasets.dataset import Dataset, Split, stratified
from keras_classics.errors import InputError

DATA_DIR_VARIABLE = "KERAS_CLASSICS_DATA_DIR"
_ADVICE = "say where it is with data_dir or in " + DATA_DIR_VARIABLE
_PROBE_SECONDS = 5  # a network that has not sent a few kilobytes by then counts as absent


@dataclasses.dataclass(frozen=True)
class Published:
    """A TFDS dataset: how much of its training split validates, and an address that answers if its host does."""

    validation: int  # images
    probe: str | None  # None: its terms do not let TFDS download it
    test: str = "test"  # TFDS' name of the split that tests
    encoded: bool = False  # too large for memory: its pictures stay in the shards
    class_names: tuple[str, ...] = ()  # where the prepared data does not say them


PUBLISHED = {
    "mnist": Published(5_000, "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz"),
    "fashion_mnist": Published(
        5_000, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz"
    ),
    "cifar10": Published(
        5_000,
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        class_names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    ),
    # Neither publishes labels of a test split: what they call validation tests here, and training images validate.
    "imagenette": Published(
        1_000, "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2.tgz", test="validation", encoded=True
    ),
    "imagenet2012": Published(10_000, None, test="validation", encoded=True),
}


def load(name, root):
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

    published = PUBLISHED[name]
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
    origin = f"prepared by TensorFlow Datasets in {where.resolve()}"
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
    if PUBLISHED[name].probe is None:
        raise InputError(
            f"{name} is not in {where}, and its terms do not allow an automatic download: get its tar files from its "
            f"authors, prepare them with `tfds build {name} --manual_dir=FOLDER`, and {_ADVICE}.",
            settings=("data_dir",),
        )
    if not _answers(PUBLISHED[name].probe):
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
