"""The report of a finished run: what was trained, how, and its errors, in Markdown with plots."""

import pathlib
import re
import shlex

import numpy as np

from keras_classics import files, text
from keras_classics.datasets import pipeline
from train.report import history, plain_text, plots
from train.report.optional import optional
from train.report.plain_text import in_markdown
from train.report.results import interval

_MATRIX_CLASSES = 30  # beyond, a table of what is most often confused stands alone
_SHOWN_CLASSES = 30
_SHOWN_PAIRS = 10
_SHOWN_MISTAKES = 24
_TOP5_CLASSES = 20  # from so many on, top-5 errors are reported

# Every file that ``write`` may leave behind a run's name. The pictures that a run has no use for are removed.
ENDINGS = (
    *(".keras", "_history.json", "_history.csv", "_report.md"),
    *("_curves.png", "_rate.png", "_classes.png", "_confusion.png", "_mistakes.png", "_filters.png"),
)


def targets(folder, name):
    """Every path that ``write`` may write to."""
    return [pathlib.Path(folder) / f"{name}{ending}" for ending in ENDINGS]


def write(folder, name, *, model, record, loss, results, size, bgr=False):
    """Write model, history, pictures and report of a run to ``folder``; all but the model as far as it can be written.

    The model and its history come first. What an earlier run left of the rest is then removed, and each picture drawn;
    one that fails is a warning on stderr, as is a history or report that cannot be written.

    Args:
        folder, name: of ``targets``.
        model: the trained ``keras.Model``.
        record: what ``NAME_history.json`` is to hold.
        loss: what the loss is, with its unit.
        results: ``Results`` on the test split.
        size: side in pixels at which pictures read from files are shown.
        bgr: whether the network takes blue first.

    Returns:
        The names of the files that were written.

    Raises:
        InputError: the model cannot be written.
    """
    folder = files.output_folder(folder)  # somebody may have removed it meanwhile
    paths = dict(zip(ENDINGS, targets(folder, name), strict=True))
    written = {}

    def write_one(ending, write_to):
        with optional(paths[ending].name):
            with files.whole_file(paths[ending]) as partial:
                write_to(partial)
            written[ending] = paths[ending].name

    with files.whole_file(paths[".keras"]) as partial:
        model.save(partial)
        written[".keras"] = paths[".keras"].name
        write_one("_history.json", lambda path: history.write_json(path, record))
        write_one("_history.csv", lambda path: history.write_csv(path, record))
    for ending in set(ENDINGS) - set(written):
        with optional(paths[ending].name):
            paths[ending].unlink(missing_ok=True)  # of an earlier run
    with optional("plots"):
        for ending, draw in _pictures(record, loss, results, model, size, bgr).items():
            write_one(ending, draw)
    write_one("_report.md", lambda path: text.write(path, markdown(record, results, dict(written))))
    return list(written.values())


def _pictures(record, loss, results, model, size, bgr):
    """Ending of the file → function that draws the picture to a path; only those that show something."""
    batch = record["recipe"]["batch_size"]
    names = plain_text.short(results.class_names)

    def curves(path):
        title = f"{record['network']} on {record['dataset']['name']}, batches of {batch}"
        rows = {"training": record["training"], "validation": record["validation"]}
        plots.write_curves(path, title=title, loss=loss, **rows, test=record["test"]["accuracy"])

    def filters(path):
        kernels, towers = _first_kernels(model)
        plots.write_filters(path, kernels=kernels[:, :, ::-1] if bgr else kernels, towers=towers)

    made = {
        "_curves.png": curves,
        "_rate.png": lambda path: plots.write_rate(path, training=record["training"], batch_size=batch),
        "_classes.png": lambda path: plots.write_classes(path, **_lowest_classes(results, names)),
    }
    if len(names) <= _MATRIX_CLASSES:
        made["_confusion.png"] = lambda path: plots.write_confusion(path, counts=results.counts, names=names)
    if len(results.wrong):
        made["_mistakes.png"] = lambda path: plots.write_mistakes(path, **_mistakes(results, names, size))
    if _first_kernels(model)[0] is not None:
        made["_filters.png"] = filters
    return made


def _lowest_classes(results, names):
    rows = sorted(results.classes(), key=lambda row: row[2] / row[1])[:_SHOWN_CLASSES]
    return {
        "names": [names[label] for label, *_ in rows],
        "accuracies": np.array([right / total for _, total, right, _ in rows]),
        "intervals": np.array([row[3] for row in rows]),
        "overall": results.counts.trace() / results.counts.sum(),
    }


def _mistakes(results, names, size):
    """Pictures of the most confident mistakes, and what to write under each."""
    chosen = results.confident_mistakes(_SHOWN_MISTAKES)
    split = results.split
    return {
        "images": pipeline.load_pictures(split.take(chosen), size),
        "texts": [
            f"{names[label]}\n→ {names[predicted]}, {probability:.1%}"
            for label, predicted, probability in zip(
                split.labels[chosen], results.predicted[chosen], results.probabilities[chosen].max(axis=1), strict=True
            )
        ],
    }


def _first_kernels(model):
    """Kernels ``(height, width, 1 or 3, n)`` of the first convolution, and the groups that the second sees them in."""
    layers = [layer for layer in model.layers if np.ndim(getattr(layer, "kernel", None)) == 4]
    if not layers or layers[0].kernel.shape[2] not in (1, 3):
        return None, 1
    kernels = np.asarray(layers[0].get_weights()[0])
    towers = getattr(layers[1], "groups", 1) if len(layers) > 1 else 1
    return kernels, towers if kernels.shape[-1] % towers == 0 else 1


def markdown(record, results, written):
    """The report as Markdown.

    Args:
        record: what ``NAME_history.json`` holds.
        results: ``Results`` on the test split.
        written: ending → name of each file that lies beside the report.
    """
    sections = (
        _headline(record, results),
        _what_was_trained(record, written),
        _recipe(record),
        _training(record, written),
        _errors(results, written),
        _filters(written),
        _again(record),
    )
    return "\n".join(line for section in sections for line in section)


def _headline(record, results):
    test = record["test"]
    low, high = test["interval_95"]
    wrong, whole = test["images"] - round(test["accuracy"] * test["images"]), record["dataset"]["images"]["test"]
    what = "test images" if test["images"] == whole else f"of the {whole:,} test images, evenly spaced"
    if 0 < whole - test["images"] <= len(record.get("unreadable_pictures", [])):
        what = f"of the {whole:,} test images, those that can be decoded"
    lines = [
        f"# {in_markdown(record['network'])} on {in_markdown(record['dataset']['name'])}",
        "",
        f"**Error rate {1 - test['accuracy']:.2%}** on {test['images']:,} {what}, looked at once, at the end: "
        f"{wrong:,} wrong, 95 % interval (Wilson) {1 - high:.2%} to {1 - low:.2%}. Accuracy {test['accuracy']:.2%}, "
        f"mean loss {test['loss']:.4g}.",
        "",
    ]
    if len(results.class_names) >= _TOP5_CLASSES:
        top5, images = results.top5_errors(), len(results.split)
        low, high = interval(top5, images)
        lines[2] += f" Top-5 error rate {top5 / images:.2%} ({low:.2%} to {high:.2%})."
    return lines


def _table(header, rows):
    return [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)] + [""]


def _what_was_trained(record, written):
    data, recipe, training = record["dataset"], record["recipe"], record["training"]
    seconds = sum(row["seconds"] for row in training)
    speed = sum(row["steps"] for row in training) * recipe["batch_size"] / seconds
    sizes = ", ".join(f"{count:,} {split}" for split, count in data["images"].items())
    computed = record["precision"] + (", deterministic" if record["deterministic"] else "")
    return [
        "## What was trained",
        "",
        *_table(
            ("", ""),
            (
                ("network", f"{in_markdown(record['network'])}, {record['parameters']:,} parameters"),
                ("data", f"{in_markdown(data['name'])}: {sizes} images; {in_markdown(data['origin'])}"),
                ("length", f"{record['steps']:,} steps, {training[-1]['epoch']:.2f} passes over the training images"),
                ("time", f"{seconds:,.1f} s of training, {speed:,.0f} images/s"),
                ("computed", f"on {record['devices']}, {computed}"),
                (
                    "files",
                    ", ".join(f"[{file}]({file})" for ending, file in written.items() if not ending.endswith(".png")),
                ),
            ),
        ),
    ]


def _recipe(record):
    rows = [(name.replace("_", " "), _text(value)) for name, value in record["recipe"].items()]
    return ["## Recipe", "", *_table(("field", "value"), rows)]


def _text(value):
    if isinstance(value, bool) or value is None:
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "; ".join(map(_text, value))
    if isinstance(value, dict):
        return "; ".join(f"{name} {_text(item)}" for name, item in value.items())
    return f"{value:g}" if isinstance(value, float) else in_markdown(value)


def _picture(caption, ending, written):
    """A picture with its caption; nothing where it could not be drawn."""
    file = written.get(ending)
    return [f"![{caption}]({file})", "", f"*{caption}*", ""] if file else []


def _training(record, written):
    lines = ["## Training", ""]
    if record["validation"]:
        best = max(record["validation"], key=lambda row: row["accuracy"])
        last = record["validation"][-1]
        lines += [
            f"On the {last['images']:,} validation images the error rate was {1 - last['accuracy']:.2%} at the end, "
            f"and lowest, {1 - best['accuracy']:.2%}, after {best['epoch']:.2f} epochs.",
            "",
        ]
    lines += _picture(
        "Loss and error rate over the epochs, on logarithmic axes. Training images are seen augmented, and while the "
        "network changes.",
        "_curves.png",
        written,
    )
    return lines + _picture("Learning rate over the steps.", "_rate.png", written)


def _errors(results, written):
    classes, names = len(results.class_names), [in_markdown(name) for name in results.class_names]
    shown = (
        "Accuracy of each class" if classes <= _SHOWN_CLASSES else f"The {_SHOWN_CLASSES} lowest accuracies of a class"
    )
    lines = ["## Errors", ""]
    lines += _picture(f"{shown} on the test images, with Wilson's 95 % interval.", "_classes.png", written)
    lines += _picture(
        "Confusion matrix of the test images: true class (row), predicted class (column).", "_confusion.png", written
    )
    if not len(results.wrong):
        return [*lines, "No test image is misclassified.", ""]
    totals = results.counts.sum(axis=1)
    rows = [
        (names[true], names[predicted], f"{times:,}", f"{times / totals[true]:.1%}")
        for true, predicted, times in results.confused()[:_SHOWN_PAIRS]
    ]
    lines += ["Confused most often:", "", *_table(("true", "predicted", "images", "of the class"), rows)]
    few = min(_SHOWN_MISTAKES, len(results.wrong))
    return lines + _picture(
        f"The {few} most confident mistakes: true label → predicted label, and the probability given to it.",
        "_mistakes.png",
        written,
    )


def _filters(written):
    if "_filters.png" not in written:
        return []
    caption = "Kernels of the first layer: what in the picture each of its maps answers to."
    return ["## First layer", "", *_picture(caption, "_filters.png", written)]


def _again(record):
    script, *arguments = record["command"]
    module = ".".join(pathlib.Path(script).with_suffix("").parts[-2:]) if script.endswith(".py") else script
    command = f"python -m {shlex.join([module, *arguments])}"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", command)), default=0))
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items() if version)
    return [
        "## To repeat it",
        "",
        f"{fence}sh",
        command,
        fence,
        "",
        f"Versions: {versions}; {record['machine']}. SHA-256 of the data (labels and pixels, or file names): "
        f"`{record['dataset']['sha256']}`.",
        "",
    ]
