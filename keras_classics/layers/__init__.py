"""Layers of the two networks that Keras does not have, or computes in a slower form."""

from keras_classics.layers.batch_normalization import BatchNormalization
from keras_classics.layers.convolution import Conv2D, MaxPooling2D
from keras_classics.layers.lenet1998 import (
    EuclideanRBF,
    FanInUniform,
    SparselyConnectedConv2D,
    TrainableSubsampling,
    scaled_tanh,
)
from keras_classics.layers.local_response_normalization import LocalResponseNormalization

__all__ = [
    "BatchNormalization",
    "Conv2D",
    "EuclideanRBF",
    "FanInUniform",
    "LocalResponseNormalization",
    "MaxPooling2D",
    "SparselyConnectedConv2D",
    "TrainableSubsampling",
    "scaled_tanh",
]
