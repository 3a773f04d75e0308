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
from train.losses import LOSSES

_EVALUATION_BATCH = 500  # images a replica


@dataclasses.dataclass(frozen=True)
class Progress:
    """Some consecutive steps of training, and where they ended."""

    step: int  # the last
    steps: int  # how many
    epoch: float  # passes over the training split by then
    loss: float  # the mean of theirs, as the recipe names it
    accuracy: float  # on their augmented images, 0–1
    seconds: float  # they took
    learning_rate: float  # that their last update left for the next

    def then(self, later):
        """This progress and the one that follows it, as one."""
        total = self.steps + later.steps

        def mean(name):
            return (getattr(self, name) * self.steps + getattr(later, name) * later.steps) / total

        return dataclasses.replace(
            later, steps=total, loss=mean("loss"), accuracy=mean("accuracy"), seconds=self.seconds + later.seconds
        )


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """How a model does on a split."""

    images: int
    accuracy: float  # 0–1
    loss: float  # mean, as the recipe names it


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
        InputError: the batch cannot be shared evenly or is larger than the training split, or the network's classes
            are not the dataset's.
    """

    def __init__(self, build, *, preprocessing, size, dataset, recipe, strategy):
        self.dataset, self.recipe, self.strategy = dataset, recipe, strategy
        self.replicas = strategy.num_replicas_in_sync
        if recipe.batch_size % self.replicas:
            raise InputError(f"batches of {recipe.batch_size} cannot be shared evenly by {self.replicas} devices.")
        if recipe.batch_size > len(dataset.train):
            raise InputError(
                f"batches of {recipe.batch_size} are larger than the {len(dataset.train)} training images."
            )
        self.total_steps = recipe.steps_for(len(dataset.train))
        self.step = 0
        self._steps_a_second = 1.0
        self._augmentation = AUGMENTATIONS[recipe.augmentation]
        self._preprocessing, self._size = preprocessing, size
        keras.utils.set_random_seed(recipe.seed)
        with strategy.scope():
            self.model = build()
            self.loss = LOSSES[recipe.loss]
            layer = self.loss.layer
            self._outputs = keras.Model(self.model.input, self.model.get_layer(layer).output) if layer else self.model
            self.optimizer = _optimizer(recipe, self.total_steps)
            if keras.config.dtype_policy().name == "mixed_float16":
                self.optimizer = keras.optimizers.LossScaleOptimizer(self.optimizer)
            self.optimizer.build(self.model.trainable_variables)
        classes = self.model.output_shape[-1]
        if classes != len(dataset.class_names):
            raise InputError(f"{dataset.name} has {len(dataset.class_names)} classes; the network has {classes}.")
        self._score = tf.function(self._score_batch, reduce_retracing=True)
        self._batches = None  # made when training begins, at the step it begins from

    def train(self, until):
        """Train up to step ``until``, yielding a ``Progress`` about every second.

        Raises:
            FloatingPointError: the loss is no longer a finite number.
        """
        if self._batches is None and self.step < until:
            self._batches = self._distributed_training_batches()
        while self.step < until:
            count = min(max(1, round(self._steps_a_second)), until - self.step)
            start = time.perf_counter()
            loss, accuracy = (float(value) for value in self._run(self._batches, tf.constant(count)))
            seconds = time.perf_counter() - start
            self._steps_a_second = count / seconds
            self.step += count
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"the loss became {loss} by step {self.step}, at learning rate {self._rate():.3g}"
                )
            epoch = self.step * self.recipe.batch_size / len(self.dataset.train)
            yield Progress(self.step, count, epoch, loss, accuracy, seconds, self._rate())

    def evaluate(self, split):
        """Loss and accuracy on a split, as an ``Evaluation``.

        Raises:
            FloatingPointError: the loss is not a finite number.
        """
        batches = self._evaluation_batches(split, _EVALUATION_BATCH * self.replicas)
        sums = np.zeros(3)
        # One device takes the dataset as it is: the distributed iterator would bring back the autotuner's waits.
        for batch in batches if self.replicas == 1 else self.strategy.experimental_distribute_dataset(batches):
            sums += self._score(batch).numpy()
        loss, correct, images = sums
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss became {loss} at step {self.step}, when evaluated")
        return Evaluation(images=int(images), accuracy=correct / images, loss=loss / images)

    def predictions(self, split):
        """Probabilities of the classes for each image of a split, ``float32 (n, classes)``, in its order.

        They are computed by one device, without waiting for any other.
        """
        forward = tf.function(lambda images: self.model(images, training=False), reduce_retracing=True)
        return np.concatenate(
            [forward(images).numpy() for images, _ in self._evaluation_batches(split, _EVALUATION_BATCH)]
        )

    def _rate(self):
        return float(keras.ops.convert_to_numpy(self.optimizer.learning_rate))

    def _evaluation_batches(self, split, batch):
        def prepare(images):
            return self._prepared(self._augmentation.evaluate(self._loaded(images), self._size))

        size = self._augmentation.load_size(self._size)
        return pipeline.evaluation_batches(split, batch=batch, prepare=prepare, size=size)

    def _distributed_training_batches(self):
        if self.replicas == 1:
            return iter(self._training_batches())
        return iter(self.strategy.distribute_datasets_from_function(lambda _: self._training_batches()))

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
            outputs = self._outputs(images, training=True)
            # Shares of the whole batch's mean: the optimizer sums gradients over replicas.
            loss = tf.reduce_sum(self.loss.of_images(labels, outputs)) / self.recipe.batch_size
            scaled = self.optimizer.scale_loss(loss)  # as it is, but in mixed_float16
        self.optimizer.apply(tape.gradient(scaled, weights), self.model.trainable_variables)
        return tf.stack([loss, self._hits(labels, outputs) / self.recipe.batch_size])

    def compute_in_float32(self):
        """Undo mixed precision, to test what will be saved: the weights were float32 all along."""
        for layer in self.model.layers:
            layer.dtype_policy = "float32"
        self._score = tf.function(self._score_batch, reduce_retracing=True)

    def _score_batch(self, batch):
        a_replica = self.strategy.run(self._replica_score, args=batch)
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, a_replica, axis=None)

    def _replica_score(self, images, labels):
        outputs = self._outputs(images, training=False)
        loss = tf.reduce_sum(self.loss.of_images(labels, outputs))
        return tf.stack([loss, self._hits(labels, outputs), tf.cast(tf.size(labels), tf.float32)])

    def _hits(self, labels, outputs):
        """How many images are taken for what they are."""
        return tf.reduce_sum(tf.cast(tf.equal(self.loss.classes(outputs), labels), tf.float32))


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
