"""The course of a run: steps and validations in turn, what is shown and saved meanwhile, and requests to stop."""

import contextlib
import dataclasses
import math
import signal
import sys
import time

from tqdm import tqdm

from keras_classics import cli
from train.engine import devices
from train.engine.optimizers import plateau_drops
from train.engine.scores import Progress

_CURVE_POINTS = 200  # of the training curve, at most about twice as many
_VALIDATIONS = 20  # at most, at ends of epochs
_SHORT_RUN_LINES = 10  # on screen, where a run ends before its first epoch does
_SECONDS_A_LINE = 30  # on screen, between ends of epochs


class Saver:
    """The history of a run, and its checkpoints as they fall due.

    Args:
        checkpoints: a ``Checkpoints``; what it holds is taken up.
        trainer: a ``Trainer``.
        minutes, steps: how often to save; ``steps`` may be None.
        logs: a ``tensorboard.Logs`` that gets everything too, or None.
    """

    def __init__(self, checkpoints, trainer, minutes, steps, logs=None):
        self._checkpoints, self._trainer = checkpoints, trainer
        self._seconds, self._steps = 60 * minutes, steps
        history = checkpoints.attach(trainer) or {"training": [], "validation": []}
        self.training = [Progress(**row) for row in history["training"]]
        self.validation = history["validation"]
        self.logs = logs
        if logs:
            for row in self.training:
                logs.add_training(row)
            for row in self.validation:
                logs.add_evaluation("validation", row["step"], row)
        self._saved = time.perf_counter()

    def add_training(self, progress, fewest_steps):
        """Note a ``Progress``, joined to the one before it while that has fewer than ``fewest_steps`` steps."""
        if self.training and self.training[-1].steps < fewest_steps:
            self.training[-1] = self.training[-1].then(progress)
        else:
            self.training.append(progress)
        if self.logs:
            self.logs.add_training(progress)

    def add_validation(self, score):
        """Note an ``Evaluation`` on the validation split."""
        row = {"step": self._trainer.step, "epoch": self.training[-1].epoch, **dataclasses.asdict(score)}
        self.validation.append(row)
        if self.logs:
            self.logs.add_evaluation("validation", row["step"], row)

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
        """Save now; over several machines, the chief alone."""
        self._saved = time.perf_counter()
        if self.logs:
            self.logs.flush()
        if self._trainer.worker:
            return
        rows = [dataclasses.asdict(row) for row in self.training]
        self._checkpoints.save(self._trainer.step, {"training": rows, "validation": self.validation})


@contextlib.contextmanager
def stop_requests():
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


def stop_if_asked(requests, trainer, saver, steps):
    """Save and stop, if this machine or another was asked to.

    Raises:
        Stopped: a signal was received here or on another machine.
    """
    if devices.anyone(trainer.strategy, bool(requests)):
        saver.save()
        text = f"stopped and saved at step {trainer.step:,} of {steps:,}; repeat the command to go on."
        raise cli.Stopped(text, 128 + (requests[0] if requests else signal.SIGTERM))


def train(trainer, steps, saver, requests):
    """Train up to step ``steps`` with a bar (on a terminal) and lines on screen.

    Args:
        trainer: a ``Trainer``.
        steps: the last step.
        saver: its ``Saver``, whose history grows.
        requests: the list of ``stop_requests``.

    Raises:
        FloatingPointError: the loss is no longer a finite number.
        Stopped: a signal asked for it; the state of the run is saved.
    """
    training = saver.training
    hidden = True if trainer.worker else None
    with tqdm(total=steps, initial=trainer.step, unit=" steps", disable=hidden, leave=False, dynamic_ncols=True) as bar:
        shown = time.perf_counter()
        for milestone, validate in _milestones(trainer, steps):
            if trainer.step > milestone or any(row["step"] == milestone for row in saver.validation):
                continue  # before the run was interrupted
            while trainer.step < milestone:
                for progress in trainer.train(saver.stop(milestone)):
                    saver.add_training(progress, steps / _CURVE_POINTS)
                    rate = progress.steps * trainer.recipe.batch_size / progress.seconds
                    bar.update(progress.steps)
                    bar.set_postfix_str(f"loss {progress.loss:.3f}, {rate:,.0f} images/s")
                    if progress.step < milestone and time.perf_counter() - shown > _SECONDS_A_LINE:
                        shown = time.perf_counter()
                        _show(bar, trainer, steps, training)
                    saver.save_if_due()
                    stop_if_asked(requests, trainer, saver, steps)
            score = _validated(trainer, saver) if validate else None
            shown = time.perf_counter()
            _show(bar, trainer, steps, training, score)


def _validated(trainer, saver):
    """Validate, note the score, and divide the learning rate where the schedule requires it."""
    with trainer.averaged_weights():
        score = trainer.evaluate(trainer.dataset.validation)
    saver.add_validation(score)
    if trainer.recipe.schedule == "plateau":
        drops = plateau_drops([1 - row["accuracy"] for row in saver.validation], trainer.recipe.patience)
        trainer.learning_rate = trainer.recipe.learning_rate / 10**drops
    return score


def _milestones(trainer, steps):
    """Steps to stop at for a line on screen, and whether to validate there: ends of epochs, tenths of a short run."""
    an_epoch = len(trainer.dataset.train) / trainer.recipe.batch_size
    epochs = math.ceil(steps / an_epoch) - 1  # that end before the last step
    if epochs < 1:
        stops = {math.ceil(steps * part / _SHORT_RUN_LINES) for part in range(1, _SHORT_RUN_LINES + 1)}
        return [(step, step == steps) for step in sorted(stops)]
    every = 1 if trainer.recipe.schedule == "plateau" else math.ceil((epochs + 1) / _VALIDATIONS)
    ends = [math.ceil(epoch * an_epoch) for epoch in range(every, epochs + 1, every)]
    return [(step, True) for step in [*(end for end in ends if end < steps), steps]]


def _show(bar, trainer, steps, training, score=None):
    seconds = sum(row.seconds for row in training)
    row = training[-1]
    line = f"step {trainer.step:,}/{steps:,}, epoch {row.epoch:.2f}: loss {row.loss:.4f}, training {row.accuracy:.2%}"
    if score:
        line += f", validation {score.accuracy:.2%}"
    if trainer.recipe.schedule == "plateau":
        line += f", learning rate {trainer.learning_rate:g}"
    rate = trainer.step * trainer.recipe.batch_size / seconds
    left = seconds / trainer.step * (steps - trainer.step)
    bar.write(f"{line}; {rate:,.0f} images/s, {left:,.0f} s left", file=sys.stdout)
    sys.stdout.flush()
