"""Arrays that took long to compute, kept on disk under a fingerprint of what they were computed from."""

import hashlib
import os
import pathlib
import sys
import zipfile

import numpy as np

from keras_classics import files
from keras_classics.errors import InputError

CACHE_DIR_VARIABLE = "KERAS_CLASSICS_CACHE_DIR"


def folder():
    """``KERAS_CLASSICS_CACHE_DIR``, or ``datasets/keras_classics`` in Keras' own (``KERAS_HOME`` or ``~/.keras``)."""
    if folder := os.environ.get(CACHE_DIR_VARIABLE):
        return pathlib.Path(os.path.expanduser(folder))  # noqa: PTH111 (pathlib raises where there is no home)
    return files.keras_home() / "datasets" / "keras_classics"


def arrays(kind, content, compute):
    """The ``dict`` of arrays that ``compute()`` returns, or returned when it was last called for ``content``.

    Args:
        kind: of the arrays, in the name of the file.
        content: bytes that change when the result would.
        compute: ``() -> {name: array}``. If the result cannot be written, a warning is printed on stderr.
    """
    path = folder() / f"{kind}-{hashlib.sha256(content).hexdigest()[:24]}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):  # absent, or damaged
        values = compute()
    try:
        files.output_folder(path.parent)
        with files.whole_file(path) as partial:
            np.savez(partial, **values)
    except InputError as error:
        print(f"Warning: not cached: {error}", file=sys.stderr, flush=True)
    return values
