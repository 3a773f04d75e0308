"""Evaluation of a model on a split: over devices and machines, or by one device with the class probabilities."""

import keras
import numpy as np
import tensorflow as tf

from train.engine import devices
from train.engine.losses import SMALLEST
from train.engine.scores import Evaluation


class Evaluator:
    """Evaluates a model; what it compiled for that is kept for the next time.

    Args:
        model: a ``keras.Model`` with softmax output.
        outputs: a ``keras.Model`` of the same layers that returns what the loss is computed from.
        loss: a ``losses.Loss``.
        batches: a ``Batches``.
        strategy: a ``tf.distribute.Strategy``.
    """

    def __init__(self, model, outputs, *, loss, batches, strategy):
        self._model, self._outputs, self._loss = model, outputs, loss
        self._batches, self._strategy = batches, strategy
        self._classes = model.output_shape[-1]
        self.compile()

    def compile(self):
        """Compile the evaluation anew, after the layers' precision was changed."""
        self._score = tf.function(self._score_batch, reduce_retracing=True, autograph=False)

    def evaluate(self, split):
        """An ``Evaluation`` of a split; devices and machines share its images."""
        workers, worker = devices.workers(self._strategy)
        if workers > 1:
            return self.test(split.take(np.arange(worker, len(split), workers)), crops=1, alone=False)[0]
        replicas = self._strategy.num_replicas_in_sync
        batches = self._batches.evaluation(split, replicas=replicas)
        sums = np.zeros(4)
        # One device takes the dataset as it is: the distributed iterator would bring back the autotuner's waits.
        for batch in batches if replicas == 1 else self._strategy.experimental_distribute_dataset(batches):
            sums += self._score(batch).numpy()
        return self._evaluation(sums)

    def test(self, split, crops=1, alone=True):
        """An ``Evaluation`` of a split and class probabilities, ``float32 (n, classes)``, by one device.

        Args:
            split: a ``datasets.Split``.
            crops: 1, or 2 or 10 (``augment.mirrored_crops``), whose outputs are averaged.
            alone: whether this machine tests all of the images; False adds up what all machines find.
        """
        both = keras.Model(self._model.input, [self._outputs.output, self._model.output])

        @tf.function(reduce_retracing=True, autograph=False)
        def score(images, labels):
            outputs, probabilities = (_mean_of_crops(value, crops) for value in both(images, training=False))
            if crops > 1 and not self._loss.layer:  # logits of the mean probabilities, not the mean of logits
                outputs = tf.math.log(tf.maximum(tf.cast(probabilities, tf.float32), SMALLEST))
            return sums(self._loss, labels, outputs, probabilities), probabilities

        totals, rows = np.zeros(4), [np.zeros((0, self._classes), "float32")]
        for images, labels in self._batches.evaluation(split, crops=crops):
            found, probabilities = score(images, labels)
            totals += found.numpy()
            rows.append(probabilities.numpy())
        return self._evaluation(totals if alone else devices.total(self._strategy, totals)), np.concatenate(rows)

    def _evaluation(self, totals):
        loss, correct, images, in_top5 = totals
        top5 = in_top5 / images if self._classes > 10 else None
        return Evaluation(images=int(images), accuracy=correct / images, loss=loss / images, top5=top5)

    def _score_batch(self, batch):
        a_replica = self._strategy.run(self._replica_score, args=batch)
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, a_replica, axis=None)

    def _replica_score(self, images, labels):
        outputs = self._outputs(images, training=False)
        return sums(self._loss, labels, outputs, self._loss.scores(outputs))


def sums(loss, labels, outputs, scores):
    """Sums over some images.

    Args:
        loss: a ``losses.Loss``.
        labels: int ``(n,)``.
        outputs: ``(n, classes)``, what the loss is computed from.
        scores: ``(n, classes)``, higher for the more probable class.

    Returns:
        ``float32 (4,)``: losses, correct predictions, images, and images whose class is among the five highest scores.
    """
    outputs, scores = (tf.cast(value, tf.float32) for value in (outputs, scores))  # also in mixed precision
    total = tf.reduce_sum(loss.of_images(labels, outputs, 0.0))
    in_top5 = tf.reduce_sum(tf.cast(tf.math.in_top_k(labels, scores, 5), tf.float32))
    return tf.stack([total, loss.correct(labels, outputs), tf.cast(tf.size(labels), tf.float32), in_top5])


def _mean_of_crops(values, crops):
    """``(crops · batch, classes)``, crop after crop, to the mean of each image's crops."""
    return tf.reduce_mean(tf.reshape(values, (crops, -1, values.shape[-1])), axis=0) if crops > 1 else values
