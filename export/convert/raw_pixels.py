"""The scale of an 8-bit input inside the weights of the first convolution: the file takes the pixels themselves."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export.litert import flatbuffer
from keras_classics.errors import InputError


def with_raw_pixels(model):
    """``model`` (bytes) with its input's scale and zero point in the weights of the first layer.

    A model of 8-bit input, ``real = scale · (pixel - zero)``, gives bit for bit the same answers when the input is
    said to be the pixels themselves: the scale goes to that of the weights, and ``zero`` times their sum to the bias.

    Raises:
        InputError: the model does not begin with a convolution that pads nothing.
    """
    content = flatbuffer.load(model)
    graph = content.subgraphs[0]
    names = flatbuffer.operators(model)[:2]
    place = 1 if names[0] == "QUANTIZE" else 0  # from uint8, as it comes, to int8
    first = graph.operators[place]
    if names[place] != "CONV_2D" or first.builtinOptions.padding != schema.Padding.VALID:
        raise InputError(f"raw pixels cannot go into {names[place]}; only into a convolution that pads nothing.")
    pixels, signed = (graph.tensors[index].quantization for index in (graph.inputs[0], first.inputs[0]))
    weights, bias = (graph.tensors[index] for index in first.inputs[1:3])
    kernel = np.asarray(content.buffers[weights.buffer].data).view(np.int8).reshape(weights.shape)
    sums = kernel.astype(np.int32).sum(axis=(1, 2, 3))
    old = np.asarray(content.buffers[bias.buffer].data).view("<i4")
    new = old - (int(signed.zeroPoint[0]) + 128) * sums
    content.buffers[bias.buffer].data = new.astype("<i4").view(np.uint8)
    weights.quantization.scale = np.asarray(weights.quantization.scale, np.float32) * np.float32(signed.scale[0])
    signed.scale, signed.zeroPoint = np.ones(1, np.float32), np.array([-128])
    if place:
        pixels.scale, pixels.zeroPoint = np.ones(1, np.float32), np.array([0])
    return flatbuffer.dump(content)
