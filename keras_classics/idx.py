"""The files MNIST was published in: IDX, as LeCun, Cortes and Burges describe it beside the data."""

import gzip
import pathlib
import zlib

import numpy as np

from keras_classics.errors import InputError

_NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def read_folder(folder):
    """Training and test images and labels of a folder with the four files, each gzipped (``.gz``) or not.

    Returns:
        ``{"train": (images, labels), "test": (images, labels)}``: ``uint8 (n, height, width, 1)`` and ``int64 (n,)``.

    Raises:
        InputError: a file is missing or damaged, or images and labels do not belong together.
    """
    folder = pathlib.Path(folder)
    splits = {}
    for split, (images_name, labels_name) in _NAMES.items():
        images, labels = read(_find(folder, images_name), 3), read(_find(folder, labels_name), 1)
        if len(images) != len(labels) or not len(images):
            raise InputError(
                f"{folder}: {images_name} has {len(images)} images and {labels_name} {len(labels)} labels."
            )
        splits[split] = images[..., None], labels.astype(np.int64)
    if splits["train"][0].shape[1:] != splits["test"][0].shape[1:]:
        raise InputError(f"{folder}: training and test images have different sizes.")
    return splits


def read(path, dimensions):
    """The array of bytes in an IDX file, ``uint8`` of so many ``dimensions``.

    Raises:
        InputError: it is no such file, or not whole.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    # Two zero bytes, the type (8: unsigned bytes), the number of dimensions; then their sizes, big-endian.
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes([0, 0, 8, dimensions]):
        raise InputError(f"{path} is not an IDX file of bytes in {dimensions} dimensions.")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", dimensions, 4))
    expected = header + int(np.prod(shape, dtype=object))
    if len(content) != expected:
        raise InputError(f"{path} has {len(content):,} bytes; its header makes it {expected:,}.")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _find(folder, name):
    for candidate in (folder / name, folder / f"{name}.gz", folder / name.replace("-idx", ".idx")):
        if candidate.is_file():
            return candidate
    raise InputError(f"there is no {name} or {name}.gz in {folder}.")
