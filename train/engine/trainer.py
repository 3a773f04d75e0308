"""The training engine of every network and strategy: many steps a call, the same step on one device or several."""

import contextlib
import math
import time

import keras
import tensorflow as tf

from keras_classics.errors import InputError
from train import distillation
from train.engine import asking, centring, devices, shrinking
from train.engine.batches import Batches
from train.engine.evaluation import Evaluator
from train.engine.losses import LOSSES
from train.engine.optimizers import optimizer_for
from train.engine.scores import Progress
from train.engine.step import TrainingSteps


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
        teacher: ``() -> keras.Model`` that the network learns from beside the labels, called in the strategy's scope;
            or None.

    Raises:
        InputError: the batch cannot be shared evenly or is larger than the training split, or the network's classes
            are not the dataset's.
    """

    def __init__(
        self, build, *, preprocessing, size, dataset, recipe, strategy, lanes=1, unreadable=None, teacher=None
    ):
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
        self._finished = False
        self._steps_a_second = 1.0
        self.batches = Batches(dataset, recipe, preprocessing=preprocessing, size=size, unreadable=unreadable)
        mean = self.batches.mean_picture() if recipe.mean == "pixel" else None
        keras.utils.set_random_seed(recipe.seed)
        with strategy.scope():
            self.model = build() if mean is None else build(centring.centred(mean))
            shrinking.prune(self.model, recipe.prune_convolutions, recipe.prune_dense)
            self.loss = LOSSES[recipe.loss]
            layer = self.loss.layer
            output = self.model.get_layer(layer).output if layer else _logits_of(self.model)
            outputs = keras.Model(self.model.input, output)
            self.optimizer = optimizer_for(recipe, len(dataset.train))
            if keras.config.dtype_policy().name == "mixed_float16":
                self.optimizer = keras.optimizers.LossScaleOptimizer(self.optimizer)
            self.optimizer.build(self.model.trainable_variables)
            teacher = teacher and teacher()
        self._asked = None
        if recipe.versions:
            distillation.check(recipe, teacher)
            self._asked, teacher = asking.ask(teacher, self.batches, lanes), None
        classes = self.model.output_shape[-1]
        if classes != len(dataset.class_names):
            raise InputError(f"{dataset.name} has {len(dataset.class_names)} classes; the network has {classes}.")
        if recipe.colour_noise and self.model.input_shape[-1] != 3:
            raise InputError(f"colour_noise is {recipe.colour_noise:g}, and {dataset.name} has no colours.")
        shared = {"loss": self.loss, "strategy": strategy}
        self._steps = TrainingSteps(
            self.model, outputs, optimizer=self.optimizer, recipe=recipe, lanes=lanes, teacher=teacher, **shared
        )
        self._evaluator = Evaluator(self.model, outputs, batches=self.batches, **shared)
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
            loss, accuracy = (float(value) for value in self._steps.run(self._training, tf.constant(count)))
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
        return self._finite(self._evaluator.evaluate(split))

    def test(self, split, crops=1, alone=True):
        """An ``Evaluation`` of a split and class probabilities, ``float32 (n, classes)``, by one device.

        Args:
            split: a ``datasets.Split``.
            crops: 1, or 2 or 10 (``augment.mirrored_crops``), whose outputs are averaged.
            alone: whether this machine tests all of the images; False adds up what all machines find.

        Raises:
            FloatingPointError: the loss is not a finite number.
        """
        evaluation, probabilities = self._evaluator.test(split, crops, alone)
        return self._finite(evaluation), probabilities

    @contextlib.contextmanager
    def averaged_weights(self):
        """In this block the model has the moving averages of its weights, where the recipe keeps them."""
        if not self.recipe.ema or not self.step or self._finished:
            yield
            return
        variables = self.model.trainable_variables
        trained = [tf.identity(variable.value) for variable in variables]
        _inner(self.optimizer).finalize_variable_values(variables)
        try:
            yield
        finally:
            for variable, value in zip(variables, trained, strict=True):
                variable.assign(value)

    @property
    def learning_rate(self):
        return float(keras.ops.convert_to_numpy(self.optimizer.learning_rate))

    @learning_rate.setter
    def learning_rate(self, rate):
        _inner(self.optimizer).learning_rate = rate

    def finish(self):
        """Put the weights, or their averages, into clusters, where the recipe says so; no training follows."""
        if not self.recipe.clusters:
            return
        if self.recipe.ema and self.step:
            _inner(self.optimizer).finalize_variable_values(self.model.trainable_variables)
        shrinking.cluster(self.model, self.recipe.clusters)
        self._finished = True

    def compute_in_float32(self):
        """Undo mixed precision, to test what will be saved: the weights were float32 all along."""
        for layer in self.model.layers:
            layer.dtype_policy = "float32"
        self._evaluator.compile()

    def _finite(self, evaluation):
        if not math.isfinite(evaluation.loss):
            raise FloatingPointError(f"the loss became {evaluation.loss} at step {self.step}, when evaluated")
        return evaluation

    def _distributed_training_batches(self):
        local = self.replicas // self.workers
        mine = range(self.worker * local, (self.worker + 1) * local)

        def batches(_=None):
            return self.batches.training(replicas=self.replicas, mine=mine, first_step=self.step, asked=self._asked)

        return iter(batches() if self.replicas == 1 else self.strategy.distribute_datasets_from_function(batches))


def _logits_of(model):
    """The tensor that the softmax at the end of ``model`` is computed from.

    Raises:
        InputError: the model does not end in a softmax layer of its own.
    """
    last = model.layers[-1]
    if not isinstance(last, keras.layers.Activation) or last.activation is not keras.activations.softmax:
        raise InputError(f"the network {model.name} does not end in a softmax; expected one as its last layer.")
    return last.input


def _inner(optimizer):
    """The optimizer itself, without the loss scaling of mixed_float16 around it."""
    return getattr(optimizer, "inner_optimizer", optimizer)
