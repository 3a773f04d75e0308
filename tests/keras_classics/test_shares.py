"""Intervals of shares."""

import pytest

from keras_classics.shares import interval


def test_intervals_are_wilsons():
    assert interval(97, 100) == pytest.approx((0.9155, 0.9897), abs=1e-4)
    assert interval(0, 10)[0] == pytest.approx(0, abs=1e-9)
