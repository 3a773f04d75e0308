"""What a run leaves behind: the model, its history as JSON and CSV, and a few test images to try."""

import csv
import pathlib
import platform
import sys

from PIL import Image

from keras_classics import files, runtime, text
from train.report import plain_text
from train.report.optional import optional

_VERSIONS = ("tensorflow", "keras", "numpy", "tensorflow-datasets", "keras-classics")
CSV_COLUMNS = [
    "step",
    "epoch",
    "split",
    "loss",
    "accuracy",
    "error_rate",
    "learning_rate",
    "images_per_second",
    "seconds",
]


def write_json(path, content):
    """``content`` as JSON that any reader takes: no NaN, no infinity."""
    text.write(pathlib.Path(path), text.as_json(content, indent=2, allow_nan=False) + "\n")


def environment():
    """Command line and versions, for the record."""
    # None: not installed, as this package is not when it runs from a checkout.
    versions = {**dict.fromkeys(("python", *_VERSIONS)), **runtime.versions(_VERSIONS)}
    return {"command": sys.argv, "versions": versions, "machine": platform.machine()}


def write_csv(path, record):
    """The history of a run as a table, one row for each stretch of training and each evaluation, in order of steps.

    ``seconds`` are those of training up to there; ``learning_rate`` and ``images_per_second`` belong to training rows.
    """
    rows = [("training", row) for row in record["training"]]
    rows += [("validation", row) for row in record["validation"]]
    rows.sort(key=lambda pair: pair[1]["step"])  # stable: training comes before the validation at the same step
    rows.append(("test", {**record["training"][-1], **record["test"]}))
    seconds, batch_size = 0.0, record["recipe"]["batch_size"]
    with pathlib.Path(path).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(CSV_COLUMNS)
        for split, row in rows:
            speed = rate = ""
            if split == "training":
                seconds += row["seconds"]
                speed, rate = f"{row['steps'] * batch_size / row['seconds']:.1f}", f"{row['learning_rate']:.6g}"
            results = (f"{value:.6g}" for value in (row["loss"], row["accuracy"], 1 - row["accuracy"]))
            table.writerow((row["step"], f"{row['epoch']:.6g}", split, *results, rate, speed, f"{seconds:.2f}"))


def save_samples(folder, split, class_names):
    """The first image of every class that has one as ``CLASS.png``: held out from training, to try a model on.

    A warning says what cannot be written. Where a class's name cannot be a file's, one like it is taken.
    """
    with optional(f"test images to {folder}"):
        folder = files.output_folder(folder)
        for label, name in enumerate(plain_text.file_names(class_names)):
            for image in split.images[split.labels == label][:1]:
                with files.whole_file(folder / f"{name}.png") as partial:
                    Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(partial)
        print(f"Wrote one test image of each class to {folder}/, to try a model on")
