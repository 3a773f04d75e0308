"""Intervals of shares."""

import pytest
from scipy.stats import binomtest

from keras_classics.shares import interval


def test_intervals_are_wilsons():
    assert interval(97, 100) == pytest.approx((0.9155, 0.9897), abs=1e-4)
    for right, total in ((0, 10), (10, 10), (0, 1), (1, 3), (9_947, 10_000)):
        assert interval(right, total) == pytest.approx(
            binomtest(right, total).proportion_ci(method="wilson"), abs=1e-12
        )


@pytest.mark.parametrize(("right", "total"), [(-1, 10), (11, 10), (0, 0)])
def test_what_is_no_share_is_refused(right, total):
    with pytest.raises(ValueError, match="expected 0 to total"):
        interval(right, total)
