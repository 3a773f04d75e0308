"""The training engine of every network and strategy: many steps a call, the same step on one device or several."""

import contextlib
import dataclasses
import math
import time

import keras
import numpy as np
import tensorflow as tf

from keras_classics.errors import InputError
from train.engine import centring, devices
from train.engine.batches import Batches
from train.engine.losses import LOSSES
from train.engine.optimizers import optimizer_for

_IMAGES_A_LANE = 16  # at least
_SMALLEST = 1e-30  # probability whose logarithm is still taken


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
    top5: float | None = None  # top-5 accuracy, 0–1; None for ten classes or fewer


class Trainer:
    """A model, its optimizer and its data under one ``tf.distribute`` strategy.

    Args:
        build: ``() -> keras.Model`` with softmax output; called in the strategy's scope. If the recipe's ``mean`` is
            "pixel", called with the tensor that the network is to be built on.
        preprocessing: the network's ``Preprocessing``, applied after augmentation.
        size: side of the network's input in pixels.
        dataset: a ``datasets.Dataset``.
        recipe: a ``recipes.Recipe``.
        strategy: a ``tf.distribute.Strategy``.
        lanes: parts that each device's images of a step go through the network in, side by side, at most; a lane has 16
            images or more. Pays where an operation is computed in one thread (``devices.one_thread_an_operation``).
        unreadable: an ``Unreadable`` that counts replaced training pictures; None tolerates none.

    Raises:
        InputError: the batch cannot be shared evenly or is larger than the training split, or the network's classes
            are not the dataset's.
    """

    def __init__(self, build, *, preprocessing, size, dataset, recipe, strategy, lanes=1, unreadable=None):
        self.dataset, self.recipe, self.strategy, self.unreadable = dataset, recipe, strategy, unreadable
        self.replicas = strategy.num_replicas_in_sync
        self.workers, self.worker = devices.workers(strategy)
        if recipe.batch_size % self.replicas:
            raise InputError(f"batches of {recipe.batch_size} cannot be shared evenly by {self.replicas} devices.")
        if recipe.batch_size > len(dataset.train):
            raise InputError(
                f"batches of {recipe.batch_size} are larger than the {len(dataset.train)} training images."
            )
        self.total_steps = recipe.steps_for(len(dataset.train))
        self.step = 0
        self._steps_a_second = 1.0
        self.batches = Batches(dataset, recipe, preprocessing=preprocessing, size=size, unreadable=unreadable)
        mean = self.batches.mean_picture() if recipe.mean == "pixel" else None
        keras.utils.set_random_seed(recipe.seed)
        with strategy.scope():
            self.model = build() if mean is None else build(centring.centred(mean))
            self.loss = LOSSES[recipe.loss]
            layer = self.loss.layer
            outputs = self.model.get_layer(layer).output if layer else _logits_of(self.model)
            self._outputs = keras.Model(self.model.input, outputs)
            self.optimizer = optimizer_for(recipe, len(dataset.train))
            if keras.config.dtype_policy().name == "mixed_float16":
                self.optimizer = keras.optimizers.LossScaleOptimizer(self.optimizer)
            self.optimizer.build(self.model.trainable_variables)
        classes = self.model.output_shape[-1]
        if classes != len(dataset.class_names):
            raise InputError(f"{dataset.name} has {len(dataset.class_names)} classes; the network has {classes}.")
        if recipe.colour_noise and self.model.input_shape[-1] != 3:
            raise InputError(f"colour_noise is {recipe.colour_noise:g}, and {dataset.name} has no colours.")
        share, local = recipe.batch_size // self.replicas, self.replicas // self.workers
        lanes = max(1, min(lanes // local, share // _IMAGES_A_LANE))
        self._lanes = [len(part) for part in np.array_split(np.arange(share), lanes)]
        self._score = tf.function(self._score_batch, reduce_retracing=True)
        self._training = None  # batches, made when training begins, at the step it begins from

    def train(self, until):
        """Train up to step ``until``, yielding a ``Progress`` about every second.

        Raises:
            FloatingPointError: the loss is no longer a finite number.
        """
        if self._training is None and self.step < until:
            self._training = self._distributed_training_batches()
        while self.step < until:
            count = min(max(1, round(self._steps_a_second)), until - self.step)
            start = time.perf_counter()
            loss, accuracy = (float(value) for value in self._run(self._training, tf.constant(count)))
            seconds = time.perf_counter() - start
            self._steps_a_second = devices.total(self.strategy, [count / seconds])[0] / self.workers
            self.step += count
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"the loss became {loss} by step {self.step}, at learning rate {self.learning_rate:.3g}"
                )
            epoch = self.step * self.recipe.batch_size / len(self.dataset.train)
            yield Progress(self.step, count, epoch, loss, accuracy, seconds, self.learning_rate)

    def evaluate(self, split):
        """Loss and accuracy on a split, as an ``Evaluation``; devices and machines share its images.

        Raises:
            FloatingPointError: the loss is not a finite number.
        """
        if self.workers > 1:
            return self.test(split.take(np.arange(self.worker, len(split), self.workers)), crops=1, alone=False)[0]
        batches = self.batches.evaluation(split, replicas=self.replicas)
        sums = np.zeros(4)
        # One device takes the dataset as it is: the distributed iterator would bring back the autotuner's waits.
        for batch in batches if self.replicas == 1 else self.strategy.experimental_distribute_dataset(batches):
            sums += self._score(batch).numpy()
        return self._evaluation(sums)

    def test(self, split, crops=1, alone=True):
        """An ``Evaluation`` of a split and class probabilities, ``float32 (n, classes)``, by one device.

        Args:
            split: a ``datasets.Split``.
            crops: 1, or 10 (``augment.ten_crops``), whose outputs are averaged.
            alone: whether this machine tests all of the images; False adds up what all machines find.

        Raises:
            FloatingPointError: the loss is not a finite number.
        """
        both = keras.Model(self.model.input, [self._outputs.output, self.model.output])

        @tf.function(reduce_retracing=True)
        def score(images, labels):
            outputs, probabilities = (_mean_of_crops(value, crops) for value in both(images, training=False))
            if crops > 1 and not self.loss.layer:  # logits of the mean probabilities, not the mean of logits
                outputs = tf.math.log(tf.maximum(tf.cast(probabilities, tf.float32), _SMALLEST))
            return self._sums(labels, outputs, probabilities), probabilities

        sums, rows = np.zeros(4), [np.zeros((0, len(self.dataset.class_names)), "float32")]
        for images, labels in self.batches.evaluation(split, crops=crops):
            found, probabilities = score(images, labels)
            sums += found.numpy()
            rows.append(probabilities.numpy())
        return self._evaluation(sums if alone else devices.total(self.strategy, sums)), np.concatenate(rows)

    @contextlib.contextmanager
    def averaged_weights(self):
        """In this block the model has the moving averages of its weights, where the recipe keeps them."""
        if not self.recipe.ema or not self.step:
            yield
            return
        variables = self.model.trainable_variables
        kept = [tf.identity(variable.value) for variable in variables]
        _inner(self.optimizer).finalize_variable_values(variables)
        try:
            yield
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)

    @property
    def learning_rate(self):
        return float(keras.ops.convert_to_numpy(self.optimizer.learning_rate))

    @learning_rate.setter
    def learning_rate(self, rate):
        _inner(self.optimizer).learning_rate = rate

    def _evaluation(self, sums):
        loss, correct, images, among5 = sums
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss became {loss} at step {self.step}, when evaluated")
        top5 = among5 / images if len(self.dataset.class_names) > 10 else None
        return Evaluation(images=int(images), accuracy=correct / images, loss=loss / images, top5=top5)

    def _distributed_training_batches(self):
        local = self.replicas // self.workers
        mine = range(self.worker * local, (self.worker + 1) * local)

        def batches(_=None):
            return self.batches.training(replicas=self.replicas, mine=mine, first_step=self.step)

        return iter(batches() if self.replicas == 1 else self.strategy.distribute_datasets_from_function(batches))

    @tf.function
    def _run(self, batches, steps):
        """``steps`` steps in one call; mean loss and accuracy over their images."""
        totals = tf.zeros(2)
        for _ in tf.range(steps):
            replicas = self.strategy.run(self._replica_step, args=next(batches))
            totals += tf.add_n(self.strategy.experimental_local_results(replicas))
        if self.workers > 1:
            totals = devices.summed(self.strategy, totals)
        return tf.unstack(totals / tf.cast(steps, tf.float32))

    def _replica_step(self, images, labels):
        weights = [variable.value for variable in self.model.trainable_variables]
        lanes = zip(tf.split(images, self._lanes), tf.split(labels, self._lanes), strict=True)
        gradients, totals = zip(*(self._gradients(weights, *lane) for lane in lanes), strict=True)
        gradients = [tf.add_n(lanes) for lanes in zip(*gradients, strict=True)]
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return tf.add_n(totals)

    def _gradients(self, weights, images, labels):
        """What some of a step's images add to the gradient, and to loss and accuracy."""
        with tf.GradientTape() as tape:
            outputs = tf.cast(self._outputs(images, training=True), tf.float32)  # also in mixed precision
            # Shares of the whole batch's mean: the optimizer sums gradients over replicas.
            losses = self.loss.of_images(labels, outputs, self.recipe.label_smoothing)
            loss = tf.reduce_sum(losses) / self.recipe.batch_size
            scaled = self.optimizer.scale_loss(loss)  # as it is, but in mixed_float16
        return tape.gradient(scaled, weights), tf.stack([loss, self._hits(labels, outputs) / self.recipe.batch_size])

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
        return self._sums(labels, outputs, -outputs if self.loss.layer else outputs)

    def _sums(self, labels, outputs, scores):
        """Over some images: losses, hits, images, and hits among the five classes of the highest scores."""
        outputs, scores = (tf.cast(value, tf.float32) for value in (outputs, scores))  # also in mixed precision
        loss = tf.reduce_sum(self.loss.of_images(labels, outputs, 0.0))
        among5 = tf.reduce_sum(tf.cast(tf.math.in_top_k(labels, scores, 5), tf.float32))
        return tf.stack([loss, self._hits(labels, outputs), tf.cast(tf.size(labels), tf.float32), among5])

    def _hits(self, labels, outputs):
        """How many images are predicted correctly."""
        return tf.reduce_sum(tf.cast(tf.equal(self.loss.classes(outputs), labels), tf.float32))


def _logits_of(model):
    """The tensor that the softmax at the end of ``model`` is computed from.

    Raises:
        InputError: the model does not end in a softmax layer of its own.
    """
    last = model.layers[-1]
    if not isinstance(last, keras.layers.Activation) or last.activation is not keras.activations.softmax:
        raise InputError(f"the network {model.name} does not end in a softmax; expected one as its last layer.")
    return last.input


def _mean_of_crops(values, crops):
    """``(crops · batch, classes)``, crop after crop, to the mean of each image's crops."""
    return tf.reduce_mean(tf.reshape(values, (crops, -1, values.shape[-1])), axis=0) if crops > 1 else values


def _inner(optimizer):
    """The optimizer itself, without the loss scaling of mixed_float16 around it."""
    return getattr(optimizer, "inner_optimizer", optimizer)
