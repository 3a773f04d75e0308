"""What a run leaves behind: the model, its history as JSON, its curve as a picture, and a few test images to try."""

import json
import pathlib
import platform
import sys
from importlib import metadata

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from PIL import Image

from keras_classics import cli

_VERSIONS = ("tensorflow", "keras", "numpy", "tensorflow-datasets", "keras-classics")


def write_json(path, content):
    """``content`` as JSON that any reader takes: no NaN, no infinity."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    pathlib.Path(path).write_text(text, encoding="utf-8")


def environment():
    """Command line and versions, for the record."""
    versions = {"python": platform.python_version()}
    for package in _VERSIONS:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # run from a checkout that is not installed
            versions[package] = None
    return {"command": sys.argv, "versions": versions, "machine": platform.machine()}


def write_curves(path, *, title, loss, training, validation, test):
    """Loss and error rate over the epochs as a PNG.

    Args:
        loss: what the loss is, with its unit.
        training: rows with ``epoch``, ``loss`` and ``accuracy`` of the (augmented) training images.
        validation: rows of the same, on the validation split; may be empty.
        test: the final accuracy on the test split, 0–1.
    """
    with matplotlib.rc_context({"font.size": 10, "axes.grid": True, "grid.alpha": 0.3}):
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        for axes, value in ((left, lambda row: row["loss"]), (right, lambda row: 1 - row["accuracy"])):
            for rows, label, style in (
                (training, "training (augmented)", {"color": "tab:blue", "alpha": 0.8, "linewidth": 1.2}),
                (validation, "validation", {"color": "tab:orange", "marker": "o", "markersize": 4}),
            ):
                if rows:
                    axes.plot([row["epoch"] for row in rows], [value(row) for row in rows], label=label, **style)
            axes.set_yscale("log")
            axes.set_xlabel("epochs (passes over the training images)")
            axes.set_xlim(left=0)
        left.set_ylabel(loss)
        right.set_ylabel("error rate")
        for axes, text in ((left, lambda y, _: f"{y:g}"), (right, lambda y, _: f"{100 * y:g} %")):
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_minor_locator(NullLocator())
            axes.yaxis.set_major_formatter(FuncFormatter(text))
        right.axhline(1 - test, color="tab:green", linestyle="--", label=f"test, at the end: {1 - test:.2%}")
        for axes in (left, right):
            axes.legend()
        figure.suptitle(title)
        figure.savefig(path, dpi=120)


def save_samples(folder, split, class_names):
    """The first image of every class as ``CLASS.png``: held out from training, to try a model on."""
    folder = cli.output_folder(folder)
    for label, name in enumerate(class_names):
        image = split.images[(split.labels == label).argmax()]
        with cli.whole_file(folder / f"{name}.png") as partial:
            Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(partial)
