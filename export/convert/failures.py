"""Why a conversion failed: the disk, the memory, a library, or the model itself."""

import os
import tempfile

from keras_classics import files
from keras_classics.errors import InputError

_LONGEST = 200  # characters of a converter's own words
_NO_MEMORY = ("OOM when allocating", "Cannot allocate memory", "bad_alloc", "out of memory", "Out of memory")


class SurroundingsError(InputError):
    """A conversion failed for want of something that is not the model's."""


def explained(failure, folder=None, needed=0):
    """The ``InputError`` that describes what failed.

    Args:
        failure: whatever a converter raised.
        folder: where it wrote to; None: where temporary files lie.
        needed: bytes that it writes there at least. TensorFlow's converter does not say that it could not, but fails
            later for another reason.
    """
    for cause in _causes(failure):
        text = _of_the_surroundings(cause, folder)
        if text:
            return SurroundingsError(text)
    if needed:
        try:
            with tempfile.TemporaryFile(dir=folder) as probe:
                os.posix_fallocate(probe.fileno(), 0, needed)
        except OSError as error:
            return SurroundingsError(_unwritten(folder, error.strerror or str(error)))
    return InputError(f"the converter cannot take this model ({_first_line(failure)}).")


def _of_the_surroundings(error, folder):
    if isinstance(error, MemoryError) or any(text in str(error) for text in _NO_MEMORY):
        return "there is not enough memory to convert this model; free some, or convert it on a larger machine."
    if isinstance(error, ImportError):
        return f"a library that the conversion needs cannot be loaded ({_first_line(error)}); install it anew."
    system = files.reason_of(error)
    return _unwritten(folder, system) if system else None


def _unwritten(folder, reason):
    if folder is not None:
        return f"the converter cannot write to {folder}: {reason}."
    try:
        folder = tempfile.gettempdir()
    except OSError:
        folder = os.environ.get("TMPDIR", "the folder of temporary files")
    return (
        f"the converter cannot write its temporary files to {folder}: {reason}. The environment variable TMPDIR names "
        "another folder."
    )


def _causes(error):
    """An error, what it was raised from, and so on."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:_LONGEST]
