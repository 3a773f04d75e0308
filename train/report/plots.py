"""The pictures of a run's report, as PNG files: curves, learning rate, mistakes, classes, first-layer filters."""

import contextlib
import textwrap

import numpy as np
from matplotlib import style as styles
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import (
    EngFormatter,
    FuncFormatter,
    LogLocator,
    NullLocator,
    PercentFormatter,
    StrMethodFormatter,
)

from train.report import plain_text

_DPI = 120
_FEW = 30  # points that a line is marked at, so that one alone is seen
_MISTAKE_COLUMNS = 6
GRID = {"font.size": 10, "axes.grid": True, "grid.alpha": 0.3}
_TITLE = 100  # characters a line
_FILTERS_A_ROW = 16  # as in figure 3 of Krizhevsky et al.


@contextlib.contextmanager
def drawing(*texts, **settings):
    """matplotlib's own style, whatever the user's is, with ``settings``; all text is plain text.

    Yields:
        ``text -> text``: what can be drawn of one of ``texts``, which the fonts are chosen for.
    """
    families, missing = plain_text.fonts_for("".join(texts))
    plain = {"text.parse_math": False, "text.usetex": False, "font.family": families}
    with styles.context(["default", {**plain, **settings}]):
        yield lambda text: plain_text.drawable(text, missing)


def save(figure, path):
    figure.savefig(path, dpi=_DPI, pil_kwargs={"optimize": True})


def write_curves(path, *, title, loss, training, validation, test):
    """Loss and error rate over the epochs.

    Args:
        loss: what the loss is, with its unit.
        training: rows with ``epoch``, ``loss`` and ``accuracy`` of the (augmented) training images.
        validation: rows of the same, on the validation split; may be empty.
        test: the final accuracy on the test split, 0–1.
    """
    title = textwrap.fill(plain_text.visible(title), _TITLE)
    with drawing(title, **GRID) as drawable:
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        for axes, value in ((left, lambda row: row["loss"]), (right, lambda row: 1 - row["accuracy"])):
            for rows, label, style in (
                (training, "training (augmented)", {"color": "tab:blue", "alpha": 0.8, "linewidth": 1.2}),
                (validation, "validation", {"color": "tab:orange", "marker": "o", "markersize": 4}),
            ):
                if rows:
                    style = {"marker": "." if len(rows) < _FEW else None, **style}
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
        figure.suptitle(drawable(title))
        save(figure, path)


def write_rate(path, *, training, batch_size):
    """The learning rate over the steps, of rows with ``step`` and ``learning_rate``."""
    steps, rates = ([row[name] for row in training] for name in ("step", "learning_rate"))
    with drawing(**GRID):
        figure = Figure(figsize=(7, 3), layout="constrained")
        axes = figure.subplots()
        axes.plot(steps, rates, marker="." if len(steps) < _FEW else None, color="tab:blue")
        axes.set_xlabel(f"step (an update from {batch_size:,} images)")
        axes.set_ylabel("learning rate")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.yaxis.set_major_formatter(EngFormatter(sep="") if max(rates) < 1e-3 else StrMethodFormatter("{x:g}"))
        save(figure, path)


def write_confusion(path, *, counts, names):
    """Confusion matrix: a row for each true class, a column for each predicted class, counts in the cells.

    Args:
        counts: ``(classes, classes)`` whole numbers; at most some thirty classes stay legible.
        names: of the classes.
    """
    labels = plain_text.short(names)
    with drawing(*labels) as drawable:
        classes = len(names)
        shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
        errors = np.where(np.eye(classes, dtype=bool) | (counts == 0), np.nan, shares)
        worst = np.nanmax(errors, initial=0.0)
        side = max(4.5, 0.55 * classes)
        figure = Figure(figsize=(side + 2.2, side + 0.6), layout="constrained")
        axes = figure.subplots()
        # What is right would outshine all else: it is grey, and the colours are left to the errors.
        axes.imshow(np.where(np.eye(classes, dtype=bool), 0.15, np.nan), cmap="Greys", vmin=0, vmax=1)
        shown = axes.imshow(errors, cmap="Oranges", norm=Normalize(0, worst or 1))
        for row, column in np.argwhere(counts):
            dark = row != column and shares[row, column] > 0.6 * worst
            axes.text(
                column, row, f"{counts[row, column]:,}", ha="center", va="center", size=8, color="w" if dark else "k"
            )
        labels = [drawable(label) for label in labels]
        axes.set_xticks(range(classes), labels, rotation=90 if max(map(len, labels)) > 3 else 0)
        axes.set_yticks(range(classes), labels)
        axes.set_xticks(np.arange(classes - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(classes - 1) + 0.5, minor=True)
        axes.grid(which="minor", color="0.9", linewidth=0.6)
        axes.tick_params(which="both", length=0)
        axes.set_xlabel("predicted")
        axes.set_ylabel("is")
        if worst:
            bar = figure.colorbar(shown, ax=axes, shrink=0.7, format=PercentFormatter(1, decimals=None))
            bar.set_label("errors: share of the row's images")
        save(figure, path)


def write_classes(path, *, names, accuracies, intervals, overall):
    """Accuracy of each class with its interval, the lowest on top.

    Args:
        names: of the classes shown.
        accuracies, intervals: 0–1, ``(classes,)`` and ``(classes, 2)``.
        overall: accuracy over all images, 0–1.
    """
    order = np.argsort(accuracies, kind="stable")
    middle, (low, high) = accuracies[order], intervals[order].T
    places = np.arange(len(order))
    labels = plain_text.short(names)
    with drawing(*labels, **GRID) as drawable:
        figure = Figure(figsize=(7, 1.2 + 0.26 * len(order)), layout="constrained")
        axes = figure.subplots()
        axes.errorbar(
            middle,
            places,
            xerr=np.maximum(0, [middle - low, high - middle]),
            fmt="o",
            markersize=4,
            capsize=3,
            color="tab:blue",
            label="a class, and 95 % interval",
        )
        axes.axvline(overall, color="tab:green", linestyle="--", label=f"all images: {overall:.2%}")
        axes.set_yticks(places, [drawable(labels[index]) for index in order])
        axes.set_ylim(len(order) - 0.5, -0.5)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=None))
        axes.set_xlabel("accuracy: share of the class's test images predicted correctly")
        axes.set_ylabel("class")
        figure.legend(loc="outside upper right", ncols=2, fontsize=9, frameon=False)
        save(figure, path)


def write_mistakes(path, *, images, texts):
    """Small pictures with two lines of text under each.

    Args:
        images: ``uint8 (n, height, width, 1 or 3)``.
        texts: ``n`` of them.
    """
    with drawing(*texts) as drawable:
        columns = min(len(images), _MISTAKE_COLUMNS)
        rows = -(-len(images) // columns)
        text_height = 0.36  # of a picture's side
        figure = Figure(figsize=(1.55 * columns, 1.5 * rows * (1 + text_height)))
        axes = figure.add_axes((0, 0, 1, 1))
        for index, (image, text) in enumerate(zip(images, texts, strict=True)):
            row, left = divmod(index, columns)
            top = row * (1 + text_height)
            grey = image.shape[-1] == 1
            axes.imshow(
                image.squeeze(-1) if grey else image,
                extent=(left + 0.06, left + 0.94, top + 0.94, top + 0.06),
                cmap="gray" if grey else None,
                vmin=0,
                vmax=255,
                interpolation="nearest" if image.shape[0] <= 64 else "antialiased",
            )
            axes.text(left + 0.5, top + 0.97, drawable(text), ha="center", va="top", size=8, linespacing=1.25)
        axes.set_xlim(0, columns)
        axes.set_ylim(rows * (1 + text_height), 0)
        axes.set_aspect("auto")
        axes.set_axis_off()
        save(figure, path)


def write_filters(path, *, kernels, towers):
    """The kernels of the first layer, side by side.

    Those of one channel share a scale of colours, with its bar. Those of three are colour pictures as in figure 3 of
    Krizhevsky et al., 2012: grey is 0, and each is scaled by its largest weight.

    Args:
        kernels: ``float32 (height, width, 1 or 3, n)``; channels red, green, blue.
        towers: in how many groups the next layer sees them; each has rows of its own.
    """
    with drawing():
        height, width, channels, count = kernels.shape
        mosaic, row_starts = _mosaic(np.moveaxis(kernels, -1, 0), towers)
        rows, across = mosaic.shape[0] / (height + 1), mosaic.shape[1] / (width + 1)
        cell = 0.62 if count > _FILTERS_A_ROW else 1.2  # inches
        figure = Figure(figsize=(cell * across + 1.3, cell * rows + 0.8), layout="constrained")
        axes = figure.subplots()
        if channels == 1:
            largest = float(np.abs(kernels).max()) or 1.0
            shown = axes.imshow(mosaic[..., 0], cmap="RdBu_r", vmin=-largest, vmax=largest)
            figure.colorbar(shown, ax=axes, label="weight", shrink=0.9)
        else:
            axes.imshow(np.nan_to_num(mosaic, nan=1.0))
        axes.set_xticks([])
        axes.set_yticks(
            [start + (height + 1) * 0.5 * (rows // towers) for start in row_starts],
            [f"tower {tower + 1}" for tower in range(towers)] if towers > 1 else [""],
        )
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.set_xlabel(
            f"{count} kernels of {height}×{width} pixels" + (f", {channels} colours" if channels > 1 else "")
        )
        save(figure, path)


def _mosaic(kernels, towers):
    """Kernels ``(n, height, width, channels)`` as one picture, NaN between them, and the first row of each tower."""
    count, height, width, channels = kernels.shape
    if channels > 1:
        kernels = 0.5 + kernels / (2 * np.maximum(np.abs(kernels).max(axis=(1, 2, 3), keepdims=True), 1e-30))
    columns = min(_FILTERS_A_ROW, count // towers)
    parts, starts, at = [], [], 0
    for tower in np.split(kernels, towers):
        rows = -(-len(tower) // columns)
        part = np.full((rows * (height + 1), columns * (width + 1), channels), np.nan)
        for index, kernel in enumerate(tower):
            top, left = (index // columns) * (height + 1), (index % columns) * (width + 1)
            part[top : top + height, left : left + width] = kernel
        starts.append(at)
        parts += [part, np.full((height // 2, part.shape[1], channels), np.nan)]
        at += part.shape[0] + height // 2
    return np.concatenate(parts[:-1]), starts
