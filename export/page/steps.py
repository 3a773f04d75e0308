"""A ``.tflite`` of LeNet-5 → the steps that the page computes and one block of weights, as ``network.js`` has them."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export.inputs import networks
from export.litert import flatbuffer, metadata
from export.litert.classifier import INT8_OFFSET
from keras_classics.errors import InputError

NETWORKS = ("lenet5", "lenet5-1998")  # of ``networks.NETWORKS``
_RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
_ACTIVATIONS = {schema.ActivationFunctionType.NONE: "none", schema.ActivationFunctionType.RELU: "relu"}
_MAPS = {"C1": 6, "C3": 16, "F6": 84}  # layers that the page shows, and their maps or units


def read(model, path):
    """What the page is to compute: ``(network, weights)``, a dict that goes into JSON and the bytes it points into.

    Weights of float16 become float32. Files of the mode "dynamic" are computed in float with their 8-bit weights.

    Args:
        model: the bytes of a ``.tflite`` that ``python -m export.tflite`` wrote.
        path: of the file, for messages.

    Raises:
        InputError: the bytes are no such file, another network than LeNet-5, or have an operator the page has not.
    """
    described = metadata.read(model, path)
    known = networks.described_network(described)
    if known not in NETWORKS:
        raise InputError(f"{path} is {described.get('network', 'another network')}; the page is for LeNet-5.")
    try:
        content = flatbuffer.load(model)
        reader = _Reader(content)
        steps = [step for operator in content.subgraphs[0].operators if (step := reader.step(operator))]
        side, pixels = reader.input()
    except _UnknownOperatorError as error:
        raise InputError(f"{path} has {error}; the page computes LeNet-5 with tanh or ReLU.") from error
    except Exception as error:  # a damaged flatbuffer fails anywhere, in any way
        raise InputError(f"{path} is a damaged TFLite model.") from error
    labels = described["labels"]
    last = [step["op"] for step in steps if step["op"] != "convert"][-1:]
    if last != ["softmax"] or steps[-1]["shape"] != [1, 1, len(labels)]:
        raise InputError(f"{path} does not end in one probability for each of its {len(labels)} labels.")
    network = {
        "network": described["network"],
        "mode": str(described.get("mode", "float32")),
        "labels": labels,
        "side": side,
        "offset": INT8_OFFSET if pixels == "int8" else 0,
        "steps": steps,
        "views": _views(steps),
    }
    return network, bytes(reader.block)


class _UnknownOperatorError(Exception):
    """An operator, or a form of one, that ``network.js`` has not."""


class _Reader:
    """The tensors and operators of a flatbuffer, and the block that weights are gathered in."""

    def __init__(self, content):
        self.content, self.graph, self.block = content, content.subgraphs[0], bytearray()
        self.constants = {}  # of tensors that the file computes from constants alone

    def input(self):
        tensor = self.graph.tensors[self.graph.inputs[0]]
        _, height, width, channels = (int(side) for side in tensor.shape)
        if height != width or channels != 1:
            raise _UnknownOperatorError(f"an input of {height}×{width}×{channels}")
        return height, flatbuffer.TYPES[tensor.type].lower()

    def step(self, operator):
        """A dict for the page; None where nothing is computed."""
        name = flatbuffer.kind_of(self.content, operator)
        first, last = operator.inputs[0], operator.outputs[0]
        if name == "DEQUANTIZE" and self._constant(first) is not None:  # weights stored as float16
            self.constants[last] = self._constant(first).astype(np.float32)
            return None
        step = {"op": "", "shape": self._shape(last), "from": self._numbers(first), "to": self._numbers(last)}
        if name in ("CAST", "QUANTIZE", "DEQUANTIZE"):
            return {**step, "op": "convert"}
        if name == "RESHAPE":
            return None
        if name in ("TANH", "RELU", "SOFTMAX"):
            return {**step, "op": name.lower()}
        if name == "AVERAGE_POOL_2D":
            options = self._valid(operator.builtinOptions)
            return {**step, "op": "average", "size": options.filterHeight, "stride": options.strideH}
        if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            options = self._valid(operator.builtinOptions)
            return step | self._weighted(operator) | {"stride": options.strideH, "depthwise": name != "CONV_2D"}
        if name == "FULLY_CONNECTED":
            return step | self._weighted(operator) | {"stride": 1, "depthwise": False}
        raise _UnknownOperatorError(f"the operator {name}")

    def _valid(self, options):
        if options.padding != schema.Padding.VALID or options.strideH != options.strideW:
            raise _UnknownOperatorError("padding")
        return options

    def _weighted(self, operator):
        source, weights, bias = operator.inputs[:3]
        activation = _ACTIVATIONS.get(operator.builtinOptions.fusedActivationFunction)
        if activation is None:
            raise _UnknownOperatorError("an activation within a convolution")
        values, scale = self._constant(weights), flatbuffer.scales(self.graph.tensors[weights])
        kernel = list(values.shape[1:3]) if values.ndim == 4 else [1, 1]
        exact = self._numbers(source) is not None  # in integers
        if not exact and values.dtype == np.int8:  # "dynamic": 8-bit weights, float arithmetic
            axis = self.graph.tensors[weights].quantization.quantizedDimension if len(scale) > 1 else 0
            values = np.moveaxis(np.moveaxis(values, axis, -1) * np.asarray(scale, np.float32), -1, axis)
        return {
            "op": "convolution",  # a matrix product is one of 1×1
            "input": self._shape(source),
            "kernel": kernel,
            "activation": activation,
            "weights": self._stored(values),
            "bias": self._stored(self._constant(bias)),
            "scale": [float(number) for number in scale] if exact else None,
        }

    def _constant(self, index):
        """The values of a constant tensor; None where the tensor is computed."""
        if index in self.constants:
            return self.constants[index]
        return flatbuffer.constant(self.content, self.graph.tensors[index])

    def _stored(self, values):
        if values.dtype == np.int64:  # biases of int16x8; JavaScript's numbers hold them exactly
            values = values.astype(np.float64)
        place = {"type": values.dtype.name, "at": len(self.block), "length": int(values.size)}
        # All first bytes, then all second ones …: signs and exponents side by side take less room when compressed.
        raw = values.ravel().astype(values.dtype.newbyteorder("<")).view(np.uint8).reshape(values.size, -1)
        self.block += raw.T.tobytes()
        return place

    def _numbers(self, index):
        """How integers of a tensor stand for numbers: scale, zero point, least and most; None for floats."""
        tensor = self.graph.tensors[index]
        scale, kind = flatbuffer.scales(tensor), flatbuffer.TYPES[tensor.type].lower()
        if kind not in _RANGES or not len(scale):
            return None
        least, most = _RANGES[kind]
        return {"scale": float(scale[0]), "zero": int(tensor.quantization.zeroPoint[0]), "least": least, "most": most}

    def _shape(self, index):
        """``[height, width, channels]``; of a vector ``[1, 1, units]``."""
        shape = [int(side) for side in self.graph.tensors[index].shape][1:]
        return shape if len(shape) == 3 else [1, 1, int(np.prod(shape))]


def _views(steps):
    """Which step's result shows each layer: ``{"C1": {"step": 1, "phases": 2}, …}``.

    ``phases`` is the side of the window whose positions a convolution computes as so many times more maps
    (``device_model.averages_as_convolutions``).
    """
    views = {}
    for index, step in enumerate(steps):
        height, _, maps = step["shape"]
        if step["op"] not in ("convolution", "tanh", "relu"):
            continue
        for name, phases in (("C1", 1), ("C1", 2), ("C3", 1), ("F6", 1)):
            if maps == _MAPS[name] * phases**2 and height == {"C1": 28 // phases, "C3": 10, "F6": 1}[name]:
                views[name] = {"step": index, "phases": phases, "maps": _MAPS[name]}
    return views
