"""What a claim's runs say: differences paired by seed, their intervals, and one sentence."""

import dataclasses
import math
import statistics

import numpy as np
from scipy import stats

REACHED = 0.25  # training error that figure 1 of Krizhevsky et al. counts epochs to
_RESAMPLED = 2_000  # times the test images, for an interval over them


@dataclasses.dataclass(frozen=True)
class Finding:
    """A difference (or, of epochs, a factor), its 95 % interval, and whether less is better by it.

    Where a run never reached the error (``unreached``) the ends are the least and the greatest of the seeds.
    """

    value: float
    low: float
    high: float
    factor: bool = False
    unreached: bool = False

    @property
    def none(self):
        """The value that means no difference."""
        return 1.0 if self.factor else 0.0

    @property
    def holds(self):
        return self.low > self.none

    @property
    def reversed(self):
        return self.high < self.none

    def turned(self):
        """The same as seen from the other arm."""
        value, high, low = (
            (1 / end if end else math.inf) if self.factor else -end for end in (self.value, self.low, self.high)
        )
        return dataclasses.replace(self, value=value, low=low, high=high)


def test_error(run):
    """Of a ``Run``, in percent."""
    return 100 * (1 - run.record["test"]["accuracy"])


def gap(run):
    """Test error less training error of the same network, in percentage points."""
    return test_error(run) - 100 * run.measures["training_error"]


def epochs_to_reach(run):
    """Epochs until the training error, as the epoch shows it, is 25 %; infinite where the run ended before."""
    for epoch, error in training_errors(run):
        if error <= REACHED:
            return epoch
    return math.inf


def training_errors(run):
    """``[(epoch, error), …]``: the mean of each epoch's batches, while they were trained on."""
    rows, found = run.record["training"], []
    images, wrong, epoch = 0, 0.0, 1
    for row in rows:
        images += row["steps"]
        wrong += row["steps"] * (1 - row["accuracy"])
        if row["epoch"] >= epoch or row is rows[-1]:
            found.append((row["epoch"], wrong / images))
            images, wrong, epoch = 0, 0.0, math.floor(row["epoch"]) + 1
    return found


def paired(better, worse, factor=False):
    """The ``Finding`` that ``better`` is less than ``worse``, value by value: one a seed.

    The interval is Student's over the seeds; of factors, over their logarithms. One seed alone has none (±∞).
    Where a run never reached the error, its epochs are infinite, and so is the factor; then there is no such interval.
    """
    pairs = [(b, w) for b, w in zip(better, worse, strict=True) if not (math.isinf(b) and math.isinf(w))]
    if factor and any(math.isinf(value) for pair in pairs for value in pair):
        least = [w / b if math.isfinite(w) else (math.inf if math.isfinite(b) else 0.0) for b, w in pairs]
        # Of two middle ones the nearer to no difference: a mean with what is infinite would say nothing.
        middle = min(max(statistics.median_low(least), 1.0), statistics.median_high(least))
        return Finding(middle, min(least), max(least), True, unreached=True)
    values = [math.log(w / b) if factor else w - b for b, w in pairs]
    if not values:
        return Finding(math.nan, -math.inf, math.inf, factor)
    mean, low, high = statistics.mean(values), -math.inf, math.inf
    if len(values) > 1:
        spread = statistics.stdev(values) / math.sqrt(len(values))
        low, high = stats.t.interval(0.95, len(values) - 1, loc=mean, scale=max(spread, 1e-12))
    return (
        Finding(*(math.exp(v) if v < 700 else math.inf for v in (mean, low, high)), True)
        if factor
        else Finding(mean, float(low), float(high))
    )


def over_images(better, worse):
    """The ``Finding`` that one set of answers has fewer errors than the mean of others, over resampled test images.

    Args:
        better: ``bool (images,)``, where the answer is wrong.
        worse: ``float (images,)``, how often it is wrong.
    """
    differences = 100 * (np.asarray(worse, float) - np.asarray(better, float))
    random = np.random.default_rng(0)
    count = len(differences)
    means = [differences[random.integers(0, count, count)].mean() for _ in range(_RESAMPLED)]
    low, high = np.percentile(means, [2.5, 97.5])
    return Finding(float(differences.mean()), float(low), float(high))


def sentence(comparison, finding):
    """The verdict on a ``Comparison``: holds, holds in direction, does not hold or is not decided, and the interval."""
    pair, size = f"{comparison.arm} against {comparison.than}", comparison.size
    if math.isnan(finding.value):
        return f"**Not decided here**: of {pair}, neither reached {REACHED:.0%}."
    more = finding.value < finding.none
    shown = finding.turned() if more else finding
    word = "more" if more else "fewer"
    unit = f"times {word} epochs" if finding.factor else f"points {word} errors"
    span = "seeds from" if finding.unreached else "95 % interval"
    figures = f"{pair}, {_plain(shown.value)} {unit} ({span} {_plain(shown.low)} to {_plain(shown.high)})"
    claimed = f"; claimed: {_plain(size)} fewer" if size is not None else ""
    if finding.reversed:
        return f"**Does not hold here**, it is the other way round: {figures}{claimed}."
    if not finding.holds and (finding.value > finding.none if size is None else finding.high >= size):
        return f"**Not decided here**, the interval includes none and what is claimed: {figures}{claimed}."
    if not finding.holds:
        return f"**Does not hold here**, the difference cannot be told from none: {figures}{claimed}."
    if size is not None and finding.high < size:
        return f"**Holds in direction, not in size**: {figures}{claimed}."
    return f"**Holds**: {figures}{claimed}."


def _plain(value):
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.2f}".replace("-", "−")
