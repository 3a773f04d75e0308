"""The networks as ONNX models for ONNX Runtime, in float and quantized by its own tools."""

import pathlib
import tempfile

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from benchmarks.peers import lenet5_weights, onnx_alexnet_caffe


def lenet5(model):
    """The modern LeNet-5 as the bytes of an ONNX model with the weights of a Keras ``model``.

    Takes ``pixels (1, 1, 32, 32)``, normalised; gives ``probabilities (1, 10)``.
    """
    names = [f"{layer}_{what}" for layer in ("C1", "C3", "C5", "F6", "output") for what in ("w", "b")]
    weights = [
        numpy_helper.from_array(np.ascontiguousarray(values), name)
        for name, values in zip(names, lenet5_weights(model), strict=True)
    ]
    nodes, source = [], "pixels"

    def add(operator, name, *constants, **attributes):
        nonlocal source
        nodes.append(helper.make_node(operator, [source, *constants], [name], name, **attributes))
        source = name

    for layer, pool in (("C1", "S2"), ("C3", "S4")):
        add("Conv", layer, f"{layer}_w", f"{layer}_b")
        add("Tanh", f"{layer}_tanh")
        add("AveragePool", pool, kernel_shape=[2, 2], strides=[2, 2])
    add("Flatten", "flat")
    for layer in ("C5", "F6"):
        add("Gemm", layer, f"{layer}_w", f"{layer}_b", transB=1)
        add("Tanh", f"{layer}_tanh")
    add("Gemm", "output", "output_w", "output_b", transB=1)
    add("Softmax", "probabilities")
    image = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 1, 32, 32])
    output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 10])
    graph = helper.make_graph(nodes, "lenet5", [image], [output], weights)
    opset = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


def quantized(model, images):
    """``{form: bytes}``: an ONNX model (bytes) in int8, in the two forms that ONNX Runtime's tools write.

    Args:
        model: its bytes.
        images: ``float32 (n, channels, height, width)`` to calibrate with, as the model takes them.
    """
    import logging

    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            self._images = iter(images)

        def get_next(self):
            image = next(self._images, None)
            return None if image is None else {"pixels": image[None]}

    logging.getLogger().setLevel(logging.ERROR)  # it advises on preprocessing that changes nothing here
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder) / "float32.onnx", pathlib.Path(folder) / "int8.onnx"
        source.write_bytes(model)
        for form in (QuantFormat.QDQ, QuantFormat.QOperator):
            quantize_static(
                source,
                target,
                Reader(),
                quant_format=form,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
            )
            found[form.name] = target.read_bytes()
    return found


def save_alexnet(path):
    """AlexNet of the Caffe variant with random weights, as ``path``."""
    save(onnx_alexnet_caffe(), path)
