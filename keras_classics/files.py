"""Folders and files to write to: checked before work begins, and written atomically."""

import contextlib
import errno
import hashlib
import os
import pathlib
import re
import shutil
import socket
import tempfile

from keras_classics.errors import InputError

_LONGEST_NAME = 255  # bytes, on Linux' file systems
_OF_THE_SYSTEM = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE),
    *(errno.ENFILE, errno.ENOENT, errno.ENAMETOOLONG),
)


def check_targets(*paths):
    """Refuse to begin work whose results could not take their names.

    Raises:
        InputError: there is a folder where a file is to be written.
    """
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            raise InputError(f"cannot write {path}: there is a folder of that name.")


def output_folder(path):
    """``path`` as a folder that files can be written to, made if need be; what dead processes left in it is removed.

    Raises:
        InputError: it cannot be made or written to.
    """
    folder = pathlib.Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            sweep(folder)
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
    partial = path.with_name(_temporary_name(path.name))
    try:
        yield partial
        flush(partial)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)


def flush(path):
    """Have what was written to a file on the disk before going on."""
    with path.open("rb") as written:
        os.fsync(written.fileno())


def reason_of(error):
    """Why the system refused a file, in its own words, by an error of any library; None: for another reason.

    TensorFlow's own errors, and HDF5's, have no number but those words.
    """
    if isinstance(error, OSError) and error.errno in _OF_THE_SYSTEM:
        return error.strerror
    return next((os.strerror(code) for code in _OF_THE_SYSTEM if os.strerror(code) in str(error)), None)


def check_temporary_files():
    """Refuse to begin where no temporary files can be written, as TensorFlow does of each function that it traces.

    Raises:
        InputError: the disk is full, or files are limited to less than 64 KiB.
    """
    try:
        with tempfile.TemporaryFile() as file:
            file.write(bytes(2**16))
            file.flush()
    except OSError as error:
        folder = tempfile.tempdir or os.environ.get("TMPDIR", "the folder of temporary files")
        raise InputError(
            f"cannot write temporary files to {folder}: {error.strerror or error}. The environment variable TMPDIR "
            "names another folder."
        ) from error


def digest(path):
    """SHA-256 of a file, or of the names and contents of all files in a folder, as hexadecimal digits."""
    path, found = pathlib.Path(path), hashlib.sha256()
    if path.is_file():
        with path.open("rb") as file:
            for block in iter(lambda: file.read(2**20), b""):
                found.update(block)
        return found.hexdigest()
    for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
        found.update(f"{file.relative_to(path)}\n{digest(file)}\n".encode(errors="surrogateescape"))
    return found.hexdigest()


@contextlib.contextmanager
def temporary_folder(folder, name):
    """Yield a new folder in ``folder``, for what is to become ``name``; on leaving it is removed."""
    partial = pathlib.Path(folder) / _temporary_name(name)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def sweep(folder):
    """Remove from ``folder`` the temporary files and folders of processes of this machine that are gone."""
    for entry in pathlib.Path(folder).iterdir():
        owner = re.match(r"\.(\d+)(@[^.]*)?\.", entry.name)
        if owner is None or owner[2] not in (None, f"@{_machine()}") or is_running(int(owner[1])):
            continue
        with contextlib.suppress(OSError):
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def is_running(pid):
    """Whether this machine has a process of that number."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # another process owns it
    return True


@contextlib.contextmanager
def plain_name(folder):
    """Yield another path of an existing ``folder``: absolute, short, and without a character that means anything.

    For libraries that take a path for a pattern (``run[1]``) or for a URL, or want it in UTF-8, as TensorFlow does. It
    holds in this process and in this block, and leads to the folder itself, not to a copy.

    Raises:
        InputError: there is no such folder, or it may not be read.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be opened: {error.strerror or error}.") from error
    try:
        yield pathlib.Path(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)


def keras_home():
    """Keras' own folder, for what is fetched or computed once: ``KERAS_HOME``, ``~/.keras``, or one for everybody."""
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    home = os.path.expanduser(home)  # noqa: PTH111 (pathlib raises where there is no home)
    return pathlib.Path(tempfile.gettempdir(), ".keras") if home.startswith("~") else pathlib.Path(home)


def _temporary_name(name):
    """A hidden name beside ``name`` that says whose it is (``sweep``); its end stays: some writers go by that."""
    owner = f".{os.getpid()}@{_machine()}."
    end = os.fsencode(name)[-(_LONGEST_NAME - len(owner)) :]
    return owner + os.fsdecode(end)


def _machine():
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:40]
