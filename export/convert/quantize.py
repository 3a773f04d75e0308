"""Keras models to ``.tflite`` by post-training quantization."""

import contextlib
import io
import warnings

import numpy as np

from export.contract import CALIBRATED
from export.convert import failures
from export.convert.device_model import Forms, device_model
from export.litert import flatbuffer
from export.litert.classifier import INT8_OFFSET
from keras_classics import averaging
from keras_classics.errors import InputError
from keras_classics.layers import LocalResponseNormalization
from keras_classics.runtime import quiet

# A dense layer's weights get one scale each unit above this size of a network, else one for all: 24 bytes a unit are
# nothing beside AlexNet's 60 MB and a fourteenth of LeNet-5's file.
_SMALL = 1_000_000  # parameters
# In 8 bits a probability is a multiple of 1/256, too coarse where there are more classes than that.
_FINE_CLASSES = 256


def convert(model, preprocessing, mode, representative_images=None, *, dtype="uint8", forms=None, integer_only=False):
    """The bytes of a TFLite model that takes raw pixels, one image at a time.

    Args:
        model: a LeNet-5 or AlexNet of this package.
        preprocessing: its ``Preprocessing``, which goes into the file.
        mode: "float32"; "float16", weights stored so and arithmetic in float32; "dynamic", weights in int8 and
            activations quantized as they come; "int8", weights, activations and arithmetic in 8 bits; "int16x8",
            activations in 16 bits.
        representative_images: ``uint8 (n, height, width, channels)`` from the training split, for the last two: they
            set the ranges of the activations.
        dtype: of the input: "uint8" pixels 0–255 (scale 1, zero point 0), "int8" pixels less 128, "float32" pixels
            0–255.
        forms: a ``deploy_graph.Forms``; None takes ``best_forms``.
        integer_only: whether the softmax is in 8 bits too, however many classes there are.

    Returns:
        bytes: input ``(1, height, width, channels)``; output probabilities ``(1, classes)``: in "int8" of the type of
        the input (scale 1/256), but ``float32`` where there are more than 256 classes; in the other modes ``float32``.

    Raises:
        InputError: TensorFlow cannot convert the model.
    """
    converter, apart, surgery = converter_of(
        model, preprocessing, mode, representative_images, dtype=dtype, forms=forms, integer_only=integer_only
    )
    return surgery(run(lambda: _converted(converter, apart), needed=saved_bytes(model)))


def best_forms(mode, target="mobile"):
    """The ``Forms`` that docs/edge.md finds fastest for a mode on a target."""
    pooling = "average" if target == "micro" else "convolution"
    return Forms(pooling=pooling, lrn="native" if mode == "int16x8" else "banded")


def _converted(converter, apart):
    """The bytes of what ``converter`` makes, with the layers named in ``apart`` in float32.

    RSQRT in 8 bits loses the answer, and no kernel normalises in 8 bits. Between DEQUANTIZE and QUANTIZE, XNNPACK takes
    every operator of the banded form, so that the delegate has the whole graph; TensorFlow's own operator would cut it.
    """
    if not apart:
        return converter.convert()
    from tensorflow.lite.python.convert import mlir_quantize

    converter._experimental_calibrate_only = True
    calibrated = converter.convert()
    return mlir_quantize(
        calibrated,
        input_data_type=converter.inference_input_type,
        output_data_type=converter.inference_output_type,
        disable_per_channel_for_dense_layers=converter._experimental_disable_per_channel_quantization_for_dense_layers,
        denylisted_nodes=flatbuffer.outputs_of_layers(calibrated, apart),
    )


def converter_of(model, preprocessing, mode, representative_images=None, *, dtype, forms=None, integer_only=False):
    """TensorFlow's converter, set up as ``convert`` says, for ``_converted``: with the names of the layers that stay in
    float32, and what is to be done to the bytes."""
    import tensorflow as tf

    forms = forms or best_forms(mode)
    calibrated = mode in CALIBRATED
    several = len(averaging.members(model)) > 1  # whose probabilities are averaged, after their softmax
    fine = mode == "int8" and model.output_shape[-1] > _FINE_CLASSES and not (integer_only or several)
    inside = "float32" if calibrated else dtype  # the converter, or what follows it, turns the input into integers
    offset = INT8_OFFSET if mode == "int16x8" and dtype == "int8" else None
    graph = device_model(model, preprocessing, inside, forms, logits=fine, offset=offset)
    normalizing = [layer for layer in graph.layers if isinstance(layer, LocalResponseNormalization)]
    apart = [layer.name for layer in normalizing if mode == "int8" and layer.form == "banded"]
    converter = tf.lite.TFLiteConverter.from_keras_model(graph)
    if mode != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if calibrated:
        converter.representative_dataset = representative_dataset(representative_images, offset or 0)
        int16 = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8 if mode == "int8" else int16]
        converter._experimental_disable_per_channel_quantization_for_dense_layers = model.count_params() < _SMALL
    if mode == "int8":
        converter.inference_input_type = getattr(tf, dtype)
        converter.inference_output_type = tf.float32 if fine else getattr(tf, dtype)

    def surgery(tflite):
        if fine:
            tflite = flatbuffer.with_softmax(tflite)
        if mode == "int16x8" and dtype != "float32":
            tflite = flatbuffer.with_cast(tflite, dtype)
        return flatbuffer.with_short_names(tflite)

    return converter, apart, surgery


def representative_dataset(images, offset=0):
    """What TensorFlow's converter calls for calibration pictures: ``uint8`` images (less ``offset``), one at a time.

    The darkest pixel of all becomes 0 and the brightest 255, so that the input has this range whatever they show.
    """
    pixels = images.flatten()
    pixels[pixels.argmin()] = 0
    pixels[pixels.argmax()] = 255
    images = pixels.reshape(images.shape)

    def batches():
        for image in images:
            yield [image[None].astype(np.float32) - np.float32(offset)]

    return batches


def saved_bytes(model):
    """How many bytes TensorFlow's converter writes to the folder of temporary files, at least, for a Keras model."""
    return 4 * model.count_params() + 100_000


def run(convert, folder=None, needed=0):
    """``convert()`` without what Keras and the converter report that concerns only their developers.

    Args:
        convert: the conversion.
        folder, needed: where it writes to and how much, as ``failures.explained`` takes them.

    Raises:
        InputError: it failed; the sentence says whether for want of disk, memory or a library, or for the model.
    """
    with quiet(), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return convert()
        except InputError:
            raise
        except Exception as error:  # the converter's own errors run to hundreds of lines
            failure = error
    raise failures.explained(failure, folder, needed) from failure
