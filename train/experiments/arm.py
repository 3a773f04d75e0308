"""One arm of a claim from one seed: trained in a process of its own, with what the claim measures beside the run."""

import dataclasses
import hashlib
import json
import pathlib
import re
import sys
from typing import Any

from keras_classics import children, cli, files
from keras_classics.errors import InputError
from train.recipes import Recipe

_MEASURES = "measures.json"
ANSWERS = "answers.npz"  # "probabilities" of the test images, and their "labels"
_SHOWN = 10_000  # training images, at most, that the finished network is measured on
_BATCH = 500
_SIDE = 32  # pixels of all networks' inputs
_SAMPLED = (1, 2, 4, 8, 16, 32, 64)  # networks that dropout samples


@dataclasses.dataclass(frozen=True)
class Arm:
    """What is trained.

    Args:
        network: a ``networks.Digits``, ``networks.Small`` or ``networks.Named``.
        recipe: a ``Recipe``; its seed is set by who trains it.
        data: "digits" or "pictures".
        images: of the training split, an even share of each class; None: all.
        also: what is measured beside errors: "gradients", by layer, before the first step; "sampled", the mean of
            networks that dropout samples.
    """

    network: Any
    recipe: Recipe
    data: str = "pictures"
    images: int | None = None
    also: tuple[str, ...] = ()

    def key(self):
        """A text that differs where anything of the arm does."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run of an arm.

    Args:
        record: the run's history.
        measures: "training_error", of up to 10,000 training images as they are, 0–1; "connections"; and for ``also``
            "gradients", layer → norm, or "sampled", ``[[networks, test error], …]`` and "scaled".
        folder: ``pathlib.Path``, with ``ANSWERS``.
    """

    record: dict
    measures: dict
    folder: pathlib.Path


def trained(claim, name, seed, arm, *, quick, runs, dataset, data_dir=None, precision="float32"):
    """The ``Run`` of an arm, after training it where there is none yet; one that was interrupted goes on.

    Args:
        claim, name, seed: of the claim in ``train.claims``, of the arm in it, and a whole number.
        arm: the ``Arm``, with its recipe as ``quick`` makes it.
        quick: whether it is the quick form.
        runs: folder of all runs, a ``pathlib.Path``. Arms that are alike share one run.
        dataset: name of the dataset.
        data_dir: where it is, or None.
        precision: a name in ``run_settings.PRECISIONS``.

    Raises:
        InputError: the training failed, or what is in its folder cannot be read.
        Stopped: a signal ended the training.
    """
    computed = "" if precision == "float32" else f"-{precision}"
    folder = runs / f"{re.sub(r'[^a-z0-9]+', '-', dataset)}-{arm.key()}-{seed}{computed}"
    if not (folder / _MEASURES).exists():
        given = json.dumps([claim, name, seed, quick, str(folder), dataset, data_dir, precision])
        children.run(children.module("train.experiments.arm", given), f"training {name} into {folder}")
    try:
        measures = json.loads((folder / _MEASURES).read_text(encoding="utf-8"))
        record = json.loads((folder / "arm_history.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{folder} holds no run that can be read; remove it.") from error
    return Run(record, measures, folder)


def train(arm, seed, folder, dataset, data_dir, precision):
    """Train an arm from a seed into a folder (``pathlib.Path``) and measure, in float32, what came of it."""
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from keras_classics import datasets
    from train.engine import devices
    from train.run import train_network
    from train.run_settings import RunSettings

    lanes = devices.one_thread_an_operation() if arm.data == "digits" else 1
    dataset = datasets.load(dataset, data_dir).padded(_SIDE)
    if arm.images:
        dataset = dataclasses.replace(dataset, train=datasets.stratified(dataset.train, arm.images)[0])
    files.output_folder(folder)
    classes = len(dataset.class_names)
    measures = {"gradients": _gradient_norms(arm, seed, dataset)} if "gradients" in arm.also else {}
    train_network(
        lambda: arm.network.build(classes),
        dataset,
        recipe=dataclasses.replace(arm.recipe, seed=seed),
        strategy=devices.strategy("one", 1),
        settings=RunSettings(
            name="arm",
            title=f"{type(arm.network).__name__} ({arm.key()})",
            preprocessing=arm.network.preprocessing,
            size=_SIDE,
            folder=folder,
            lanes=lanes,
            precision=precision,
        ),
    )
    measures |= _measured(arm, dataset, folder)
    with files.whole_file(folder / _MEASURES) as partial:
        partial.write_text(json.dumps(measures, indent=2) + "\n", encoding="utf-8")


def _measured(arm, dataset, folder):
    """What the finished network is like; the probabilities of the test images go to a file."""
    import keras
    import numpy as np

    from keras_classics import connections

    model = keras.models.load_model(folder / "arm.keras", compile=False)
    prepare = arm.network.preprocessing

    def probabilities(images, sampled=False):
        parts = [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]
        return np.concatenate([keras.ops.convert_to_numpy(model(prepare(part), training=sampled)) for part in parts])

    def error(found, split):
        return float((found.argmax(axis=1) != split.labels).mean())

    test = probabilities(dataset.test.images)
    with files.whole_file(folder / ANSWERS) as partial, partial.open("wb") as file:
        np.savez(file, probabilities=test.astype(np.float32), labels=dataset.test.labels)
    shown = dataset.train.take(np.linspace(0, len(dataset.train) - 1, min(_SHOWN, len(dataset.train))).astype(int))
    measures = {
        "training_error": error(probabilities(shown.images), shown),
        "connections": connections(model),
    }
    if "sampled" in arm.also:
        keras.utils.set_random_seed(0)
        total, curve = np.zeros_like(test), []
        for number in range(1, _SAMPLED[-1] + 1):
            total += probabilities(dataset.test.images, sampled=True)
            if number in _SAMPLED:
                curve.append([number, error(total, dataset.test)])
        measures |= {"sampled": curve, "scaled": error(test, dataset.test)}
    return measures


def _gradient_norms(arm, seed, dataset):
    """Norm of each layer's kernel gradient relative to the norm of the kernel, on one batch, before the first step."""
    import keras
    import numpy as np
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    model = arm.network.build(len(dataset.class_names))
    batch = dataset.train.take(np.arange(arm.recipe.batch_size))
    kernels = {layer.name: layer.kernel.value for layer in model.layers if hasattr(layer, "kernel")}
    with tf.GradientTape() as tape:
        found = model(arm.network.preprocessing(batch.images), training=True)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(batch.labels, found))
    gradients = tape.gradient(loss, list(kernels.values()))
    return {
        name: float(tf.norm(gradient) / tf.norm(kernel))
        for (name, kernel), gradient in zip(kernels.items(), gradients, strict=True)
    }


def main():
    """Of the child: one argument, the JSON of ``[claim, arm, seed, quick, folder, dataset, data_dir, precision]``."""
    from train import claims

    claim, name, seed, quick, folder, dataset, data_dir, precision = json.loads(sys.argv[1])
    arm = claims.CLAIMS[claim].arms_for(quick)[name]
    cli.run(lambda: train(arm, seed, pathlib.Path(folder), dataset, data_dir, precision), claims.PROG)


if __name__ == "__main__":
    main()
