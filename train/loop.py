"""The training engine of every network and strategy: many steps a call, the same step on one device or several."""

import dataclasses
import math
import time

import keras
import numpy as np
import tensorflow as tf

from keras_classics import pipeline
from keras_classics.errors import InputError
from train.augment import AUGMENTATIONS

_EVALUATION_BATCH = 500  # images a replica


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a run stands after some steps."""

    step: int
    epoch: float  # passes over the training split so far
    loss: float  # mean cross-entropy since the last report, in nats
    accuracy: float  # on the augmented training images since the last report, 0–1
    images_per_second: float
    seconds: float  # of training so far, evaluation excluded


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """How a model does on a split."""

    images: int
    correct: int
    loss: float  # mean cross-entropy, in nats

    @property
    def accuracy(self):
        return self.correct / self.images


class Trainer:
    """A model, its optimizer and its data under one ``tf.distribute`` strategy.

    Args:
        build: ``() -> keras.Model`` with softmax output; called in the strategy's scope.
        preprocessing: the network's ``Preprocessing``, applied after augmentation.
        size: side of the network's input in pixels.
        dataset: a ``datasets.Dataset``.
        recipe: a ``recipes.Recipe``.
        strategy: a ``tf.distribute.Strategy``.

    Raises:
        InputError: the batch cannot be shared evenly, or the network's classes are not the dataset's.
    """

    def __init__(self, build, *, preprocessing, size, dataset, recipe, strategy):
        self.dataset, self.recipe, self.strategy = dataset, recipe, strategy
        self.replicas = strategy.num_replicas_in_sync
        if recipe.batch_size % self.replicas:
            raise InputError(f"batches of {recipe.batch_size} cannot be shared evenly by {self.replicas} devices.")
        self.total_steps = recipe.steps_for(len(dataset.train))
        self.step = 0
        self._augmentation = AUGMENTATIONS[recipe.augmentation]
        self._preprocessing, self._size = preprocessing, size
        keras.utils.set_random_seed(recipe.seed)
        with strategy.scope():
            self.model = build()
            self.optimizer = _optimizer(recipe, self.total_steps)
            self.optimizer.build(self.model.trainable_variables)
        classes = self.model.output_shape[-1]
        if classes != len(dataset.class_names):
            raise InputError(f"{dataset.name} has {len(dataset.class_names)} classes; the network has {classes}.")

    def train(self, steps, report_every):
        """Train for ``steps`` steps, yielding a ``Progress`` every ``report_every``.

        Raises:
            InputError: a picture file of the dataset cannot be decoded.
            FloatingPointError: the loss is no longer a finite number.
        """
        batches = iter(self.strategy.distribute_datasets_from_function(lambda _: self._training_batches()))
        end, seconds = self.step + steps, 0.0
        while self.step < end:
            count = min(report_every, end - self.step)
            start = time.perf_counter()
            loss, accuracy = (float(value) for value in self._run(batches, tf.constant(count)))
            elapsed = time.perf_counter() - start
            self.step += count
            seconds += elapsed
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"the loss became {loss} by step {self.step}, at learning rate {self._rate():.3g}"
                )
            images = self.step * self.recipe.batch_size
            yield Progress(
                step=self.step,
                epoch=images / len(self.dataset.train),
                loss=loss,
                accuracy=accuracy,
                images_per_second=count * self.recipe.batch_size / elapsed,
                seconds=seconds,
            )

    def evaluate(self, split):
        """Loss and accuracy on a split, as an ``Evaluation``."""

        def prepare(images):
            return self._prepared(self._augmentation.evaluate(self._loaded(images), self._size))

        batches = pipeline.evaluation_batches(
            split,
            batch=_EVALUATION_BATCH * self.replicas,
            prepare=prepare,
            size=self._augmentation.load_size(self._size),
        )
        sums = np.zeros(3)
        for batch in self.strategy.experimental_distribute_dataset(batches):
            sums += self._score(batch).numpy()
        loss, correct, images = sums
        return Evaluation(images=int(images), correct=int(correct), loss=loss / images)

    def _rate(self):
        return float(keras.ops.convert_to_numpy(self.optimizer.learning_rate))

    def _training_batches(self):
        def prepare(images, draws):
            return self._prepared(self._augmentation.apply(self._loaded(images), draws, self._size))

        return pipeline.training_batches(
            self.dataset.train,
            batch=self.recipe.batch_size,
            replicas=self.replicas,
            seed=self.recipe.seed,
            first_step=self.step,
            prepare=prepare,
            draws=self._augmentation.draws,
            size=self._augmentation.load_size(self._size),
        )

    def _loaded(self, images):
        """Pictures in memory brought to the size that files are loaded at."""
        size = self._augmentation.load_size(self._size)
        return images if images.shape[1] == size else tf.image.resize(images, (size, size))

    def _prepared(self, images):
        return self._preprocessing(images, data_format="channels_last")

    @tf.function
    def _run(self, batches, steps):
        """``steps`` steps in one call; mean loss and accuracy over their images."""
        totals = tf.zeros(2)
        for _ in tf.range(steps):
            a_replica = self.strategy.run(self._replica_step, args=next(batches))
            totals += self.strategy.reduce(tf.distribute.ReduceOp.SUM, a_replica, axis=None)
        return tf.unstack(totals / tf.cast(steps, tf.float32))

    def _replica_step(self, images, labels):
        weights = [variable.value for variable in self.model.trainable_variables]
        with tf.GradientTape() as tape:
            probabilities = self.model(images, training=True)
            # Shares of the whole batch's mean: the optimizer sums gradients over replicas.
            loss = tf.reduce_sum(_cross_entropy(labels, probabilities)) / self.recipe.batch_size
        self.optimizer.apply(tape.gradient(loss, weights), self.model.trainable_variables)
        return tf.stack([loss, _hits(labels, probabilities) / self.recipe.batch_size])

    @tf.function(reduce_retracing=True)
    def _score(self, batch):
        a_replica = self.strategy.run(self._replica_score, args=batch)
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, a_replica, axis=None)

    def _replica_score(self, images, labels):
        probabilities = self.model(images, training=False)
        loss = tf.reduce_sum(_cross_entropy(labels, probabilities))
        return tf.stack([loss, _hits(labels, probabilities), tf.cast(tf.size(labels), tf.float32)])


def _cross_entropy(labels, probabilities):
    """In nats, an image. In a graph Keras finds the logits behind the softmax, so that nothing under- or overflows."""
    return keras.losses.sparse_categorical_crossentropy(labels, probabilities)


def _hits(labels, probabilities):
    """How many images have their label as the likeliest class."""
    return tf.reduce_sum(tf.cast(tf.equal(tf.argmax(probabilities, axis=-1), labels), tf.float32))


def _optimizer(recipe, total_steps):
    warmup = round(recipe.warmup * total_steps)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / max(1, warmup) if warmup else recipe.learning_rate,
        decay_steps=max(1, total_steps - warmup),
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    if recipe.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    return keras.optimizers.SGD(rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay)
