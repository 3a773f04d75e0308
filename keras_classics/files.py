"""Folders and files to write to: checked before work begins, and written atomically."""

import contextlib
import os
import pathlib
import tempfile

from keras_classics.errors import InputError


def check_targets(*paths):
    """Refuse to begin work whose results could not take their names.

    Raises:
        InputError: there is a folder where a file is to be written.
    """
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            raise InputError(f"cannot write {path}: there is a folder of that name.")


def output_folder(path):
    """``path`` as a folder that files can be written to, made if need be.

    Raises:
        InputError: it cannot be made or written to.
    """
    folder = pathlib.Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise InputError(f"cannot write to the folder {folder}: {error.strerror or error}.") from error


@contextlib.contextmanager
def whole_file(path):
    """Yield a temporary path beside ``path`` to write to; on leaving, flush it to disk and rename it into place.

    If the block fails, ``path`` is left as it was and the temporary file is removed.

    Raises:
        InputError: the disk refuses (full, read-only, no such folder).
    """
    path = pathlib.Path(path)
    # The endings stay: some writers choose the format by them.
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)
