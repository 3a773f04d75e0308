"""A whole training run, from data to artifacts, for any network; the commands are thin fronts of ``train_network``."""

import contextlib
import dataclasses
import math
import signal
import sys
import time

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from keras_classics import cli, pipeline
from keras_classics.errors import InputError
from train import devices, report, run_folder
from train.checkpoints import Checkpoints, discard
from train.loop import Progress, Trainer

_CURVE_POINTS = 200  # of the training curve, at most about twice as many
_VALIDATIONS = 20  # at most, at ends of epochs
_SHORT_RUN_LINES = 10  # on screen, where a run ends before its first epoch does
_SECONDS_A_LINE = 30  # on screen, between ends of epochs
_IMAGES_A_SHORT_RUN = 1_000  # images of a split that such a run is evaluated on


def train_network(
    build,
    *,
    name,
    title,
    preprocessing,
    size,
    dataset,
    recipe,
    folder,
    steps=None,
    checkpoint_minutes=5.0,
    checkpoint_steps=None,
    fresh=False,
    precision="float32",
    deterministic=False,
):
    """Train, evaluate on the test split once, and write everything to ``folder``; go on with a run begun there.

    Args:
        build: ``() -> keras.Model``.
        name: of the files: ``NAME.keras``, ``NAME_history.json``, ``NAME_report.md`` and others.
        title: of the network, for people.
        preprocessing, size, dataset, recipe: as ``loop.Trainer`` takes them.
        folder: where to write, a ``pathlib.Path`` that exists.
        steps: stop after so many; None trains all epochs of the recipe. A run of less than an epoch is evaluated on
            1,000 images of each split, and says so.
        checkpoint_minutes, checkpoint_steps: how often the state of the run is saved.
        fresh: discard an unfinished run in the folder.
        precision, deterministic: as ``devices.configure`` takes them.

    Raises:
        InputError: the data does not fit the network, the loss became infinite or undefined, or the folder holds an
            unfinished run with other settings.
        Stopped: SIGINT or SIGTERM asked for it; the state of the run is saved.
    """
    cli.check_targets(*report.targets(folder, name))
    total_steps = recipe.steps_for(len(dataset.train))
    steps = min(steps or total_steps, total_steps)
    whole = dataset
    if steps * recipe.batch_size < len(dataset.train):
        dataset = dataclasses.replace(dataset, validation=_sample(dataset.validation), test=_sample(dataset.test))
    checkpoint_folder = folder / f"{name}_checkpoints"
    if fresh:
        discard(checkpoint_folder)
    identity = {
        "network": title,
        "precision": precision,
        "recipe": dataclasses.asdict(recipe),
        "dataset": dataset.describe()["sha256"],
    }
    checkpoints = Checkpoints(checkpoint_folder, identity)
    # A picture that spoils the evaluation is better found before training than after.
    _refuse_unreadable(dataset.validation, dataset.test)
    devices.configure(precision, deterministic)
    strategy = devices.strategy()
    trainer = Trainer(build, preprocessing=preprocessing, size=size, dataset=dataset, recipe=recipe, strategy=strategy)
    epochs = recipe.epochs_for(len(dataset.train))
    print(f"{title}: {trainer.model.count_params():,} parameters, on {devices.describe(strategy)}")
    print(f"Data: {dataset}")
    print(
        f"Recipe: {recipe.optimizer}, learning rate {recipe.learning_rate:g}, batches of {recipe.batch_size}, "
        f"{epochs} epochs = {total_steps:,} steps, seed {recipe.seed}"
        + (f"; stopping after {steps:,} steps" if steps < total_steps else ""),
        flush=True,
    )
    saver = Saver(checkpoints, trainer, checkpoint_minutes, checkpoint_steps)
    if trainer.step:
        print(f"Going on from step {trainer.step:,}, saved in {checkpoint_folder}/", flush=True)
    try:
        with _stop_requests() as requests:
            _train(trainer, steps, saver, requests)
            if precision != "float32":
                trainer.compute_in_float32()
            test = trainer.evaluate(dataset.test)
            results = report.Results(dataset.test, dataset.class_names, trainer.predictions(dataset.test))
            _stop_if_asked(requests, saver, steps)
    except FloatingPointError as error:
        kept = f" The last good checkpoint is {checkpoints.last}." if checkpoints.last else ""
        raise InputError(f"{error}; nothing was written. Try a lower --learning-rate.{kept}") from error
    except tf.errors.OpError as error:
        _refuse_unreadable(dataset.train, cause=error)
        raise
    low, high = report.interval(round(test.accuracy * test.images), test.images)
    print(
        f"Test: {test.accuracy:.2%} of {test.images:,} images right "
        f"(95 % interval {low:.2%} to {high:.2%}); "
        f"{sum(row.seconds for row in saver.training):.0f} s of training"
    )
    training, validation = [dataclasses.asdict(row) for row in saver.training], saver.validation
    record = {
        "network": title,
        "parameters": trainer.model.count_params(),
        "recipe": dataclasses.asdict(recipe),
        "steps": steps,
        "dataset": whole.describe(),
        "devices": devices.describe(strategy),
        "precision": precision,
        "deterministic": deterministic,
        "test": {**dataclasses.asdict(test), "interval_95": [low, high]},
        "training": training,
        "validation": validation,
        **run_folder.environment(),
    }
    written = report.write(
        folder,
        name,
        model=trainer.model,
        record=record,
        loss=trainer.loss.text,
        results=results,
        size=size,
        bgr=preprocessing.bgr,
    )
    discard(checkpoint_folder)
    print(f"Wrote {', '.join(written[:-1])} and {written[-1]} to {folder}/")


def _refuse_unreadable(*splits, cause=None):
    bad = [path for split in splits for path in pipeline.unreadable_pictures(split)]
    if bad:
        raise InputError(f"cannot decode {len(bad)} of the pictures, such as {bad[0]}; nothing was written.") from cause


def _sample(split):
    """Evenly spaced images of a split: at most ``_IMAGES_A_SHORT_RUN``."""
    count = min(len(split), _IMAGES_A_SHORT_RUN)
    return split.take(np.linspace(0, len(split) - 1, count).astype(int))


class Saver:
    """The history of a run, and its checkpoints as they fall due.

    Args:
        checkpoints: a ``Checkpoints``; what it holds is taken up.
        trainer: a ``Trainer``.
        minutes, steps: how often to save; ``steps`` may be None.
    """

    def __init__(self, checkpoints, trainer, minutes, steps):
        self._checkpoints, self._trainer = checkpoints, trainer
        self._seconds, self._steps = 60 * minutes, steps
        history = checkpoints.attach(trainer) or {"training": [], "validation": []}
        self.training = [Progress(**row) for row in history["training"]]
        self.validation = history["validation"]
        self._saved = time.perf_counter()

    def stop(self, until):
        """The next step to pause at on the way to ``until``."""
        if not self._steps:
            return until
        return min(until, (self._trainer.step // self._steps + 1) * self._steps)

    def save_if_due(self):
        due = self._steps and self._trainer.step % self._steps == 0
        if due or time.perf_counter() - self._saved >= self._seconds:
            self.save()

    def save(self):
        rows = [dataclasses.asdict(row) for row in self.training]
        self._checkpoints.save(self._trainer.step, {"training": rows, "validation": self.validation})
        self._saved = time.perf_counter()


@contextlib.contextmanager
def _stop_requests():
    """A list for the number of the signal, SIGINT or SIGTERM, that asks to stop; a second one is obeyed at once."""
    requests = []

    def note(number, _frame):
        if requests:
            raise KeyboardInterrupt
        requests.append(number)

    earlier = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield requests
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _stop_if_asked(requests, saver, steps):
    if requests:
        saver.save()
        step = saver.training[-1].step if saver.training else 0
        raise cli.Stopped(f"stopped and saved at step {step:,} of {steps:,}; repeat the command to go on.", requests[0])


def _train(trainer, steps, saver, requests):
    """Train with a bar (on a terminal) and lines on screen."""
    training = saver.training
    with tqdm(total=steps, initial=trainer.step, unit=" steps", disable=None, leave=False, dynamic_ncols=True) as bar:
        shown = time.perf_counter()
        for milestone, validate in _milestones(trainer, steps):
            if trainer.step > milestone or any(row["step"] == milestone for row in saver.validation):
                continue  # before the run was interrupted
            while trainer.step < milestone:
                for progress in trainer.train(saver.stop(milestone)):
                    if training and training[-1].steps < steps / _CURVE_POINTS:
                        training[-1] = training[-1].then(progress)
                    else:
                        training.append(progress)
                    rate = progress.steps * trainer.recipe.batch_size / progress.seconds
                    bar.update(progress.steps)
                    bar.set_postfix_str(f"loss {progress.loss:.3f}, {rate:,.0f} images/s")
                    if progress.step < milestone and time.perf_counter() - shown > _SECONDS_A_LINE:
                        shown = time.perf_counter()
                        _show(bar, trainer, steps, training)
                    saver.save_if_due()
                    _stop_if_asked(requests, saver, steps)
            score = trainer.evaluate(trainer.dataset.validation) if validate else None
            if score:
                row = {"step": milestone, "epoch": training[-1].epoch, **dataclasses.asdict(score)}
                saver.validation.append(row)
            shown = time.perf_counter()
            _show(bar, trainer, steps, training, score)


def _milestones(trainer, steps):
    """Steps to stop at for a line on screen, and whether to validate there: ends of epochs, tenths of a short run."""
    an_epoch = len(trainer.dataset.train) / trainer.recipe.batch_size
    epochs = math.ceil(steps / an_epoch) - 1  # that end before the last step
    if epochs < 1:
        stops = {math.ceil(steps * part / _SHORT_RUN_LINES) for part in range(1, _SHORT_RUN_LINES + 1)}
        return [(step, step == steps) for step in sorted(stops)]
    every = math.ceil((epochs + 1) / _VALIDATIONS)
    ends = [math.ceil(epoch * an_epoch) for epoch in range(every, epochs + 1, every)]
    return [(step, True) for step in [*(end for end in ends if end < steps), steps]]


def _show(bar, trainer, steps, training, score=None):
    seconds = sum(row.seconds for row in training)
    row = training[-1]
    line = f"step {trainer.step:,}/{steps:,}, epoch {row.epoch:.2f}: loss {row.loss:.4f}, training {row.accuracy:.2%}"
    if score:
        line += f", validation {score.accuracy:.2%}"
    rate = trainer.step * trainer.recipe.batch_size / seconds
    left = seconds / trainer.step * (steps - trainer.step)
    bar.write(f"{line}; {rate:,.0f} images/s, {left:,.0f} s left", file=sys.stdout)
    sys.stdout.flush()
