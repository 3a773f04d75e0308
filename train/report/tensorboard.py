"""The history of a run for TensorBoard: ``NAME_tensorboard/`` with training, validation and test as its three runs."""

import os
import shutil

import tensorflow as tf

from keras_classics import files
from train.report.optional import optional

_FLUSH_MILLISECONDS = 5_000  # that TensorBoard, looking on, is behind at most


class Logs:
    """Event files in a folder of their own. Nothing but TensorFlow is needed to write them.

    Logs that cannot be written any more are given up after a warning; the run goes on.

    What an earlier or interrupted run left there is replaced: a run that goes on writes its history anew from its
    checkpoint, so that no step appears twice.

    Args:
        folder: a ``pathlib.Path``.
        batch_size: images a step.

    Raises:
        InputError: the folder cannot be written to.
    """

    def __init__(self, folder, batch_size):
        self.folder, self._batch_size = folder, batch_size
        if folder.is_dir():
            shutil.rmtree(folder)
        files.output_folder(folder)
        self._writers = {}

    def add_training(self, progress):
        """Log a ``Progress``."""
        values = {"loss": progress.loss, "accuracy": progress.accuracy, "learning_rate": progress.learning_rate}
        values["images_per_second"] = progress.steps * self._batch_size / progress.seconds
        self._write("training", progress.step, values)

    def add_evaluation(self, split, step, row):
        """Log ``loss`` and ``accuracy`` of a mapping, on "validation" or "test"."""
        self._write(split, step, {name: row[name] for name in ("loss", "accuracy")})
        self.flush()

    def flush(self):
        with self._optional():
            for writer in (self._writers or {}).values():
                writer.flush()

    def _optional(self):
        return optional(f"logs to {self.folder}", on_failure=self._give_up)

    def _give_up(self):
        self._writers = None

    def _write(self, split, step, values):
        if self._writers is not None:
            with self._optional():
                self._write_to(split, step, values)

    def _write_to(self, split, step, values):
        if split not in self._writers:
            path = os.fsencode(self.folder / split)  # which may be none that is UTF-8
            self._writers[split] = tf.summary.create_file_writer(path, flush_millis=_FLUSH_MILLISECONDS)
        with self._writers[split].as_default(step):
            for name, value in values.items():
                tf.summary.write(name, tf.constant(value, tf.float32), metadata=_scalar())


def _scalar():
    """What marks a value as a scalar. ``tf.summary.scalar`` does so too, but only where TensorBoard is installed."""
    metadata = tf.compat.v1.SummaryMetadata(data_class=1)  # DATA_CLASS_SCALAR
    metadata.plugin_data.plugin_name = "scalars"
    return metadata
