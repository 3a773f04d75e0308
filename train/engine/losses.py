"""What training minimises: for each loss, which outputs of a network it takes and what they say."""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf

from keras_classics.errors import InputError
from keras_classics.lenet import MaximumAPosteriori

SMALLEST = 1e-30  # probability whose logarithm is still taken


@dataclasses.dataclass(frozen=True)
class Loss:
    """A loss and the outputs of a network that it is computed from.

    Args:
        text: display name with its unit.
        layer: the layer whose outputs it takes; None: the logits, what the last softmax is computed from.
        of_images: ``(labels, outputs, label smoothing) -> losses``: integers ``(n,)`` from 0 to classes - 1, ``float32
            (n, classes)`` and a number of 0–1 become ``float32 (n,)``. Raises InputError where a loss has no smoothing.
        classes: ``outputs -> predicted classes``: ``float32 (n, classes)`` becomes ``int64 (n,)``.
    """

    text: str
    layer: str | None
    of_images: Callable
    classes: Callable

    def scores(self, outputs):
        """``float32 (n, classes)`` whose softmax is what the network says: the outputs, or distances turned round."""
        return -outputs if self.layer else outputs

    def correct(self, labels, outputs):
        """How many of ``n`` images are predicted correctly, a float32 scalar.

        Args:
            labels: int64 ``(n,)``.
            outputs: ``float32 (n, classes)``.
        """
        return tf.reduce_sum(tf.cast(tf.equal(self.classes(outputs), labels), tf.float32))


def _cross_entropy(labels, logits, smoothing):
    if not smoothing:
        return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    targets = tf.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    return keras.losses.categorical_crossentropy(targets, logits, from_logits=True, label_smoothing=smoothing)


def _cross_entropy_or_none(labels, logits, smoothing):
    """As ``_cross_entropy``; an image whose label is no class (the number of classes) wants all of them equal."""
    classes = logits.shape[-1]
    targets = tf.one_hot(labels, classes, dtype=logits.dtype)
    targets += (1 - tf.reduce_sum(targets, axis=-1, keepdims=True)) / classes
    return keras.losses.categorical_crossentropy(targets, logits, from_logits=True, label_smoothing=smoothing)


def _maximum_a_posteriori(labels, distances, smoothing):
    if smoothing:
        raise InputError("label_smoothing goes with the loss cross_entropy only.")
    return MaximumAPosteriori(reduction=None)(labels, distances)


def distilled(losses, logits, probabilities, share, temperature):
    """Losses of which a share is the cross-entropy to what others say, both softened (Hinton et al., 2015, section 2).

    Args:
        losses: ``float32 (n,)``, by the labels.
        logits: ``float32 (n, classes)`` of the network that learns.
        probabilities: ``float32 (n, classes)`` of those it learns from.
        share, temperature: of the recipe.

    Returns:
        ``float32 (n,)``.
    """
    said = tf.nn.softmax(tf.math.log(tf.maximum(probabilities, SMALLEST)) / temperature)
    soft = tf.nn.softmax_cross_entropy_with_logits(said, logits / temperature)
    # Gradients of softened outputs are as much smaller as the square of the temperature.
    return (1 - share) * losses + share * temperature**2 * soft


LOSSES = {
    "cross_entropy": Loss(
        "cross-entropy (nats)",
        None,
        _cross_entropy,
        lambda logits: tf.argmax(logits, axis=-1),
    ),
    # Outlier exposure (Hendrycks, Mazeika, Dietterich, 2019): what is no digit is trained to be nothing for certain.
    "cross_entropy_or_none": Loss(
        "cross-entropy (nats)",
        None,
        _cross_entropy_or_none,
        lambda logits: tf.argmax(logits, axis=-1),
    ),
    # On the distances of LeNet-5 "1998", before they become probabilities.
    "maximum_a_posteriori": Loss(
        "loss of equation 9 (squared distance)",
        "output",
        _maximum_a_posteriori,
        lambda distances: tf.argmin(distances, axis=-1),
    ),
}
