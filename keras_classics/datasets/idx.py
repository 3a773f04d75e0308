"""The original MNIST file format: big-endian sizes, then bytes (http://yann.lecun.com/exdb/mnist, "FILE FORMATS")."""

import gzip
import math
import pathlib
import re
import struct
import zlib

import numpy as np

from keras_classics.datasets.dataset import Dataset, Split, stratified
from keras_classics.errors import InputError

_UNSIGNED_BYTES = 0x08  # the third byte of the magic number: kind of the values; the fourth: number of dimensions
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


def _names(root, labels):
    """What the classes are called: by the mapping in the folder, if there is one, else by their labels."""
    mappings = sorted(root.glob("*mapping.txt"))
    if len(mappings) != 1:
        return tuple(map(str, labels))
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
