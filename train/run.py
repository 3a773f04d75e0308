"""A whole training run, from data to artifacts, for any network; the commands are thin fronts of ``train_network``."""

import contextlib
import dataclasses
import json
import os
import pathlib
import shlex
import sys
import tempfile
import zlib

import numpy as np
import tensorflow as tf

from keras_classics import cli, description, files
from keras_classics.datasets import FOLDER, IDX, memory_cache, pipeline
from keras_classics.datasets.augment import AUGMENTATIONS
from keras_classics.datasets.unreadable import Unreadable
from keras_classics.errors import InputError
from train.engine import devices, loop
from train.engine.checkpoints import Checkpoints, discard, last_in
from train.engine.loop import Saver
from train.engine.trainer import Trainer
from train.report import history, markdown
from train.report.plain_text import visible
from train.report.results import Results, interval
from train.report.tensorboard import Logs

ABANDONED = 3  # exit code when another machine of a run is gone
_CLASSES_SHOWN = 10  # on screen
_IMAGES_A_SHORT_RUN = 1_000  # images of a split that a run of less than an epoch is evaluated on


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
    strategy,
    lanes=1,
    steps=None,
    checkpoint_minutes=5.0,
    checkpoint_steps=None,
    keep=2,
    fresh=False,
    precision="float32",
    deterministic=False,
    tensorboard=False,
    cache_mb=0,
    max_bad=0,
    unreadable=None,
):
    """Train, evaluate on the test split once, and write everything to ``folder``; go on with a run begun there.

    Args:
        build: ``() -> keras.Model``.
        name: of the files: ``NAME.keras``, ``NAME_history.json``, ``NAME_report.md`` and others.
        title: display name of the network.
        preprocessing, size, dataset, recipe: as ``loop.Trainer`` takes them.
        folder: where to write, a ``pathlib.Path`` that exists; over several machines the chief writes there, and all
            read the checkpoints from there.
        strategy: of ``devices.strategy``.
        lanes: as ``loop.Trainer`` takes it.
        steps: stop after so many; None trains all epochs of the recipe. A run of less than an epoch is evaluated on
            1,000 images of each split, and says so.
        checkpoint_minutes, checkpoint_steps: how often the state of the run is saved; the last ``keep`` are kept.
        fresh: discard an unfinished run in the folder.
        precision, deterministic: as ``devices.configure`` takes them.
        tensorboard: write ``NAME_tensorboard/`` while training.
        cache_mb: memory to hold pictures in that are not pixels yet, in 10^6 bytes.
        max_bad: how many undecodable pictures are tolerated: replaced in training, left out of evaluation.
        unreadable: instead of ``max_bad``: an ``Unreadable`` that knows of those left out already.

    Returns:
        bool: whether this machine is the one that wrote the results.

    Raises:
        InputError: the data does not fit the network, the loss became infinite or undefined, or the folder holds an
            unfinished run with other settings.
        Stopped: SIGINT or SIGTERM asked for it; the state of the run is saved. Or another machine is gone.
    """
    chief = devices.workers(strategy)[1] == 0
    files.check_targets(*markdown.targets(folder, name))
    total_steps = recipe.steps_for(len(dataset.train))
    steps = min(steps or total_steps, total_steps)
    whole = dataset
    if steps * recipe.batch_size < len(dataset.train):
        dataset = dataclasses.replace(dataset, validation=_sample(dataset.validation), test=_sample(dataset.test))
    data = whole.describe()
    checkpoint_folder = folder / f"{name}_checkpoints"
    if fresh and chief:
        discard(checkpoint_folder)
    devices.anyone(strategy, False)  # waits for the chief
    identity = {
        "network": title,
        "precision": precision,
        "recipe": dataclasses.asdict(recipe),
        "dataset": data["sha256"],
    }
    checkpoints = Checkpoints(checkpoint_folder, identity, keep)
    unreadable = unreadable or Unreadable(max_bad)
    dataset, held = _cached_and_checked(dataset, recipe, size, steps, int(cache_mb * 1e6), unreadable)
    devices.configure(precision, deterministic)
    trainer = Trainer(
        build,
        preprocessing=preprocessing,
        size=size,
        dataset=dataset,
        recipe=recipe,
        strategy=strategy,
        lanes=lanes,
        unreadable=unreadable,
    )
    with _only_the_chief_speaks(trainer):
        _introduce(trainer, title, steps, held, whole)
        logs = Logs(folder / f"{name}_tensorboard", recipe.batch_size) if tensorboard and chief else None
        saver = Saver(checkpoints, trainer, checkpoint_minutes, checkpoint_steps, logs)
        _refuse_disagreement(trainer, identity)
        if trainer.step:
            print(f"Going on from step {trainer.step:,}, saved in {checkpoint_folder}/", flush=True)
        try:
            with loop.stop_requests() as requests:
                loop.train(trainer, steps, saver, requests)
                if precision != "float32":
                    trainer.compute_in_float32()
                with trainer.averaged_weights():
                    test, probabilities = trainer.test(dataset.test, recipe.test_crops)
                loop.stop_if_asked(requests, trainer, saver, steps)
        except FloatingPointError as error:
            kept = f" The last good checkpoint is {checkpoints.last}." if checkpoints.last else ""
            raise InputError(f"{error}; nothing was written. Try a lower --learning-rate.{kept}") from error
        except tf.errors.OpError as error:
            unreadable.check()
            if trainer.workers > 1:
                raise _abandoned(checkpoint_folder) from error
            raise
        if chief:
            record = _record(trainer, saver, title, data, steps, test)
            record |= {"precision": precision, "deterministic": deterministic}
            with trainer.averaged_weights():
                description.trained(trainer.model, dataset.class_names, data)
                results = Results(dataset.test, dataset.class_names, probabilities)
                look = {"size": size, "bgr": preprocessing.bgr}
                look |= {"record": record, "loss": trainer.loss.text, "results": results}
                try:
                    written = markdown.write(folder, name, model=trainer.model, **look)
                except InputError as error:
                    raise InputError(f"{error}{_saved_elsewhere(trainer.model, name)}") from error
            discard(checkpoint_folder)
            if logs:
                logs.add_evaluation("test", steps, record["test"])
                print(f"Wrote {logs.folder}/, which `tensorboard --logdir {shlex.quote(str(folder))}` shows")
            print(f"Wrote {' and '.join(filter(None, (', '.join(written[:-1]), written[-1])))} to {folder}/")
        devices.anyone(strategy, False)  # nobody leaves before the chief is done
    return chief


@contextlib.contextmanager
def _only_the_chief_speaks(trainer):
    """Let the other machines of a run print nothing but errors."""
    if not trainer.worker:
        yield
        return
    print(f"Machine {trainer.worker + 1} of {trainer.workers}; the first one reports.", flush=True)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        yield


def _cached_and_checked(dataset, recipe, size, steps, budget, unreadable):
    """The dataset without undecodable evaluation pictures, cached in memory if it fits; and a description of that."""
    # Better found before training than after.
    if count := sum(len(split) for split in (dataset.validation, dataset.test) if not split.in_memory):
        print(f"Decoding the {count:,} pictures to evaluate on, to find bad ones …", file=sys.stderr, flush=True)
    validation, test = (pipeline.without_unreadable(split, unreadable) for split in (dataset.validation, dataset.test))
    dataset = dataclasses.replace(dataset, validation=validation, test=test)
    if dataset.train.in_memory:
        return dataset, None
    if steps * recipe.batch_size <= len(dataset.train):
        return dataset, "read from disk, once"
    load_size = AUGMENTATIONS[recipe.augmentation].load_size(size)
    train, how, taken = memory_cache.hold(dataset.train, load_size, budget, unreadable)
    validation, _, _ = memory_cache.hold(dataset.validation, load_size, budget - taken, unreadable)
    return dataclasses.replace(dataset, train=train, validation=validation), how


def _introduce(trainer, title, steps, held, whole):
    recipe, replicas = trainer.recipe, trainer.replicas
    images = len(trainer.dataset.train)
    shares = f" ({recipe.batch_size // replicas} a device)" if replicas > 1 else ""
    print(f"{title}: {trainer.model.count_params():,} parameters, on {devices.describe(trainer.strategy)}")
    print(f"Data: {trainer.dataset}" + (f"; training pictures {held}" if held else ""))
    if whole.name.startswith((FOLDER, IDX)):
        print(f"Classes (train/validation/test): {_classes(whole)}")
    print(
        f"Recipe: {recipe.optimizer}, learning rate {recipe.learning_rate:g}, batches of {recipe.batch_size}{shares}, "
        f"{recipe.epochs_for(images)} epochs = {trainer.total_steps:,} steps, seed {recipe.seed}"
        + (f"; stopping after {steps:,} steps" if steps < trainer.total_steps else ""),
        flush=True,
    )


def _classes(dataset):
    """The first classes of a dataset, and how many images each has in the three splits."""
    splits = (dataset.train, dataset.validation, dataset.test)
    counts = np.stack([np.bincount(split.labels, minlength=len(dataset.class_names)) for split in splits], axis=1)
    shown = [
        f"{visible(name)} {'/'.join(f'{count:,}' for count in row)}"
        for name, row in zip(dataset.class_names, counts[:_CLASSES_SHOWN], strict=False)
    ]
    more = len(dataset.class_names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more classes" if more else "")


def _refuse_disagreement(trainer, identity):
    """Refuse machines that would not train the same network from the same state on the same data.

    Raises:
        InputError: command, data or checkpoints differ between the machines.
    """
    state = zlib.crc32(json.dumps([identity, trainer.step], sort_keys=True).encode())
    differs = devices.total(trainer.strategy, [state])[0] != state * trainer.workers
    if devices.anyone(trainer.strategy, differs):
        raise InputError(
            "the machines do not have the same command, data and checkpoints: --out must name a folder they share, and "
            "all else must be alike."
        )


def _saved_elsewhere(model, name):
    """Save a model that took its time where temporary files go, and say where that is; empty if that fails too."""
    with contextlib.suppress(OSError, ValueError):
        path = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"), f"{name}.keras")
        model.save(path)
        return f" The trained model is in {path}."
    return ""


def _abandoned(checkpoint_folder):
    last = last_in(checkpoint_folder)
    return cli.Stopped(
        "another machine of this run is gone; start the same command on all of them again to go on "
        + (f"from {last}." if last else "from the beginning, as nothing was saved yet."),
        ABANDONED,
    )


def _record(trainer, saver, title, data, steps, test):
    """Say how the test went; what the history file is to hold."""
    recipe = trainer.recipe
    low, high = interval(round(test.accuracy * test.images), test.images)
    crops = f", {recipe.test_crops} crops each" if recipe.test_crops > 1 else ""
    top5 = f", {test.top5:.2%} top-5" if test.top5 is not None else ""
    print(
        f"Test: {test.accuracy:.2%} of {test.images:,} images right{crops} (95 % interval {low:.2%} to {high:.2%})"
        f"{top5}; {sum(row.seconds for row in saver.training):.0f} s of training"
    )
    return {
        "network": title,
        "parameters": trainer.model.count_params(),
        "recipe": dataclasses.asdict(recipe),
        "steps": steps,
        "dataset": data,
        "unreadable_pictures": trainer.unreadable.names,
        "devices": devices.describe(trainer.strategy),
        "test": {**dataclasses.asdict(test), "interval_95": [low, high]},
        "training": [dataclasses.asdict(row) for row in saver.training],
        "validation": saver.validation,
        **history.environment(),
    }


def _sample(split):
    """Evenly spaced images of a split: at most ``_IMAGES_A_SHORT_RUN``."""
    count = min(len(split), _IMAGES_A_SHORT_RUN)
    return split.take(np.linspace(0, len(split) - 1, count).astype(int))
