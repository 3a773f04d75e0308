"""How sure a share of a count is."""

import math
import statistics

_Z = statistics.NormalDist().inv_cdf(0.975)  # 2.5 % of a normal distribution lie above as many standard deviations


def interval(right, total):
    """Wilson's 95 % interval of the share ``right / total``.

    Args:
        right: how many, 0 to ``total``.
        total: of how many, from 1 up.

    Returns:
        ``(low, high)``, floats of 0–1.

    Raises:
        ValueError: the numbers are out of range.
    """
    right, total = int(right), int(total)
    if total < 1 or not 0 <= right <= total:
        raise ValueError(f"right is {right} of {total}; expected 0 to total, and total at least 1.")
    middle = right + _Z**2 / 2
    half = _Z * math.sqrt(right * (total - right) / total + _Z**2 / 4)
    low, high = ((middle + side) / (total + _Z**2) for side in (-half, half))
    return max(0.0, low), min(1.0, high)
