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
        network, variant = networks.identify(self._model, path, str(path))
        self._preprocessing, self.image_shape = networks.row_of(network, variant)
        self.classes = self._model.output_shape[-1]
        self.labels = _labels(path, network, self.classes)

    @functools.cached_property
    def _run(self):
        import tensorflow as tf

        def run(images):
            return self._model(self._preprocessing(images, data_format="channels_last"), training=False)

        return tf.function(run, input_signature=[tf.TensorSpec((None, *self.image_shape), tf.uint8)])

    def probabilities(self, images):
        """Class probabilities ``float32 (n, classes)`` of ``uint8 (n, height, width, channels)`` images, 0–255."""
        parts = [self._run(images[start : start + _BATCH]).numpy() for start in range(0, len(images), _BATCH)]
        return np.concatenate(parts)


def _labels(path, network, classes):
    """Labels of the outputs: as the history beside the model has them, else the network's own."""
    import json

    from keras_classics.alexnet import imagenet_classes
    from keras_classics.lenet import LABELS

    try:
        history = json.loads(path.with_name(f"{path.stem}_history.json").read_text(encoding="utf-8"))
        names = history["dataset"]["class_names"]
        if len(names) == classes and all(isinstance(name, str) for name in names):
            return tuple(names)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    if network != "alexnet" and classes == len(LABELS):
        return LABELS
    if classes == 1000:
        return tuple(name for _, name in imagenet_classes())
    return tuple(f"class {number}" for number in range(classes))
