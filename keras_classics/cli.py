"""What every command of the project does alike: bad input, exit codes, closed pipes, interrupts.

Nothing here imports TensorFlow, so that ``--help`` and argument errors answer at once.
"""

import argparse
import atexit
import contextlib
import logging
import os
import pathlib
import sys
import threading
import warnings

from keras_classics import locks
from keras_classics import text as texts
from keras_classics.errors import InputError

INPUT_ERROR = 2  # exit code of a command that could not use what it was given
INTERRUPTED = 130  # as a shell reports a command ended by Ctrl-C
CLOSED_PIPE = 141  # and one ended because its output pipe was closed

_PACKAGES = ("benchmarks", "export", "keras_classics", "train")
_typed = None  # the command as it was typed, where that was not ``python -m MODULE``


def call_it(typed):
    """Let messages and usage call this process' command ``typed``, such as "keras-classics train lenet"."""
    global _typed
    _typed = typed


def program(module):
    """What to call the command of ``module``, such as "python -m train.lenet": as it was typed."""
    return _typed or module


class Stopped(Exception):  # noqa: N818 (not an error: it was asked for)
    """A command ended early with exit code ``code``; the text says why, where it stands and how to go on."""

    def __init__(self, text, code):
        super().__init__(text)
        self.code = code


class Parser(argparse.ArgumentParser):
    """An argument parser that takes no abbreviations and answers a bad argument with one sentence."""

    def __init__(self, *, prog, **kwargs):
        _let_streams_say_anything()  # help and errors come before ``run``
        super().__init__(prog=program(prog), allow_abbrev=False, **kwargs)

    def parse_known_args(self, args=None, namespace=None):
        for word in sys.argv[1:] if args is None else args:
            if word.startswith("--") and word.partition("=")[2] == "--":  # argparse would give the command a list
                self.error(f"argument {word[:-3]}: expected one argument")
        return super().parse_known_args(args, namespace)

    def error(self, message):
        self.exit(INPUT_ERROR, f"{self.prog}: {texts.message(message)}\n")


def positive_int(text):
    """A whole number from 1 up, for ``argparse``."""
    with contextlib.suppress(ValueError):
        if int(text) >= 1:
            return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")


def seed_number(text):
    """A whole number from 0 up to 2**31 - 1, for ``argparse``."""
    with contextlib.suppress(ValueError):
        if 0 <= int(text) < 2**31:
            return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2147483647")


def positive_float(text):
    """A number above 0 that float32 holds, for ``argparse``."""
    with contextlib.suppress(ValueError):
        if 0 < float(text) < 3.4e38:  # what float32 holds
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")


def non_negative_float(text):
    """A finite number from 0 up, for ``argparse``."""
    with contextlib.suppress(ValueError):
        if 0 <= float(text) < float("inf"):
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")


def path(text):
    """A path as it is typed, with ``~`` for the user's folder, for ``argparse``."""
    if not text:
        raise argparse.ArgumentTypeError("a path is missing: there is an empty text in its place")
    return os.path.expanduser(text)  # noqa: PTH111 (pathlib raises where there is no such user)


def dataset(text):
    """The name of a dataset, in which a path may follow ``folder:`` or ``idx:``, for ``argparse``."""
    kind, colon, rest = text.partition(":")
    return f"{kind}:{path(rest)}" if colon and rest else text


def add_data_dir(parser):
    """The argument of every command that reads a dataset by name."""
    text = "where TFDS data lies (or KERAS_CLASSICS_DATA_DIR)"
    parser.add_argument("--data-dir", type=path, metavar="DIR", help=text)


def add_common_arguments(parser, seed_of):
    """The arguments of every command that reads a dataset and writes to a folder."""
    add_data_dir(parser)
    parser.add_argument("--seed", type=seed_number, default=0, metavar="N", help=f"of {seed_of} (default: %(default)s)")
    parser.add_argument(
        "--out", type=path, default="saved_models", metavar="DIR", help="folder to write to (default: %(default)s)"
    )


def run(command, prog):
    """Call ``command()``, which returns an exit code or None, and exit the process.

    An ``InputError``, or a file that the system refuses, becomes a sentence on stderr and exit code 2; Ctrl-C becomes
    exit code 130, ``Stopped`` its own, and a closed output pipe 141.
    """
    _let_streams_say_anything()
    os.environ["MPLBACKEND"] = "agg"  # plots become files, and there may be no screen
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns of a cache that it cannot write, and of settings
    if any(kind == "error" for kind, *_ in warnings.filters):  # what libraries warn of does not end a command
        warnings.simplefilter("default")
        for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)  # as Python does by default
    try:
        code = command() or 0
        sys.stdout.flush()
    except InputError as error:
        print(f"{program(prog)}: {_with_arguments(error)}", file=sys.stderr)
        code = INPUT_ERROR
    except Stopped as stop:
        print(f"{program(prog)}: {texts.message(stop)}", file=sys.stderr)
        code = stop.code
    except KeyboardInterrupt:
        print(f"\n{program(prog)}: interrupted; no file was left half-written.", file=sys.stderr)
        code = INTERRUPTED
    except BrokenPipeError:
        code = CLOSED_PIPE
        _discard_output()
    except OSError as error:
        where = texts.in_a_line(os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else "output")
        print(f"{program(prog)}: {where}: {error.strerror or error}.", file=sys.stderr)
        code = INPUT_ERROR
        _discard_output()
    finally:
        locks.release()
    if _is_all_that_runs():
        _end_process(code)
    sys.exit(code)


def _with_arguments(error):
    """The text of an ``InputError`` in one line, with the arguments that its settings are given by."""
    text = texts.message(error)
    if not error.settings:
        return text
    arguments = ", ".join(f"--{name.replace('_', '-')}" for name in error.settings)
    return f"{text.removesuffix('.')} ({arguments})."


def _is_all_that_runs():
    """Whether Python was started for a command alone, not for a profiler, a debugger or tests that call it."""
    words = sys.orig_argv
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1].partition(".")[0] in _PACKAGES
    return any(pathlib.PurePath(word).name in ("keras-classics", "launch.py") for word in words[1:3])


def _end_process(code):
    """End the process as the interpreter does, but without taking it apart.

    That takes TensorFlow 0.8 s. It also waited for ever, one time in ten, for a thread of tf.data that decoded a
    picture in Python: Python ends such a thread without TensorFlow learning of it.
    """
    threading._shutdown()  # waits for threads, after telling pools of processes to end
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):  # closed streams
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _let_streams_say_anything():
    """Have standard output and error escape what their encoding cannot say; one that is closed swallows it."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115
        elif hasattr(stream, "reconfigure"):  # not in a notebook, which reads the stream too
            stream.reconfigure(errors="backslashreplace")


def show_json(content):
    """Print ``content`` as JSON that standard output's encoding can say."""
    print(texts.as_json(content, sys.stdout.encoding, indent=2))


def _discard_output():
    """Let the interpreter flush what is left of stdout without another error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
