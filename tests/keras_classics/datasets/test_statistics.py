"""Statistics of training pixels, against NumPy on the same pixels."""

import numpy as np
import pytest
from PIL import Image

from keras_classics.datasets import pipeline, statistics
from keras_classics.datasets.dataset import Split


@pytest.fixture(autouse=True)
def kept_here(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_CLASSICS_CACHE_DIR", str(tmp_path / "keras"))


def pictures(folder, count=40):
    random = np.random.default_rng(0)
    paths = [folder / f"{number:02}.png" for number in range(count)]
    for path in paths:
        colours = random.multivariate_normal(
            [120, 110, 90], [[900, 500, 300], [500, 600, 200], [300, 200, 400]], (9, 7)
        )
        Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8)).save(path)
    return Split(np.array([str(path) for path in paths]), np.zeros(count, np.int64))


def test_statistics_are_those_of_the_pixels(tmp_path):
    split = pictures(tmp_path)
    pixels = pipeline.load_pictures(split, 8).astype(np.float64)
    found = statistics.statistics(split, 8)
    np.testing.assert_allclose(found.mean_image, pixels.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.mean, pixels.mean(axis=(0, 1, 2)), rtol=1e-5)
    covariance = np.cov(pixels.reshape(-1, 3).T, bias=True)
    rebuilt = found.eigenvectors @ np.diag(found.eigenvalues) @ found.eigenvectors.T
    np.testing.assert_allclose(rebuilt, covariance, atol=1e-3 * covariance.max())
    assert list(found.eigenvalues) == sorted(found.eigenvalues, reverse=True)
    np.testing.assert_array_equal(found.middle(4), found.mean_image[2:6, 2:6])


def test_statistics_are_kept_until_a_picture_changes(tmp_path, monkeypatch):
    split = pictures(tmp_path)
    first = statistics.statistics(split, 8)
    monkeypatch.setattr(statistics, "_computed", lambda *_: pytest.fail("computed again"))
    np.testing.assert_array_equal(statistics.statistics(split, 8).mean_image, first.mean_image)
    monkeypatch.undo()
    monkeypatch.setenv("KERAS_CLASSICS_CACHE_DIR", str(tmp_path / "keras"))
    Image.new("RGB", (9, 7), (255, 255, 255)).save(split.images[0])
    assert (statistics.statistics(split, 8).mean > first.mean).all()


def test_a_damaged_file_of_statistics_is_made_anew(tmp_path):
    split = pictures(tmp_path)
    first = statistics.statistics(split, 8)
    (kept,) = (tmp_path / "keras").rglob("colours-*.npz")
    kept.write_bytes(kept.read_bytes()[:100])
    np.testing.assert_array_equal(statistics.statistics(split, 8).mean, first.mean)


def test_large_splits_are_judged_by_evenly_spaced_pictures(tmp_path):
    split = pictures(tmp_path)
    some = statistics.statistics(split, 8, sample=4)
    np.testing.assert_array_equal(some.mean, statistics.statistics(split.take([0, 13, 26, 39]), 8).mean)
