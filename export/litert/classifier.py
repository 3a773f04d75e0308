"""A ``.tflite`` classifier in the LiteRT interpreter, and the logits behind its probabilities."""

from export.litert import flatbuffer
from keras_classics.recognition.classifier import INT8_OFFSET, Classifier, as_input

__all__ = ["INT8_OFFSET", "Classifier", "as_input", "logits"]


def logits(model, path, images):
    """What the softmax of ``model`` takes, ``float32 (n, classes)``; None where it does not end in a softmax."""
    twin = flatbuffer.with_logits(model)
    if twin is None:
        return None
    classifier = Classifier(twin, path)
    classifier.output = classifier.outputs[1]
    return classifier.probabilities(images)
