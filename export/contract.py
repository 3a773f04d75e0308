"""Names that all exporting commands share; importing them imports no framework."""

from keras_classics.names import ALEXNET_VARIANTS, NETWORKS, TITLES

__all__ = [
    "ALEXNET_VARIANTS",
    "CALIBRATED",
    "LRN_FORMS",
    "MODEL_SUFFIX",
    "MODES",
    "NETWORKS",
    "ONNX_SUFFIX",
    "PIXEL_TYPES",
    "RANDOM",
    "SAVED_MODEL_SUFFIX",
    "TARGETS",
    "TFLITE_SUFFIX",
    "TITLES",
]

MODES = ("float32", "float16", "dynamic", "int8", "int16x8")
CALIBRATED = ("int8", "int16x8")  # modes that need pictures to set the ranges of activations by
PIXEL_TYPES = ("uint8", "int8", "float32")  # of the input: pixels 0–255, pixels less 128, pixels 0–255
LRN_FORMS = ("native", "banded")  # of AlexNet's normalization on a device
TARGETS = ("mobile", "micro", "int8-only")  # kinds of devices
RANDOM = "random"  # untrained weights
MODEL_SUFFIX, TFLITE_SUFFIX, ONNX_SUFFIX, SAVED_MODEL_SUFFIX = ".keras", ".tflite", ".onnx", "_saved_model"
