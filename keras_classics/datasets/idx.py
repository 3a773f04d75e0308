"""The original MNIST file format: big-endian sizes, then bytes (http://yann.lecun.com/exdb/mnist, "FILE FORMATS")."""

import gzip
import math
import os
import pathlib
import re
import struct
import zlib

import numpy as np

from keras_classics import runtime
from keras_classics.datasets.dataset import Dataset, Split, stratified
from keras_classics.errors import InputError

_UNSIGNED_BYTES = 0x08  # the third byte of the magic number: kind of the values; the fourth: number of dimensions
_DIMENSIONS = 8  # no dataset has more; NumPy stops at 64
_DEFLATED = 1_100  # bytes that one byte of gzip can stand for: 1,032, and the header
_LARGEST_UNPACKED = 2**31  # bytes of a gzipped file
_BLOCK = 2**20  # bytes read at a time
_LARGEST_MAPPING = 2**20  # bytes
_VALIDATION = 12  # one training image in so many, as 5,000 of MNIST's 60,000


def load(root):
    """The dataset in a folder of ``train-`` and ``t10k-`` ``images-idx3-ubyte`` and ``labels-idx1-ubyte`` files.

    Files may end in ``.gz``, have a dot where the published ones have their last hyphen but one, say ``test`` for
    ``t10k``, and begin with a name of their own, as EMNIST's do (``emnist-letters-train-images-idx3-ubyte``). Grey
    images of any one size; labels count from 0 or 1. A file ``…mapping.txt``, as EMNIST has them, says which character
    a label is (a line each: label, code points); else classes are called by their number.

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
    first, last = min(1, int(train.labels.min())), int(max(split.labels.max() for split in (train, test)))
    absent = set(range(first, last + 1)) - set(train.labels.tolist())
    if absent or test.labels.min() < first:
        raise InputError(
            f"the labels in {root} leave out classes from {first} to {last}; they count from 0 or 1, and training "
            "images have all of them."
        )
    if first == last:
        raise InputError(f"the labels in {root} are all {first}; expected two classes at least.")
    names = _names(root, range(first, last + 1))
    train, test = (Split(split.images, split.labels - first) for split in (train, test))
    validation, train = stratified(train, max(len(train) // _VALIDATION, min(len(names), len(train) - len(names))))
    if not len(validation):
        raise InputError(f"the files in {root} hold {len(train)} training images; too few to train and validate.")
    spec = {"kind": "idx", "path": str(root.resolve())}
    return Dataset(f"idx:{root.resolve()}", f"read from {root}", names, train, validation, test, spec)


def read(path):
    """The ``uint8`` array in an idx file, gzipped or not.

    Raises:
        InputError: it cannot be read, is not such a file, is shorter or longer than its header says, or is gzipped and
            holds more than 2 GiB.
    """
    path = pathlib.Path(path)
    try:
        with path.open("rb") as file:
            length = os.fstat(file.fileno()).st_size
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not zipped:
                return _array(path, file, length, runtime.memory())
            return _array(path, gzip.GzipFile(fileobj=file), None, min(_LARGEST_UNPACKED, length * _DEFLATED))
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error}).") from error


def _array(path, file, length, most):
    """The array in an open file of ``length`` bytes (None: unknown), if it is no larger than ``most`` bytes."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] != _UNSIGNED_BYTES or not start[3]:
        raise InputError(f"{path} is not an idx file of bytes: it begins with {start.hex() or 'nothing'}.")
    if start[3] > _DIMENSIONS:
        raise InputError(f"{path} claims {start[3]} dimensions; expected {_DIMENSIONS} at most.")
    sizes = file.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise InputError(f"{path} ends within its header.")
    shape = struct.unpack(f">{start[3]}I", sizes)
    claimed = math.prod(shape)
    announced = f"its header announces {claimed:,} ({' × '.join(map(str, shape))})"
    if length is not None and (found := length - 4 - len(sizes)) != claimed:
        raise InputError(f"{path} holds {found:,} bytes of data; {announced}.")
    if claimed > most:
        raise InputError(f"{path} can hold {most:,} bytes of data; {announced}.")
    values = np.empty(claimed, np.uint8)
    if (found := _filled(file, values)) < claimed:
        raise InputError(f"{path} holds {found:,} bytes of data; {announced}.")
    if file.read(1):
        raise InputError(f"{path} holds more than {claimed:,} bytes of data; {announced}.")
    return values.reshape(shape)


def _filled(file, values):
    """How many bytes of an array a file has filled: all, or as many as it holds."""
    view, found = memoryview(values), 0
    while found < len(values) and (count := file.readinto(view[found : found + _BLOCK])):
        found += count
    return found


def _split(root, prefix):
    (images_path, images), (labels_path, labels) = (_part(root, prefix, *of) for of in (("images", 3), ("labels", 1)))
    if len(images) != len(labels):
        raise InputError(f"{images_path} holds {len(images):,} images and {labels_path} {len(labels):,} labels.")
    if not images.size:
        raise InputError(f"{images_path} holds no images.")
    return Split(images[..., None].copy(), labels.astype(np.int64))


def _names(root, labels):
    """What the classes are called: by the mapping in the folder, if there is one, else by their labels."""
    mappings = sorted(path for path in root.glob("*mapping.txt") if path.is_file())
    if len(mappings) != 1:
        return tuple(map(str, labels))
    if mappings[0].stat().st_size > _LARGEST_MAPPING:
        raise InputError(f"{mappings[0]} has more than {_LARGEST_MAPPING:,} bytes; expected a line for each label.")
    try:
        rows = [line.split() for line in mappings[0].read_text(encoding="ascii").splitlines() if line.strip()]
        names = {int(label): chr(int(code)) for label, code, *_ in rows}
        return tuple(names[label] for label in labels)
    except (OSError, ValueError, KeyError, OverflowError) as error:
        raise InputError(
            f"{mappings[0]} does not say what the labels {labels[0]} to {labels[-1]} are; expected a line for each: "
            "the label and the code point of its character."
        ) from error


def _part(root, prefix, what, dimensions):
    name = f"{prefix}-{what}-idx{dimensions}-ubyte"
    prefixes = "t10k|test" if prefix == "t10k" else prefix
    pattern = re.compile(rf"(|.+-)({prefixes})-{what}[-.]idx{dimensions}-ubyte(\.gz)?")
    found = sorted(path for path in root.iterdir() if pattern.fullmatch(path.name) and path.is_file())
    plain = [path for path in found if not pattern.fullmatch(path.name)[1]]
    sets = {pattern.fullmatch(path.name)[1] for path in found}
    if not found:
        raise InputError(f"there is no {name} (or {name}.gz) in {root}.")
    if not plain and len(sets) > 1:
        raise InputError(f"{root} holds files of several datasets ({', '.join(sorted(sets))}); put one into a folder.")
    path = (plain or found)[0]
    values = read(path)
    if values.ndim != dimensions:
        raise InputError(f"{path} holds {values.ndim} dimensions; {what} have {dimensions}.")
    return path, values
