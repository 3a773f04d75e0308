"""The gate: what an exported model does on the whole test split, beside the Keras model it came from."""

import numpy as np

from export.classifier import Classifier
from export.description import operators

_BATCH = 500


def keras_probabilities(model, preprocessing, images):
    """Class probabilities ``float32 (n, classes)`` of raw images, from the Keras model."""
    parts = np.array_split(images, max(1, len(images) // _BATCH))
    return np.concatenate([model.predict_on_batch(preprocessing(part, "channels_last")) for part in parts])


def compare(tflite, path, probabilities, split):
    """Every figure the gate looks at.

    Args:
        tflite: bytes of the exported model.
        path: where it is going to be, for messages.
        probabilities: what Keras says of the images of ``split``.
        split: the test ``Split``.

    Returns:
        A dict: ``size_bytes``; ``keras_accuracy`` and ``tflite_accuracy`` (0–1) on ``test_images`` images; ``drop``,
        their difference in percentage points; ``agreement`` (share of images with the same most likely class);
        ``largest_probability_difference``; ``operators`` in order; ``input`` and ``output`` as LiteRT has them.
    """
    classifier = Classifier(tflite, path)
    ours = classifier.probabilities(split.images)
    chosen, reference = ours.argmax(axis=1), probabilities.argmax(axis=1)
    accuracy, reference_accuracy = (float((classes == split.labels).mean()) for classes in (chosen, reference))
    return {
        "size_bytes": len(tflite),
        "test_images": len(split),
        "keras_accuracy": reference_accuracy,
        "tflite_accuracy": accuracy,
        "drop": round(100 * (reference_accuracy - accuracy), 6),
        "agreement": float((chosen == reference).mean()),
        "largest_probability_difference": float(np.abs(ours - probabilities).max()),
        "operators": operators(tflite),
        "input": _tensor(classifier.input),
        "output": _tensor(classifier.output),
    }


def _tensor(details):
    scale, zero_point = details["quantization"]
    return {
        "shape": [int(side) for side in details["shape"]],
        "dtype": np.dtype(details["dtype"]).name,
        "scale": scale or None,
        "zero_point": zero_point if scale else None,
    }
