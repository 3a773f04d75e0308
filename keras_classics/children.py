"""Processes that a command starts: ours whatever the working directory holds, and never ended in silence."""

import concurrent.futures
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import threading

from keras_classics import cli
from keras_classics.errors import InputError

_LAUNCHER = pathlib.Path(__file__).with_name("launch.py")


def module(name, *arguments):
    """The command line of a child that runs our module ``name``, as ``python -m`` would.

    A ``train.py`` in the working directory or in ``PYTHONPATH`` is not mistaken for this project's.
    """
    return [sys.executable, str(_LAUNCHER), name, *map(str, arguments)]


def run(command, name, **options):
    """``subprocess.run(command, **options)``, for a child that must succeed.

    Args:
        command: a list, of ``module`` for example.
        name: of what is run, for messages.
        options: of ``subprocess.run``.

    Raises:
        Stopped, InputError: as ``check``.
    """
    done = subprocess.run(command, **options)
    check(done.returncode, name, done.stderr)
    return done


def pool(workers=None, initializer=None, initargs=()):
    """A pool of Python processes that end when this one does, even if it is killed.

    Args:
        workers: how many; None: one a core.
        initializer, initargs: what each runs first.

    Returns:
        A ``concurrent.futures.ProcessPoolExecutor``; its processes are new ones, not forks, which would share the
        threads of libraries.
    """
    context = multiprocessing.get_context("spawn")
    return concurrent.futures.ProcessPoolExecutor(workers, context, _begin, (initializer, initargs))


def _begin(initializer, initargs):
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if initializer is not None:
        initializer(*initargs)


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


def check(code, name, stderr=None):
    """Refuse to go on after a child that did not succeed.

    Args:
        code: its exit code, negative if a signal ended it.
        name: of what was run, for the message.
        stderr: what it wrote there (text, bytes or None), if it has not been printed yet.

    Raises:
        Stopped: a signal ended it; the exit code is 128 + its number, as in a shell.
        InputError: it ended with an error.
    """
    check_signal(code, name)
    if code == 0:
        return
    if isinstance(stderr, bytes):
        stderr = stderr.decode(errors="replace")
    lines = (stderr or "").strip().splitlines()
    raise InputError(
        f"{name} ended with exit code {code}" + (f": {lines[-1].rstrip('.')}." if lines else "; see above.")
    )


def check_signal(code, name):
    """``check``, for those who explain exit codes above 0 themselves.

    Raises:
        Stopped: a signal ended the child.
    """
    if code >= 0:
        return
    try:
        number = signal.Signals(-code).name
    except ValueError:
        number = f"signal {-code}"
    reason = f"was ended by {number}"
    if number == "SIGKILL":
        reason += ", as when memory runs out"
    elif number in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"):
        reason = f"crashed in native code ({number}); with PYTHONFAULTHANDLER=1 in the environment Python says where"
    raise cli.Stopped(f"{name} {reason}.", 128 - code)
