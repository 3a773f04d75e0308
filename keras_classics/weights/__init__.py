"""Trained weights: those that have a name, and files of Keras, PyTorch and ONNX."""

from keras_classics.weights.registry import NamedWeights, list_weights

__all__ = ["NamedWeights", "list_weights"]
