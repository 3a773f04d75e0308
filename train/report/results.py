"""What a network made of a test split: which classes it confuses, and which images it is wrong about."""

import functools

import numpy as np

from keras_classics.shares import interval


class Results:
    """What a network made of a split.

    Args:
        split: a ``datasets.Split``.
        class_names: as a ``datasets.Dataset`` has them.
        probabilities: ``(n, classes)``, one row an image of ``split``.
    """

    def __init__(self, split, class_names, probabilities):
        self.split, self.class_names, self.probabilities = split, class_names, probabilities
        self.predicted = probabilities.argmax(axis=1)
        self.wrong = np.flatnonzero(self.predicted != split.labels)

    @functools.cached_property
    def counts(self):
        """``(classes, classes)``: how many images of a true class (row) were predicted as each class (column)."""
        classes = len(self.class_names)
        pairs = self.split.labels * classes + self.predicted
        return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)

    def classes(self):
        """Of each class that has images: its number, how many images, how many right, and the 95 % interval."""
        totals, right = self.counts.sum(axis=1), self.counts.diagonal()
        return [
            (label, int(totals[label]), int(right[label]), interval(right[label], totals[label]))
            for label in np.flatnonzero(totals)
        ]

    def confused(self):
        """``(true class, predicted class, images)``, the most frequent first."""
        errors = self.counts - np.diag(self.counts.diagonal())
        order = np.argsort(-errors, axis=None, kind="stable")
        pairs = zip(*np.unravel_index(order[: np.count_nonzero(errors)], errors.shape), strict=True)
        return [(int(true), int(predicted), int(errors[true, predicted])) for true, predicted in pairs]

    def confident_mistakes(self, count):
        """Indices of the most confident mistakes, the most confident first."""
        sure = self.probabilities[self.wrong].max(axis=1)
        return self.wrong[np.argsort(-sure, kind="stable")[:count]]

    def top5_errors(self):
        """How many images have a true class outside their top 5."""
        own = np.take_along_axis(self.probabilities, self.split.labels[:, None], axis=1)
        return int(((self.probabilities > own).sum(axis=1) >= 5).sum())
