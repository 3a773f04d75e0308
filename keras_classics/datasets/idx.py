"""The original MNIST file format: big-endian sizes, then bytes (http://yann.lecun.com/exdb/mnist, "FILE FORMATS")."""

import gzip
import math
import pathlib
import struct
import zlib

import numpy as np

from keras_classics.datasets.dataset import Dataset, Split, stratified
from keras_classics.errors import InputError

_UNSIGNED_BYTES = 0x08  # the third byte of the magic number: kind of the values; the fourth: number of dimensions
_VALIDATION = 12  # one training image in so many, as 5,000 of MNIST's 60,000


def load(root):
    """The dataset in a folder of ``train-`` and ``t10k-`` ``images-idx3-ubyte`` and ``labels-idx1-ubyte`` files.

    Files may end in ``.gz``, and have a dot where the published ones have their last hyphen but one. Grey images of any
    one size; labels count from 0.

    Raises:
        InputError: a file is absent, damaged or of another format, or the files do not belong together.
    """
    root = pathlib.Path(root)
    if not root.is_dir():
        raise InputError(f"there is no folder {root}.")
    train, test = _split(root, "train"), _split(root, "t10k")
    if train.images.shape[1:] != test.images.shape[1:]:
        sizes = (" × ".join(map(str, split.images.shape[1:3])) for split in (train, test))
        raise InputError(f"the images in {root} differ in size: {' to train and '.join(sizes)} to test.")
    classes = int(train.labels.max()) + 1
    if len(np.unique(train.labels)) != classes or test.labels.max() >= classes:
        raise InputError(f"the labels in {root} leave out classes from 0 to {max(classes - 1, test.labels.max())}.")
    validation, train = stratified(train, len(train) // _VALIDATION)
    if not len(validation):
        raise InputError(f"the files in {root} hold {len(train)} training images; too few to train and validate.")
    names = tuple(str(label) for label in range(classes))
    spec = {"kind": "idx", "path": str(root.resolve())}
    return Dataset(f"idx:{root.resolve()}", f"read from {root}", names, train, validation, test, spec)


def read(path):
    """The ``uint8`` array in an idx file, gzipped or not.

    Raises:
        InputError: it cannot be read, is not such a file, or is shorter or longer than its header says.
    """
    path = pathlib.Path(path)
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        content = gzip.decompress(path.read_bytes()) if zipped else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error}).") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _UNSIGNED_BYTES or not content[3]:
        raise InputError(f"{path} is not an idx file of bytes: it begins with {content[:4].hex() or 'nothing'}.")
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise InputError(f"{path} ends within its header.")
    shape = struct.unpack(f">{content[3]}I", content[4:header])
    if len(content) != header + math.prod(shape):
        raise InputError(
            f"{path} holds {len(content) - header:,} bytes of data; its header announces {math.prod(shape):,} "
            f"({' × '.join(map(str, shape))})."
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _split(root, prefix):
    (images_path, images), (labels_path, labels) = (_part(root, prefix, *of) for of in (("images", 3), ("labels", 1)))
    if len(images) != len(labels):
        raise InputError(f"{images_path} holds {len(images):,} images and {labels_path} {len(labels):,} labels.")
    if not images.size:
        raise InputError(f"{images_path} holds no images.")
    return Split(images[..., None].copy(), labels.astype(np.int64))


def _part(root, prefix, what, dimensions):
    name = f"{prefix}-{what}-idx{dimensions}-ubyte"
    names = [f"{stem}{end}" for stem in (name, f"{prefix}-{what}.idx{dimensions}-ubyte") for end in ("", ".gz")]
    path = next((root / name for name in names if (root / name).is_file()), None)
    if path is None:
        raise InputError(f"there is no {name} (or {name}.gz) in {root}.")
    values = read(path)
    if values.ndim != dimensions:
        raise InputError(f"{path} holds {values.ndim} dimensions; {what} have {dimensions}.")
    return path, values
