"""How the colours of a dataset vary: section 4.1 of Krizhevsky et al., 2012."""

import numpy as np

from keras_classics import pipeline

_PICTURES = 2_000  # evenly spaced in a training split, which tell enough of its colours


def components(split):
    """Principal components of the RGB values of a split's pixels, each as long as the values spread along it.

    Args:
        split: a ``datasets.Split`` of colour pictures, of which 2,000 are looked at, evenly spaced.

    Returns:
        ``float32 (3, 3)``: a component a row, of the length of one standard deviation in pixel units, the longest
        first.
    """
    chosen = split.take(np.linspace(0, len(split) - 1, min(len(split), _PICTURES)).astype(int))
    count, sums, products = 0, np.zeros(3), np.zeros((3, 3))
    for image in chosen.images:
        picture = image if split.in_memory else pipeline.read_picture(image, 64).numpy()
        pixels = picture.reshape(-1, 3).astype(np.float64)
        count, sums, products = count + len(pixels), sums + pixels.sum(axis=0), products + pixels.T @ pixels
    mean = sums / count
    variances, vectors = np.linalg.eigh(products / count - np.outer(mean, mean))
    return (vectors * np.sqrt(np.maximum(variances, 0))).T[::-1].astype("float32")
