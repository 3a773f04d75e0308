"""The training step: gradients of a batch, over devices and lanes, and one update; many steps in one call."""

import numpy as np
import tensorflow as tf

from train.engine import devices, shrinking
from train.engine.losses import distilled

_IMAGES_A_LANE = 16  # at least


class TrainingSteps:
    """Runs training steps on the devices of a strategy.

    Args:
        model: the ``keras.Model`` whose trainable variables are updated.
        outputs: a ``keras.Model`` of the same layers that returns what the loss is computed from.
        loss: a ``losses.Loss``.
        optimizer: a built Keras optimizer.
        recipe: a ``recipes.Recipe``.
        strategy: a ``tf.distribute.Strategy``.
        lanes: parts that this machine's images of a step go through the network in, at most.
        teacher: a ``keras.Model`` of the same images and classes that the network learns from too, or None; what
            others said before is part of the batches.
    """

    def __init__(self, model, outputs, *, loss, optimizer, recipe, strategy, lanes, teacher=None):
        self._model, self._outputs, self._loss, self._optimizer = model, outputs, loss, optimizer
        self._recipe, self._strategy, self._teacher = recipe, strategy, teacher
        self._workers = devices.workers(strategy)[0]
        replicas = strategy.num_replicas_in_sync
        share, local = recipe.batch_size // replicas, replicas // self._workers
        lanes = max(1, min(lanes // local, share // _IMAGES_A_LANE))
        self._lanes = [len(part) for part in np.array_split(np.arange(share), lanes)]

    @tf.function(autograph=False)
    def run(self, batches, steps):
        """``steps`` steps in one call; mean loss and accuracy over their images."""

        def step(done, totals):
            replicas = self._strategy.run(self._replica_step, args=batches.get_next())
            return done + 1, totals + tf.add_n(self._strategy.experimental_local_results(replicas))

        _, totals = tf.while_loop(lambda done, _: done < steps, step, (0, tf.zeros(2)))
        if self._workers > 1:
            totals = devices.summed(self._strategy, totals)
        return tf.unstack(totals / tf.cast(steps, tf.float32))

    def _replica_step(self, images, labels, *said):
        weights = [variable.value for variable in self._model.trainable_variables]
        lanes = zip(*(tf.split(part, self._lanes) for part in (images, labels, *said)), strict=True)
        gradients, totals = zip(*(self._gradients(weights, *lane) for lane in lanes), strict=True)
        gradients = [tf.add_n(lanes) for lanes in zip(*gradients, strict=True)]
        if self._recipe.prune_convolutions or self._recipe.prune_dense:
            gradients = shrinking.keeping_zeros(gradients, weights)
        self._optimizer.apply(gradients, self._model.trainable_variables)
        return tf.add_n(totals)

    def _gradients(self, weights, images, labels, *said):
        """What some images, of which others may have ``said`` something, add to gradient, loss and accuracy."""
        recipe, batch_size = self._recipe, self._recipe.batch_size
        with tf.GradientTape() as tape:
            outputs = tf.cast(self._outputs(images, training=True), tf.float32)  # also in mixed precision
            # Shares of the whole batch's mean: the optimizer sums gradients over replicas.
            losses = self._loss.of_images(labels, outputs, recipe.label_smoothing)
            if self._teacher is not None:
                said = [tf.stop_gradient(self._teacher(images, training=False))]
            if said:
                losses = distilled(losses, self._loss.scores(outputs), said[0], recipe.distil, recipe.temperature)
            loss = tf.reduce_sum(losses) / batch_size
            scaled = self._optimizer.scale_loss(loss)  # as it is, but in mixed_float16
        return tape.gradient(scaled, weights), tf.stack([loss, self._loss.correct(labels, outputs) / batch_size])
