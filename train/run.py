"""A whole training run, from data to artifacts, for any network; the commands are thin fronts of ``train_network``."""

import dataclasses
import sys
import time

from scipy.stats import binomtest
from tqdm import tqdm

from keras_classics.errors import InputError
from train import devices, run_folder
from train.loop import Trainer

_REPORTS_AN_EPOCH = 20  # points of the training curve
_LINES_A_SHORT_RUN = 10  # lines on screen where a run ends before its first epoch does


def train_network(build, *, name, title, preprocessing, size, dataset, recipe, folder, steps=None):
    """Train, evaluate on the test split once, and write everything to ``folder``.

    Args:
        build: ``() -> keras.Model``.
        name: of the files: ``NAME.keras``, ``NAME_history.json``, ``NAME_curves.png``.
        title: of the network, for people.
        preprocessing, size, dataset, recipe: as ``loop.Trainer`` takes them.
        folder: where to write, a ``pathlib.Path`` that exists.
        steps: stop after so many; None trains all epochs of the recipe.

    Raises:
        InputError: the data does not fit the network, or the loss became infinite or undefined.
    """
    strategy = devices.strategy()
    trainer = Trainer(
        build, preprocessing=preprocessing, size=size, dataset=dataset, recipe=recipe, strategy=strategy
    )
    steps = min(steps or trainer.total_steps, trainer.total_steps)
    epochs = recipe.epochs_for(len(dataset.train))
    print(f"{title}: {trainer.model.count_params():,} parameters, on {devices.describe(strategy)}")
    print(f"Data: {dataset}")
    print(
        f"Recipe: {recipe.optimizer}, learning rate {recipe.learning_rate:g}, batches of {recipe.batch_size}, "
        f"{epochs} epochs = {trainer.total_steps:,} steps, seed {recipe.seed}"
        + (f"; stopping after {steps:,} steps" if steps < trainer.total_steps else ""),
        flush=True,
    )
    try:
        training, validation = _train(trainer, steps, epochs)
    except FloatingPointError as error:
        raise InputError(f"{error}; nothing was written. Try a lower --learning-rate.") from error
    test = trainer.evaluate(dataset.test)
    interval = binomtest(test.correct, test.images).proportion_ci(method="wilson")
    print(
        f"Test: {test.accuracy:.2%} of {test.images:,} images right "
        f"(95 % interval {interval.low:.2%} to {interval.high:.2%}); {training[-1]['seconds']:.0f} s of training"
    )
    run_folder.save_model(folder / f"{name}.keras", trainer.model)
    record = {
        "network": title,
        "parameters": trainer.model.count_params(),
        "recipe": dataclasses.asdict(recipe),
        "steps": steps,
        "dataset": dataset.describe(),
        "devices": devices.describe(strategy),
        "test": {**dataclasses.asdict(test), "accuracy": test.accuracy, "interval_95": [interval.low, interval.high]},
        "training": training,
        "validation": validation,
        **run_folder.environment(),
    }
    run_folder.save_json(folder / f"{name}_history.json", record)
    curve_title = f"{title} on {dataset.name}, {recipe.optimizer}, batch {recipe.batch_size}"
    run_folder.save_curves(
        folder / f"{name}_curves.png", title=curve_title, training=training, validation=validation, test=test.accuracy
    )
    print(f"Wrote {name}.keras, {name}_history.json and {name}_curves.png to {folder}/")


def _train(trainer, steps, epochs):
    """Train with a progress bar (on a terminal) and a line an epoch; the rows of history."""
    an_epoch = len(trainer.dataset.train) / trainer.recipe.batch_size
    report_every = max(1, round(min(an_epoch / _REPORTS_AN_EPOCH, steps / _LINES_A_SHORT_RUN)))
    training, validation = [], []
    ended, started, evaluating = 0, time.perf_counter(), 0.0
    bar = tqdm(total=steps, unit=" steps", disable=None, leave=False, dynamic_ncols=True)
    with bar:
        for progress in trainer.train(steps, report_every):
            training.append(dataclasses.asdict(progress))
            bar.update(progress.step - bar.n)
            bar.set_postfix_str(f"loss {progress.loss:.3f}, {progress.images_per_second:,.0f} images/s")
            epoch_ended = int(progress.epoch + 1e-9) > ended
            if not epoch_ended and progress.step < steps and steps > an_epoch:
                continue
            line = (
                f"step {progress.step:,}/{steps:,}, epoch {progress.epoch:.1f}/{epochs}: "
                f"loss {progress.loss:.4f}, training accuracy {progress.accuracy:.2%}"
            )
            if epoch_ended or progress.step == steps:
                ended = int(progress.epoch + 1e-9)
                start = time.perf_counter()
                score = trainer.evaluate(trainer.dataset.validation)
                evaluating += time.perf_counter() - start
                row = {"step": progress.step, "epoch": progress.epoch, "loss": score.loss, "accuracy": score.accuracy}
                validation.append(row)
                line += f", validation {score.accuracy:.2%}"
            rate = progress.step * trainer.recipe.batch_size / progress.seconds
            left = (time.perf_counter() - started) / progress.step * (steps - progress.step)
            bar.write(f"{line}; {rate:,.0f} images/s, {left:.0f} s left", file=sys.stdout)
            sys.stdout.flush()
    return training, validation
