"""Folders that little can be written to, or nothing, and moments of Ctrl-C, for ``tests.hostile.worker``."""

import contextlib
import functools
import importlib
import os
import resource
import signal
import subprocess
import sys
import tempfile

ROOM = 100_000  # bytes; no model and no checkpoint goes in, a report does

# A process that root starts may write anywhere; without these it may do what its owner may.
WITHOUT_PRIVILEGE = ("setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search")
OWN_MOUNTS = ("unshare", "--map-root-user", "--mount")


def prefix(mounts):
    """Words that start a process for which permissions hold and which, if ``mounts``, may mount file systems."""
    return (*(OWN_MOUNTS if mounts else ()), *(WITHOUT_PRIVILEGE if mounts or os.geteuid() == 0 else ()))


@contextlib.contextmanager
def full_disk(folder):
    """A file system of ``ROOM`` bytes, for temporary files too."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "none", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def full_temporary_disk(folder):
    """A folder like any other, and a full file system for temporary files."""
    with tempfile.TemporaryDirectory() as other, full_disk(other), _temporary_files_in(other):
        with open(f"{other}/rest", "wb", buffering=0) as rest, contextlib.suppress(OSError):  # noqa: PTH123
            while True:
                rest.write(bytes(4096))
        yield folder


@contextlib.contextmanager
def _temporary_files_in(folder):
    before = tempfile.tempdir
    tempfile.tempdir = folder
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextlib.contextmanager
def limited_files(folder):
    """No file may have more than ``ROOM`` bytes, as by ``ulimit -f``."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def closed_folder(folder):
    """A folder that may be read and not written to."""
    folder.chmod(0o500)
    try:
        yield folder
    finally:
        folder.chmod(0o700)


@contextlib.contextmanager
def unreadable_folder(folder):
    """A folder that may not be entered."""
    folder.chmod(0)
    try:
        yield folder
    finally:
        folder.chmod(0o700)


PLACES = {
    "": contextlib.nullcontext,
    "full disk": full_disk,
    "full temporary disk": full_temporary_disk,
    "limited files": limited_files,
    "closed folder": closed_folder,
    "unreadable folder": unreadable_folder,
}
MOUNTED = ("full disk", "full temporary disk")


@contextlib.contextmanager
def interrupted(where):
    """In this block Ctrl-C comes when ``where`` ("module:name" of a function or method) is called; "": never."""
    if not where:
        yield
        return
    module, _, name = where.partition(":")
    *classes, last = name.split(".")
    owner = functools.reduce(getattr, classes, importlib.import_module(module))
    whole = getattr(owner, last)

    @functools.wraps(whole)
    def interrupting(*args, **options):
        setattr(owner, last, whole)
        print("reached", file=sys.stdout)
        os.kill(os.getpid(), signal.SIGINT)
        return whole(*args, **options)

    setattr(owner, last, interrupting)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        setattr(owner, last, whole)
        signal.signal(signal.SIGINT, before)
