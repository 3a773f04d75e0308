"""Keras models to ``.tflite`` by post-training quantization."""

import contextlib
import io
import warnings

import numpy as np

from export.deploy_graph import raw_pixel_model
from keras_classics.errors import InputError
from keras_classics.runtime import quiet


def convert(model, preprocessing, mode, representative_images=None):
    """The bytes of a TFLite model that takes raw ``uint8`` pixels, one image at a time.

    Args:
        model: a Keras functional model; its output are class probabilities.
        preprocessing: its ``Preprocessing``, which goes into the file.
        mode: "float32"; "float16", weights stored so and arithmetic in float32; "dynamic", weights in int8 and
            activations quantized as they come; "int8", weights, activations and arithmetic in 8 bits.
        representative_images: ``uint8 (n, height, width, channels)`` from the training split, for ``"int8"``: they
            set the ranges of the activations.

    Returns:
        bytes: input ``uint8 (1, height, width, channels)``, in ``"int8"`` with scale 1 and zero point 0; output
        ``(1, classes)``: ``uint8`` of scale 1/256 in ``"int8"``, else ``float32``.

    Raises:
        InputError: the representative images do not use the whole range of pixel values, or TensorFlow cannot convert
            the model.
    """
    import tensorflow as tf

    integer = mode == "int8"
    graph = raw_pixel_model(model, preprocessing, "float32" if integer else "uint8")
    converter = tf.lite.TFLiteConverter.from_keras_model(graph)
    if mode != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if integer:
        if (representative_images.min(), representative_images.max()) != (0, 255):
            raise InputError("the calibration images do not use all pixel values from 0 to 255.")
        converter.representative_dataset = lambda: ([image[None].astype(np.float32)] for image in representative_images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    # Keras and the converter report on stdout, stderr and through warnings what concerns only their developers.
    with quiet(), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return converter.convert()
        except Exception as error:  # the converter's own errors run to hundreds of lines
            failure = error
    reason = str(failure).strip().splitlines()[0] if str(failure).strip() else type(failure).__name__
    raise InputError(f"TensorFlow cannot convert this model ({reason}); build it in float32.") from failure
