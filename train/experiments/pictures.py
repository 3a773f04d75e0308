"""The picture of a claim, as a PNG file."""

import statistics

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from train.experiments import verdicts
from train.report.plots import GRID, drawing, save


def dots(path, claim, found):
    """Each seed's test error as a dot, the mean as a line, an arm a row."""
    with drawing(*found, **GRID) as drawable:
        figure = Figure(figsize=(8, 1.4 + 0.4 * len(found)), layout="constrained")
        axes = figure.subplots()
        for place, runs in enumerate(found.values()):
            values = [verdicts.test_error(run) for run in runs]
            axes.plot(values, [place] * len(values), "o", color="tab:blue", alpha=0.6)
            axes.plot([statistics.mean(values)] * 2, [place - 0.3, place + 0.3], color="tab:orange", linewidth=2.5)
        axes.set_yticks(range(len(found)), [drawable(arm) for arm in found])
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.xaxis.set_major_formatter(PercentFormatter(100, decimals=None))
        axes.set_xlabel("test error (dots: seeds, line: their mean)")
        save(figure, path)


def training_error(path, claim, found):
    """Training error over the epochs, as figure 1 has it, and gradient norms by layer before the first step."""
    with drawing(*found, **GRID) as drawable:
        figure = Figure(figsize=(10, 4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for colour, (arm, runs) in zip(("tab:blue", "tab:orange", "tab:green"), found.items(), strict=False):
            for number, run in enumerate(runs):
                epochs, errors = zip(*verdicts.training_errors(run), strict=True)
                label = drawable(arm) if number == 0 else None
                left.plot(epochs, [100 * error for error in errors], color=colour, label=label)
            norms = runs[0].measures["gradients"]
            right.plot(list(norms), list(norms.values()), "o-", color=colour, label=drawable(arm))
        left.axhline(100 * verdicts.REACHED, color="0.4", linestyle="--", linewidth=1)
        left.set_xlabel("epochs")
        left.set_ylabel("training error")
        left.yaxis.set_major_formatter(PercentFormatter(100, decimals=None))
        right.set_yscale("log")
        right.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))  # the usual one writes formulas, which stay text
        right.set_ylabel("gradient norm / kernel norm, before the first step")
        left.legend()
        right.legend()
        save(figure, path)


def amounts(path, claim, found):
    """Test error over the number of training images: a line for each name after the comma."""
    lines = {}
    for arm, runs in found.items():
        values = [verdicts.test_error(run) for run in runs]
        images = runs[0].record["dataset"]["images"]["train"]
        lines.setdefault(arm.partition(", ")[2], []).append((images, values))
    with drawing(*lines, **GRID) as drawable:
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.subplots()
        for label, points in lines.items():
            images, values = zip(*points, strict=True)
            axes.errorbar(
                images,
                [statistics.mean(row) for row in values],
                _spreads(values),
                fmt="o-",
                capsize=3,
                label=drawable(label),
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("training images")
        axes.set_ylabel("test error, mean ± standard deviation")
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g} %"))
        axes.yaxis.set_minor_formatter(StrMethodFormatter("{x:g} %"))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.legend()
        save(figure, path)


def _spreads(values):
    return [statistics.stdev(row) if len(row) > 1 else 0.0 for row in values]


def sampled(path, claim, found):
    """Test error of the mean of sampled networks, and of the scaled one."""
    with drawing(**GRID):
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.subplots()
        for number, run in enumerate(run for runs in found.values() for run in runs if "sampled" in run.measures):
            counts, errors = zip(*run.measures["sampled"], strict=True)
            shown = {"color": "tab:blue", "label": "mean of sampled networks"} if number == 0 else {"color": "tab:blue"}
            axes.plot(counts, [100 * error for error in errors], "o-", alpha=0.7, **shown)
            label = "outputs scaled, one network" if number == 0 else None
            axes.axhline(100 * run.measures["scaled"], color="tab:orange", linestyle="--", label=label)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
        axes.yaxis.set_major_formatter(PercentFormatter(100, decimals=None))
        axes.set_xlabel("networks that dropout sampled")
        axes.set_ylabel("test error")
        axes.legend()
        save(figure, path)


def averaged(path, claim, found):
    """Test error of the mean of 1, 2, … networks: of every run of neighbours among the seeds, and their mean."""
    from train.experiments.page import wrong_of

    with drawing(*found, **GRID) as drawable:
        figure = Figure(figsize=(5 * len(found), 4), layout="constrained")
        for axes, (arm, runs) in zip(np.atleast_1d(figure.subplots(1, len(found))), found.items(), strict=True):
            count, means = len(runs), []
            for size in range(1, count + 1):
                chosen = [
                    [runs[(first + i) % count] for i in range(size)] for first in range(count if size < count else 1)
                ]
                errors = [100 * float(wrong_of(some).mean()) for some in chosen]
                axes.plot([size] * len(errors), errors, "o", color="tab:blue", alpha=0.5)
                means.append(statistics.mean(errors))
            axes.plot(range(1, count + 1), means, color="tab:orange")
            axes.set_title(drawable(arm))
            axes.set_xlabel("networks averaged")
            axes.set_ylabel("test error")
            axes.yaxis.set_major_formatter(PercentFormatter(100, decimals=None))
        save(figure, path)


PICTURES = {
    "dots": dots,
    "training error": training_error,
    "amounts": amounts,
    "sampled": sampled,
    "averaged": averaged,
}
