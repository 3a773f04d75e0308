"""How sure a share of a count is."""

from scipy.stats import binomtest


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
    found = binomtest(int(right), int(total)).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
