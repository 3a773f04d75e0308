"""Locks on results: a second run that would write the same files is refused at once; the message names the first.

A lock is a hidden file ``.NAME.lock`` that its owner holds by ``flock``, which the kernel lets go when the process
ends, however it ends. Where the file system has no such locks, the file itself is the lock, and that of a process which
is gone from this machine is taken over.
"""

import atexit
import contextlib
import datetime
import errno
import fcntl
import json
import os
import pathlib
import shlex
import socket
import sys

from keras_classics import files, text
from keras_classics.errors import InputError

_ABSENT = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)  # of file systems without flock


_claimed = {}  # paths of the locks that this process has → open files


def claim(folder, *names):
    """No other command that claims ``names`` in ``folder`` writes them until this ends; locks of the dead are removed.

    Args:
        folder: one that exists.
        names: of runs or files.

    Raises:
        InputError: another process has one of them, which is named; or the folder cannot be written to.
    """
    for name in names:
        path = pathlib.Path(folder).resolve() / f".{name}.lock"
        if path in _claimed:
            continue
        try:
            handle = _taken(path)
        except OSError as error:
            raise InputError(f"cannot write to the folder {folder}: {error.strerror or error}.") from error
        if handle is None:
            raise InputError(
                f"{_owner(path)} is writing {name} in {folder}; wait until it ends, or choose another folder."
            )
        _claimed[path] = handle
    files.sweep(folder)


@atexit.register
def release():
    """Let others have what was claimed."""
    while _claimed:
        path, handle = _claimed.popitem()
        if _me().items() <= (_read(path) or {}).items():  # not in a fork, nor where it was removed by hand
            path.unlink(missing_ok=True)  # before it is let go: who waits for it finds that it is no longer the file
        os.close(handle)


def _taken(path):
    """The open file ``path``, now ours; None where it is another process'."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_still(path, handle):  # its owner removed it in between
                os.close(handle)
                continue
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError as error:
            os.close(handle)
            if error.errno not in _ABSENT:
                raise
            return _taken_without_flock(path)
        _sign(handle)
        return handle


def _taken_without_flock(path):
    if (owner := _read(path)) and not _is_gone(owner):
        return None
    signed = path.with_name(f".{os.getpid()}{path.name}")  # ``files.sweep`` finds it
    handle = os.open(signed, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
    _sign(handle)
    signed.replace(path)
    if _is_still(path, handle):  # no other process did the same just then
        return handle
    os.close(handle)
    return None


def _is_still(path, handle):
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(handle))
    return False


def _sign(handle):
    os.ftruncate(handle, 0)
    since = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
    os.pwrite(handle, (text.as_json({**_me(), "since": since}) + "\n").encode(), 0)
    os.fsync(handle)


def _me():
    """Who we are, as a lock says it."""
    return {
        "host": socket.gethostname(),
        "process": os.getpid(),
        "started": _started(os.getpid()),
        "command": shlex.join(["python", *sys.orig_argv[1:]]),
    }


def _started(pid):
    """When a process of this machine began, in ticks since boot: a later one of its number has another."""
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError):
        return None


def _is_gone(owner):
    """Whether the owner of a lock was a process of this machine that has ended."""
    if owner["host"] != socket.gethostname():
        return False
    return not files.is_running(owner["process"]) or _started(owner["process"]) != owner["started"]


def _read(path):
    """What the lock says of its owner; None where it says nothing that can be read."""
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        return owner if isinstance(owner["process"], int) and owner["host"] and "started" in owner else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _owner(path):
    owner = _read(path)
    if owner is None:
        return "another process"
    since, command = (owner.get(name, "unknown") for name in ("since", "command"))
    return f"process {owner['process']} on {owner['host']} (since {since}: {command})"
