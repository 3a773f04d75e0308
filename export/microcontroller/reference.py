"""LiteRT's reference kernels: what the C code has to answer, and the tables of its activations."""

import numpy as np

from export.litert import flatbuffer


def outputs(model, pixels):
    """``uint8 (n, classes)``: what the reference kernels answer.

    Args:
        model: bytes of an int8 model; its output is probabilities of 1/256, as uint8 or as int8.
        pixels: ``uint8 (n, height, width, 1)``, 0–255.
    """
    from export.litert.classifier import INT8_OFFSET, as_input
    from export.microcontroller.interpreter import run_on_reference

    dtype = "int8" if _input_type(model) == "INT8" else "uint8"
    found = run_on_reference(model, as_input(pixels, dtype))
    return found if found.dtype == np.uint8 else (found.astype(np.int16) + INT8_OFFSET).astype(np.uint8)


def _input_type(model):
    graph = flatbuffer.load(model).subgraphs[0]
    return flatbuffer.TYPES[graph.tensors[graph.inputs[0]].type]


def table(model, index):
    """What operator ``index`` of ``model`` (bytes) makes of each of 256 values: bytes, by value plus 128, plus 128.

    The operator is run by itself: a table is the reference kernel's own answer, not another's idea of it.
    """
    from export.microcontroller.interpreter import run_on_reference

    content = flatbuffer.load(model)
    graph = content.subgraphs[0]
    operator = graph.operators[index]
    source, target = operator.inputs[0], operator.outputs[0]
    for tensor in (source, target):
        graph.tensors[tensor].shape = [1, 256]
        graph.tensors[tensor].shapeSignature = None
    graph.operators, graph.inputs, graph.outputs = [operator], [source], [target]
    content.signatureDefs, content.metadata = [], []
    values = np.arange(-128, 128, dtype=np.int16).astype(np.int8)
    found = run_on_reference(flatbuffer.dump(content), values[None])[0]
    return (found.astype(np.int16) + 128).astype(np.uint8).tobytes()
