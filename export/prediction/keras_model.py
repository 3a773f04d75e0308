"""A ``.keras`` file as a classifier of raw pixels, as a ``.tflite`` file is one."""

import functools

import numpy as np

from keras_classics.errors import InputError

_BATCH = 256  # images


class KerasClassifier:
    """Runs LeNet-5 or AlexNet from a ``.keras`` file; TensorFlow is imported for it.

    Args:
        path: a ``pathlib.Path``.

    Raises:
        InputError: there is no such file, or it is neither network.
    """

    def __init__(self, path):
        if not path.is_file():
            raise InputError(f"there is no model {path}.")
        from keras_classics.runtime import start_tensorflow

        start_tensorflow()
        from export.inputs import networks

        self._model = networks.load_model(path)
        known = networks.described(self._model, path)
        self._preprocessing, self.image_shape = known.preprocessing, networks.image_shape(self._model, known, path)
        self.classes = self._model.output_shape[-1]
        own = known.labels if known.labels and len(known.labels) == self.classes else None
        self.labels = own or networks.default_labels(known.network, self.classes)

    @functools.cached_property
    def _run(self):
        import tensorflow as tf

        def run(images):
            return self._model(self._preprocessing(images, data_format="channels_last"), training=False)

        images = tf.TensorSpec((None, *self.image_shape), tf.uint8)
        return tf.function(run, input_signature=[images], autograph=False)

    def probabilities(self, images):
        """Class probabilities ``float32 (n, classes)`` of ``uint8 (n, height, width, channels)`` images, 0–255."""
        parts = [self._run(images[start : start + _BATCH]).numpy() for start in range(0, len(images), _BATCH)]
        return np.concatenate(parts)
