"""Datasets: images and labels in three splits, from TFDS, folders of pictures, IDX files, or the package's own digits.

Importing this imports neither TensorFlow nor Keras.
"""

from keras_classics.datasets.catalog import (
    DATA_DIR_VARIABLE,
    DIGITS,
    EMBEDDED,
    FOLDER,
    IDX,
    PICTURES,
    absolute,
    check_name,
    from_spec,
    load,
    spec_of,
)
from keras_classics.datasets.dataset import Dataset, Split, stratified
from keras_classics.datasets.decoding import SUFFIXES as PICTURE_SUFFIXES

__all__ = [
    "DATA_DIR_VARIABLE",
    "DIGITS",
    "EMBEDDED",
    "FOLDER",
    "IDX",
    "PICTURES",
    "PICTURE_SUFFIXES",
    "Dataset",
    "Split",
    "absolute",
    "check_name",
    "from_spec",
    "load",
    "spec_of",
    "stratified",
]
