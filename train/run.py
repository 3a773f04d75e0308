"""A whole training run, from data to artifacts, for any network; the commands are thin fronts of ``train_network``."""

import contextlib
import dataclasses
import json
import os
import shlex
import zlib

import tensorflow as tf

from keras_classics import cli, description, files
from keras_classics.datasets.unreadable import Unreadable
from keras_classics.errors import InputError
from keras_classics.shares import interval
from train import distillation
from train.engine import devices, loop, preparation
from train.engine.checkpoints import Checkpoints, discard, last_in
from train.engine.loop import Saver
from train.engine.trainer import Trainer
from train.report import artifacts, history, screen
from train.report.results import Results
from train.report.tensorboard import Logs

ABANDONED = 3  # exit code when another machine of a run is gone


def train_network(build, dataset, *, recipe, strategy, settings, unreadable=None, teacher=None):
    """Train, evaluate on the test split once, and write everything to a folder; go on with a run begun there.

    Args:
        build: ``() -> keras.Model``, as ``trainer.Trainer`` takes it.
        dataset: a ``datasets.Dataset``.
        recipe: a ``recipes.Recipe``.
        strategy: of ``devices.strategy``.
        settings: a ``RunSettings``.
        unreadable: instead of ``settings.max_bad``: an ``Unreadable`` that knows of pictures left out already.
        teacher: ``() -> keras.Model`` of ``settings.distil``, as ``trainer.Trainer`` takes it, or None.

    Returns:
        bool: whether this machine is the one that wrote the results.

    Raises:
        InputError: the data does not fit the network, the loss became infinite or undefined, or the folder holds an
            unfinished run with other settings.
        Stopped: SIGINT or SIGTERM asked for it; the state of the run is saved. Or another machine is gone.
    """
    is_chief = devices.workers(strategy)[1] == 0
    files.check_targets(*artifacts.targets(settings.folder, settings.name))
    files.check_temporary_files()
    total_steps = recipe.steps_for(len(dataset.train))
    steps = min(settings.steps or total_steps, total_steps)
    data = dataset.describe()
    checkpoints = _checkpoints(settings, recipe, data, strategy, is_chief)
    unreadable = unreadable or Unreadable(settings.max_bad)
    prepared, held = preparation.prepared(dataset, recipe, settings, steps, unreadable)
    devices.configure(settings.precision, settings.deterministic)
    trainer = _trainer(build, prepared, recipe, strategy, settings, unreadable=unreadable, teacher=teacher)
    with _only_the_chief_speaks(trainer):
        screen.introduce(trainer, settings.title, steps, held, dataset)
        saver = _begun(trainer, checkpoints, settings, is_chief)
        with _failures_explained(trainer, checkpoints):
            test, probabilities = _train_and_test(trainer, saver, steps, settings.precision)
        if is_chief:
            record = _record(trainer, saver, settings, data, steps, test)
            screen.show_test(record)
            _write(trainer, saver.logs, settings, record, probabilities)
        devices.anyone(strategy, False)  # nobody leaves before the chief is done
    return is_chief


def _trainer(build, prepared, recipe, strategy, settings, **given):
    return Trainer(
        build,
        preprocessing=settings.preprocessing,
        size=settings.size,
        dataset=prepared,
        recipe=recipe,
        strategy=strategy,
        lanes=settings.lanes,
        **given,
    )


def _checkpoints(settings, recipe, data, strategy, is_chief):
    """The ``Checkpoints`` of the run, after discarding those that are not wanted."""
    if settings.fresh and is_chief:
        discard(settings.checkpoint_folder)
    devices.anyone(strategy, False)  # waits for the chief
    identity = {
        "network": settings.title,
        "precision": settings.precision,
        "recipe": dataclasses.asdict(recipe),
        "dataset": data["sha256"],
        **({"distil": distillation.described(settings.distil)} if settings.distil else {}),
    }
    return Checkpoints(settings.checkpoint_folder, identity, settings.keep)


@contextlib.contextmanager
def _only_the_chief_speaks(trainer):
    """Let the other machines of a run print nothing but errors."""
    if not trainer.worker:
        yield
        return
    print(f"Machine {trainer.worker + 1} of {trainer.workers}; the first one reports.", flush=True)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        yield


def _begun(trainer, checkpoints, settings, is_chief):
    """The ``Saver`` of the run; the trainer is where a run that was interrupted left it."""
    logs = Logs(settings.logs_folder, trainer.recipe.batch_size) if settings.tensorboard and is_chief else None
    saver = Saver(checkpoints, trainer, settings.checkpoint_minutes, settings.checkpoint_steps, logs)
    _refuse_disagreement(trainer, checkpoints.identity)
    if trainer.step:
        print(f"Going on from step {trainer.step:,}, saved in {checkpoints.folder}/", flush=True)
    return saver


def _refuse_disagreement(trainer, identity):
    """Refuse machines that would not train the same network from the same state on the same data.

    Raises:
        InputError: command, data or checkpoints differ between the machines.
    """
    state = zlib.crc32(json.dumps([identity, trainer.step], sort_keys=True).encode())
    differs = devices.total(trainer.strategy, [state])[0] != state * trainer.workers
    if devices.anyone(trainer.strategy, differs):
        raise InputError(
            "the machines do not have the same command, data and checkpoints: they must share one folder to write to, "
            "and all else must be alike.",
            settings=("out",),
        )


@contextlib.contextmanager
def _failures_explained(trainer, checkpoints):
    """In this block an infinite loss, bad pictures and lost machines become errors that say what to do."""
    try:
        yield
    except FloatingPointError as error:
        last = f" The last good checkpoint is {checkpoints.last}." if checkpoints.last else ""
        text = f"{error}; nothing was written.{last} Try a lower learning rate."
        raise InputError(text, settings=("learning_rate",)) from error
    except tf.errors.OpError as error:
        trainer.unreadable.check()
        if trainer.workers > 1:
            raise _abandoned(checkpoints.folder) from error
        raise


def _abandoned(checkpoint_folder):
    last = last_in(checkpoint_folder)
    return cli.Stopped(
        "another machine of this run is gone; start the same command on all of them again to go on "
        + (f"from {last}." if last else "from the beginning, as nothing was saved yet."),
        ABANDONED,
    )


def _train_and_test(trainer, saver, steps, precision):
    """Train up to step ``steps`` and test what will be saved: an ``Evaluation`` and class probabilities."""
    with loop.stop_requests() as requests:
        loop.train(trainer, steps, saver, requests)
        trainer.finish()
        if precision != "float32":
            trainer.compute_in_float32()
        with trainer.averaged_weights():
            tested = trainer.test(trainer.dataset.test, trainer.recipe.test_crops)
        loop.stop_if_asked(requests, trainer, saver, steps)
    return tested


def _record(trainer, saver, settings, data, steps, test):
    """What the history file is to hold."""
    correct = round(test.accuracy * test.images)
    return {
        "network": settings.title,
        "parameters": trainer.model.count_params(),
        "recipe": dataclasses.asdict(trainer.recipe),
        "steps": steps,
        "dataset": data,
        "unreadable_pictures": trainer.unreadable.names,
        "devices": devices.describe(trainer.strategy),
        "test": {**dataclasses.asdict(test), "interval_95": list(interval(correct, test.images))},
        "training": [dataclasses.asdict(row) for row in saver.training],
        "validation": saver.validation,
        **history.environment(),
        "precision": settings.precision,
        "deterministic": settings.deterministic,
        **({"distil": distillation.described(settings.distil)} if settings.distil else {}),
    }


def _write(trainer, logs, settings, record, probabilities):
    """Write model and report; the run is then finished, and its checkpoints go."""
    folder, dataset = settings.folder, trainer.dataset
    with trainer.averaged_weights():
        description.trained(trainer.model, dataset.class_names, record["dataset"])
        written = artifacts.write(
            folder,
            settings.name,
            model=trainer.model,
            record=record,
            loss=trainer.loss.text,
            results=Results(dataset.test, dataset.class_names, probabilities),
            size=settings.size,
            bgr=settings.preprocessing.bgr,
        )
    discard(settings.checkpoint_folder)
    if logs:
        logs.add_evaluation("test", record["steps"], record["test"])
        print(f"Wrote {logs.folder}/, which `tensorboard --logdir {shlex.quote(str(folder))}` shows")
    print(f"Wrote {' and '.join(filter(None, (', '.join(written[:-1]), written[-1])))} to {folder}/")
