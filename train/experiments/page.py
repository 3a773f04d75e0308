"""The section of a claim in docs/claims.md: verdict, table and picture."""

import pathlib
import statistics

import numpy as np

from train.experiments import pictures, verdicts
from train.experiments.arm import ANSWERS
from train.experiments.claim import Comparison

MEASURES = {"test error": verdicts.test_error, "epochs to 25 % training error": verdicts.epochs_to_reach}


def section(name, claim, found, verdict, *, quick, into):
    """The Markdown of a claim's runs; its picture is written beside ``into``, as ``claims/NAME.png``.

    Args:
        name, claim: of ``claims.CLAIMS``.
        found: name of an arm → its ``Run`` from each seed.
        verdict: what ``verdict`` says of them.
        quick: whether they are of the quick form.
        into: path of the page.
    """
    folder = pathlib.Path(into).parent / "claims"
    folder.mkdir(exist_ok=True)
    pictures.PICTURES[claim.picture](folder / f"{name}.png", claim, found)
    lines = ["", verdict, ""]
    if quick:
        lines += [f"*Quick form (`--quick`)*: {_shortened(claim)}; it shows a direction at most.", ""]
    precisions = {run.record["precision"] for runs in found.values() for run in runs} - {"float32"}
    if precisions:
        lines += [f"Trained in `{precisions.pop()}` (`--precision`), tested in float32.", ""]
    lines += [*table(claim, found), "", f"![{claim.sentence}](claims/{name}.png)", ""]
    if claim.notes:
        lines += [claim.notes, ""]
    return "\n".join(lines)


def _shortened(claim):
    least = max(arm.recipe.min_images for arm in claim.arms_for(True).values())
    more = f" or more, until {least:,} images have been shown" if least else ""
    images = f", {claim.quick_images:,} training images" if claim.quick_images else ""
    return f"{claim.quick_epochs} epochs{more}{images}"


def verdict(claim, found):
    """A line for each comparison."""
    if claim.picture == "averaged":
        return "\n".join(f"- {_of_average(arm, runs)}" for arm, runs in found.items())
    value, factor = MEASURES[claim.measure], claim.measure.startswith("epochs")
    sentences = []
    for comparison in claim.comparisons:
        better, worse = ([value(run) for run in found[arm]] for arm in (comparison.arm, comparison.than))
        sentences.append(verdicts.sentence(comparison, verdicts.paired(better, worse, factor)))
    return "\n".join(f"- {text}" for text in sentences)


def _of_average(arm, runs):
    wrong = np.stack([wrong_of([run]) for run in runs])
    count = len(runs)
    comparison = Comparison(f"{count} × {arm} averaged", "one")
    return verdicts.sentence(comparison, verdicts.over_images(wrong_of(runs), wrong.mean(axis=0)))


def wrong_of(runs):
    """``bool (images,)``: where the mean of some runs' probabilities errs, on the test images."""
    answers = [np.load(run.folder / ANSWERS, allow_pickle=False) for run in runs]
    return np.mean([answer["probabilities"] for answer in answers], axis=0).argmax(axis=1) != answers[0]["labels"]


def table(claim, found):
    """A row an arm."""
    counted = claim.measure != "test error"
    head = [
        "arm",
        "parameters",
        "connections",
        *([claim.measure] if counted else []),
        "test error",
        "each seed, from 0",
    ]
    head += ["training error", "gap", "seconds"]
    lines = [f"| {' | '.join(head)} |", "| --- |" + " ---: |" * (len(head) - 1)]
    for arm, runs in found.items():
        errors, gaps = [verdicts.test_error(run) for run in runs], [verdicts.gap(run) for run in runs]
        seconds = [sum(row["seconds"] for row in run.record["training"]) for run in runs]
        cells = (
            arm,
            f"{runs[0].record['parameters']:,}",
            f"{runs[0].measures['connections']:,}",
            *([_each(claim, runs)] if counted else []),
            f"**{_mean_and_spread(errors)} %**",
            ", ".join(f"{error:.2f}" for error in errors),
            f"{statistics.mean(100 * run.measures['training_error'] for run in runs):.2f} %",
            f"{_mean_and_spread(gaps)}",
            f"{statistics.median(seconds):.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _each(claim, runs):
    """What a claim measures, of each seed."""
    values = [MEASURES[claim.measure](run) for run in runs]
    return ", ".join("not reached" if np.isinf(value) else f"{value:.1f}" for value in values)


def _mean_and_spread(values):
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{spread}"
