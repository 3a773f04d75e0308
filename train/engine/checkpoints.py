"""Unfinished runs: saved every so often, whole or not at all, and taken up again by the same command."""

import json
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
        self._identity = json.loads(json.dumps(identity))
        self.last = tf.train.latest_checkpoint(folder)
        self._saved = self._read_note() if self.last else None
        found = self._saved and self._saved["identity"]
        if found and found != self._identity:
            changed = [name for name in self._identity if found.get(name) != self._identity[name]]
            raise InputError(
                f"{folder} holds an unfinished run with another {' and '.join(changed)}; repeat its command to go on, "
                "give --fresh to discard it, or choose another --out."
            )

    def _read_note(self):
        try:
            return json.loads(tf.train.load_variable(self.last, _NOTE))
        except (tf.errors.OpError, ValueError, KeyError) as error:
            raise InputError(f"the checkpoint {self.last} is damaged; give --fresh to begin anew.") from error

    def attach(self, trainer):
        """Take up the saved run, if there is one: set ``trainer`` to its state and return its history, else None."""
        variables = [variable.value for variable in (*trainer.model.variables, *trainer.optimizer.variables)]
        self._note = tf.Variable("", trainable=False)
        self._manager = tf.train.CheckpointManager(
            tf.train.Checkpoint(variables=variables, note=self._note), self.folder, max_to_keep=self._keep
        )
        if not self.last:
            return None
        try:
            self._manager.checkpoint.restore(self.last).assert_consumed()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            raise InputError(f"the checkpoint {self.last} is damaged; give --fresh to begin anew.") from error
        trainer.step = self._saved["step"]
        return self._saved["history"]

    def save(self, step, history):
        """Save the state of the attached trainer at ``step``; an older checkpoint goes when this one is complete."""
        files.output_folder(self.folder)
        self._note.assign(json.dumps({"identity": self._identity, "step": step, "history": history}))
        try:
            self.last = self._manager.save(checkpoint_number=step)
        except tf.errors.OpError as error:
            raise InputError(f"cannot save a checkpoint in {self.folder}: {error.message}.") from error


def discard(folder):
    """Remove the checkpoints in ``folder``: their run is finished, or not wanted."""
    shutil.rmtree(folder, ignore_errors=True)
