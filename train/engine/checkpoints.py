"""Unfinished runs: saved at intervals, atomically, and continued by the same command."""

import json
import re
import shutil

import tensorflow as tf

from keras_classics import files
from keras_classics.errors import InputError

_NOTE = "note/.ATTRIBUTES/VARIABLE_VALUE"  # where TensorFlow keeps the variable of that name


class Checkpoints:
    """The checkpoints of one run, in a folder of their own.

    A checkpoint holds every variable of the model and the optimizer (with its step, momenta and loss scale, and the
    random states of dropout), and a note of the step and history. A training batch follows from seed and step alone.

    Args:
        folder: a ``pathlib.Path``; made when the first checkpoint is saved.
        identity: a dict of what must be the same for a run to be taken up: recipe, data, network.
        keep: how many of the last are kept.

    Raises:
        InputError: the folder holds an unfinished run of another identity.
    """

    def __init__(self, folder, identity, keep=2):
        self.folder, self._keep = folder, keep
        self.identity = json.loads(json.dumps(identity))
        self.last = last_in(folder)
        self._saved = self._read_note() if self.last else None
        found = self._saved and self._saved["identity"]
        if found and found != self.identity:
            changed = [name for name in self.identity if found.get(name) != self.identity[name]]
            raise InputError(
                f"{folder} holds an unfinished run with another {' and '.join(changed)}; repeat its command to go on, "
                "discard it, or choose another folder.",
                settings=("fresh", "out"),
            )

    def _read_note(self):
        try:
            with files.plain_name(self.folder) as plain:
                return json.loads(tf.train.load_variable(str(plain / self.last.name), _NOTE))
        except (tf.errors.OpError, ValueError, KeyError) as error:
            raise self._damaged() from error

    def _damaged(self):
        return InputError(f"the checkpoint {self.last} is damaged; discard it to begin anew.", settings=("fresh",))

    def attach(self, trainer):
        """Take up the saved run, if there is one: set ``trainer`` to its state and return its history, else None."""
        variables = [variable.value for variable in (*trainer.model.variables, *trainer.optimizer.variables)]
        self._note = tf.Variable("", trainable=False)
        self._state = tf.train.Checkpoint(variables=variables, note=self._note)
        if not self.last:
            return None
        try:
            with files.plain_name(self.folder) as plain:
                self._state.read(str(plain / self.last.name)).assert_consumed()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            raise self._damaged() from error
        trainer.step = self._saved["step"]
        return self._saved["history"]

    def save(self, step, history):
        """Save the state of the attached trainer at ``step``; an older checkpoint goes when this one is complete."""
        files.output_folder(self.folder)
        self._note.assign(json.dumps({"identity": self.identity, "step": step, "history": history}))
        name = f"ckpt-{step}"
        try:
            with (
                files.temporary_folder(self.folder, name) as partial,
                files.plain_name(partial) as plain,
            ):
                self._state.write(str(plain / name))
                # The index makes a checkpoint one: it comes last, when its data is there.
                for part in sorted(partial.iterdir(), key=lambda path: path.suffix == ".index"):
                    files.flush(part)
                    part.replace(self.folder / part.name)
        except tf.errors.OpError as error:
            reason = files.reason_of(error) or error.message
            raise InputError(f"cannot save a checkpoint in {self.folder}: {reason}.") from error
        except OSError as error:
            raise InputError(f"cannot save a checkpoint in {self.folder}: {error.strerror or error}.") from error
        self.last = self.folder / name
        for older in _steps_in(self.folder)[: -self._keep]:
            _remove(self.folder, older)


def last_in(folder):
    """The newest whole checkpoint in ``folder``, as the path that its files begin with; None where there is none."""
    steps = _steps_in(folder)
    return folder / f"ckpt-{steps[-1]}" if steps else None


def _steps_in(folder):
    """Steps of the whole checkpoints, in order. By exact names: TensorFlow takes a folder's name for a pattern."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    found = (re.fullmatch(r"ckpt-(\d+)\.index", name) for name in names)
    return sorted(int(match[1]) for match in found if match)


def _remove(folder, step):
    """Remove a checkpoint, its index first: what is left without one is none."""
    parts = [path for path in folder.iterdir() if path.name.startswith(f"ckpt-{step}.")]
    for part in sorted(parts, key=lambda path: path.suffix != ".index"):
        part.unlink(missing_ok=True)


def discard(folder):
    """Remove the checkpoints in ``folder``: their run is finished, or not wanted."""
    shutil.rmtree(folder, ignore_errors=True)
