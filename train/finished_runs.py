"""Finished runs as records: trained by a command where there is none yet, read where there is."""

import json
import shlex

from keras_classics import children, files
from keras_classics.errors import InputError

_ELSEWHERE = ("--out", "--data-dir")  # arguments that do not change what is trained


def history(folder, module, arguments, data_dir=None):
    """What the run in ``folder`` recorded (``NAME_history.json``), after ``python -m module arguments`` if need be.

    An interrupted run in the folder goes on.

    Args:
        folder: a ``pathlib.Path``.
        module: "train.lenet" or "train.alexnet".
        arguments: as on the command line, but for ``--out`` and ``--data-dir``.
        data_dir: for ``--data-dir``, or None.

    Raises:
        InputError: the training failed, or what is in the folder cannot be read.
        Stopped: a signal ended the training.
    """
    found = list(folder.glob("*_history.json"))
    if not found:
        given = [*map(str, arguments), f"--out={folder}", *([f"--data-dir={data_dir}"] if data_dir else [])]
        print(f"+ {shlex.join(['python', '-m', module, *given])}", flush=True)
        children.run(children.module(module, *given), f"training into {folder}")
        found = list(folder.glob("*_history.json"))
    try:
        record = json.loads(found[0].read_text(encoding="utf-8"))
        model = found[0].with_name(found[0].name.replace("_history.json", ".keras"))
        described = not model.exists() or record.get("model_sha256") in (None, files.digest(model))
    except (IndexError, OSError, ValueError, RecursionError, AttributeError) as error:
        raise InputError(f"{folder} holds no history of a run that can be read; remove it.") from error
    if not described:  # the run was killed between two renames
        raise InputError(f"{found[0]} is not of the model {model.name} beside it; remove both.")
    return record


def model(path):
    """The ``keras.Model`` that a run left at ``path``, without its optimizer.

    Raises:
        InputError: Keras cannot read it.
    """
    import keras

    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError) as error:
        raise InputError(f"there is no model {path} that Keras can read.") from error


def arguments_of(record):
    """The arguments that a recorded run was given, but for ``--out`` and ``--data-dir``.

    Raises:
        KeyError: the record has no command.
    """
    words = iter(record["command"][1:])
    given = []
    for word in words:
        if word in _ELSEWHERE:
            next(words, None)
        elif word.partition("=")[0] not in _ELSEWHERE:
            given.append(word)
    return given
