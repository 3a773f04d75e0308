"""The one door for ``.tflite`` files: nothing from outside reaches an interpreter that has not come through here."""

import pathlib

from keras_classics.errors import InputError

_IDENTIFIER = b"TFL3"  # bytes 4–8 of every TFLite file


def read(path, *, reference=False):
    """The bytes of the ``.tflite`` at ``path``, checked.

    Raises:
        InputError: as ``check``, or it cannot be read.
    """
    from keras_classics.recognition import structure

    path = pathlib.Path(path)
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise InputError(f"the model {path} is not a file.")
        if path.stat().st_size > structure.LARGEST:
            raise InputError(f"the model {path} has more than {structure.LARGEST:,} bytes.")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the model {path}: {getattr(error, 'strerror', None) or error}.") from error
    check(content, path, reference=reference)
    return content


def check(content, name, *, reference=False):
    """Check the structure of a ``.tflite`` (bytes), and run it once in a child process.

    A file takes about 15 ms. All files go through this, those of this project too: nothing in a file that anybody can
    write could prove that it is ours.

    Args:
        content: the bytes.
        name: what messages call them.
        reference: whether it will meet the reference kernels too.

    Raises:
        InputError: it is no TFLite model, damaged, or LiteRT cannot run it.
    """
    from keras_classics.recognition import structure, trial

    if content[4:8] != _IDENTIFIER:
        raise InputError(f"{name} is not a TFLite model.")
    try:
        structure.check(content)
    except structure.DamagedError as error:
        raise InputError(f"{name} is a damaged TFLite model: {error}.") from error
    trial.check(content, name)
    if reference:
        trial.check(content, name, reference=True)
