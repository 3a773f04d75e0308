"""An int8 digit model of ours, as a chain of layers with their numbers, read from the ``.tflite`` itself.

Values are counted from 0 to 255 here (those of int8 plus 128), which is how the C code keeps them.
"""

import dataclasses
import re

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export.litert import flatbuffer
from export.microcontroller import fixed_point, reference
from keras_classics.errors import InputError

OFFSET = 128  # from int8 to what is kept in memory
_TABLES = {"TANH", "LOGISTIC", "RELU", "RELU6", "RELU_N1_TO_1", "HARD_SWISH", "LEAKY_RELU", "ELU", "QUANTIZE"}
_CLAMPS = {"NONE": (None, None), "RELU": (0.0, None), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}
_POOLS = {"AVERAGE_POOL_2D": "average", "MAX_POOL_2D": "maximum"}
_SAFE = 2**31 - 1  # what a sum of 32 bits may reach


@dataclasses.dataclass(frozen=True)
class Multiply:
    """A convolution, a fully connected layer, or a convolution of each map with itself (``depthwise``).

    Args:
        name: of the layer, a C identifier.
        kernel: int8 ``(maps, height, width, channels)``; depthwise ``(height, width, maps)``.
        bias: ``(maps,)``, the zero point of the input included: ``bias + kernel · values`` is the sum.
        multipliers: ``((multiplier, shift), …)``, one a map or one for all: the factor from sums to outputs.
        zero, lowest, highest: of the output.
        stride: in both directions.
        once: whether the product of sum and multiplier is rounded once, not twice.
        table: bytes, the activation of each of 256 outputs; None: none.
        depthwise: see above.
        full: whether it is a fully connected layer: ``(maps, 1, 1, values)``.
    """

    name: str
    kernel: np.ndarray
    bias: np.ndarray
    multipliers: tuple
    zero: int
    lowest: int
    highest: int
    stride: int = 1
    once: bool = False
    table: bytes | None = None
    depthwise: bool = False
    full: bool = False

    @property
    def maps(self):
        return len(self.bias)

    @property
    def window(self):
        return self.kernel.shape[:2] if self.depthwise else self.kernel.shape[1:3]


@dataclasses.dataclass(frozen=True)
class Pool:
    """The average or the maximum of ``size`` × ``size`` values, ``size`` apart."""

    name: str
    kind: str
    size: int
    lowest: int
    highest: int

    @property
    def window(self):
        return self.size, self.size


class Flatten:
    """From maps to a vector; nothing moves."""


def read(model, rounding="litert"):
    """The layers of ``model`` (bytes), in order; the last is a ``Softmax``.

    Args:
        model: an int8 model of digits that LiteRT runs.
        rounding: of fully connected layers: as "litert"'s reference kernels do it, or "tflm"'s.

    Raises:
        InputError: there is an operator, or a form of one, that there is no C for.
    """
    content = flatbuffer.load(model)
    graph, found = content.subgraphs[0], []
    value = graph.inputs[0]
    for index, operator in enumerate(graph.operators):
        kind = flatbuffer.kind_of(content, operator)
        if operator.inputs[0] != value or len(operator.outputs) != 1:
            raise InputError(f"the operator {kind} does not follow the one before it; only chains become C.")
        value = operator.outputs[0]
        reader = _Reader(model, content, index, operator, kind, rounding)
        step = reader.step(found)
        if step is not None:
            found.append(step)
    if not (found and isinstance(found[-1], fixed_point.Softmax)) or value != graph.outputs[0]:
        raise InputError("the model does not end in a softmax.")
    return found


@dataclasses.dataclass(frozen=True)
class _Reader:
    """One operator of a model, and how it becomes a layer."""

    model: bytes
    content: object
    index: int
    operator: object
    kind: str
    rounding: str

    def step(self, found):
        """The layer; None for what changes nothing. An activation goes into the layer before it, in ``found``."""
        if self.kind == "RESHAPE":
            return Flatten()
        if self.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            return self._multiply()
        if self.kind in _POOLS:
            return self._pool()
        if self.kind == "SOFTMAX":
            return self._softmax()
        if self.kind == "QUANTIZE" and self._types() != ("INT8", "INT8"):
            return self._check_bytes()
        if self.kind in _TABLES and found and isinstance(found[-1], Multiply):
            table = reference.table(self.model, self.index)
            earlier = found[-1].table
            found[-1] = dataclasses.replace(found[-1], table=table if earlier is None else earlier.translate(table))
            return None
        raise InputError(f"there is no C for the operator {self.kind} in this place; the model stays as it is.")

    def _tensor(self, index):
        return self.content.subgraphs[0].tensors[index]

    def _types(self):
        places = self.operator.inputs[0], self.operator.outputs[0]
        return tuple(flatbuffer.TYPES[self._tensor(index).type] for index in places)

    def _scale(self, index):
        """``(scale, zero point)`` of a tensor of values, of which it has one."""
        scales = flatbuffer.scales(self._tensor(index))
        if len(scales) != 1:
            raise InputError(f"a value around the operator {self.kind} is not of 8 bits with one scale.")
        return np.float32(scales[0]), int(self._tensor(index).quantization.zeroPoint[0])

    def _check_bytes(self):
        """Pixels, or probabilities, from uint8 to int8 or back: the same numbers, 128 apart."""
        (scale, zero), (other, other_zero) = (
            self._scale(i) for i in (self.operator.inputs[0], self.operator.outputs[0])
        )
        if set(self._types()) != {"INT8", "UINT8"} or scale != other or abs(zero - other_zero) != OFFSET:
            raise InputError("the model rescales its input or output; raw pixels and probabilities of 1/256 have C.")

    def _constant(self, position, dtype):
        index = self.operator.inputs[position] if position < len(self.operator.inputs) else -1
        if index < 0:
            return None
        tensor, name = self._tensor(index), np.dtype(dtype).name
        right = flatbuffer.TYPES[tensor.type] == name.upper()
        values = flatbuffer.constant(self.content, tensor) if right else None
        if values is None:
            raise InputError(f"the weights of the operator {self.kind} are not constants of {name}.")
        return values

    def _multiply(self):
        options, (in_scale, in_zero) = self.operator.builtinOptions, self._scale(self.operator.inputs[0])
        out_scale, out_zero = self._scale(self.operator.outputs[0])
        kernel, depthwise = self._constant(1, np.int8), self.kind == "DEPTHWISE_CONV_2D"
        scales = self._tensor(self.operator.inputs[1]).quantization.scale
        if any(self._tensor(self.operator.inputs[1]).quantization.zeroPoint):
            raise InputError(f"the weights of the operator {self.kind} have a zero point; only symmetric ones have C.")
        full = self.kind == "FULLY_CONNECTED"
        if full:
            kernel = kernel[:, None, None, :]
        else:
            self._check_window(options, kernel.shape[1:3])
        kernel = kernel[0] if depthwise else kernel
        maps = kernel.shape[-1] if depthwise else kernel.shape[0]
        if not (full or depthwise) and kernel.shape[3] != self._tensor(self.operator.inputs[0]).shape[3]:
            raise InputError("a convolution in groups has no C.")
        bias = self._constant(2, np.int32)
        weights = kernel.reshape(-1, maps).T if depthwise else kernel.reshape(maps, -1)
        bias = (np.zeros(maps) if bias is None else bias) - (in_zero + OFFSET) * weights.sum(axis=1, dtype=np.int64)
        lowest, highest = self._clamp(options.fusedActivationFunction, out_scale, out_zero)
        layer = Multiply(
            **{"name": self._name(), "kernel": kernel, "bias": bias.astype(np.int64)},
            multipliers=fixed_point.multipliers(in_scale, np.array(scales, np.float32), out_scale),
            **{"zero": out_zero + OFFSET, "lowest": lowest, "highest": highest, "depthwise": depthwise},
            stride=1 if full else options.strideH,
            full=full,
            once=full and self.rounding == "litert",
        )
        _check_sums(layer, weights)
        return layer

    def _pool(self):
        options = self.operator.builtinOptions
        size = options.filterHeight
        if {options.filterWidth, options.strideH, options.strideW} != {size}:
            raise InputError(f"a window of {self.kind} that is no square, or overlaps the next, has no C.")
        self._check_window(options, (size, size))
        scale, zero = self._scale(self.operator.outputs[0])
        if self._scale(self.operator.inputs[0]) != (scale, zero):
            raise InputError(f"an operator {self.kind} that rescales has no C.")
        lowest, highest = self._clamp(options.fusedActivationFunction, scale, zero)
        return Pool(self._name(), _POOLS[self.kind], size, lowest, highest)

    def _softmax(self):
        scale, _ = self._scale(self.operator.inputs[0])
        if self._types() != ("INT8", "INT8") or self._scale(self.operator.outputs[0]) != (np.float32(1 / 256), -128):
            raise InputError("a softmax that is not of int8, or does not give probabilities of 1/256, has no C.")
        return fixed_point.softmax(float(scale), float(self.operator.builtinOptions.beta))

    def _check_window(self, options, window):
        """Nothing around the map, and steps of one kind."""
        inside = self._tensor(self.operator.inputs[0]).shape[1:3]
        if options.strideH != options.strideW:
            raise InputError(f"an operator {self.kind} with two strides has no C.")
        if {getattr(options, f"dilation{side}Factor", 1) for side in "HW"} != {1}:
            raise InputError(f"an operator {self.kind} with dilation has no C.")
        if getattr(options, "depthMultiplier", 1) != 1:
            raise InputError(f"an operator {self.kind} that makes several maps of one has no C.")
        outside = [
            (-(-side // options.strideH) - 1) * options.strideH + across - side
            for side, across in zip(inside, window, strict=True)
        ]
        if options.padding == schema.Padding.SAME and max(outside) > 0:
            raise InputError(f"an operator {self.kind} with padding has no C.")

    def _clamp(self, activation, scale, zero):
        names = {number: name for name, number in vars(schema.ActivationFunctionType).items() if name.isupper()}
        if names[activation] not in _CLAMPS:
            raise InputError(f"an operator {self.kind} with the activation {names[activation]} has no C.")
        least, most = _CLAMPS[names[activation]]
        low = 0 if least is None else max(0, zero + OFFSET + fixed_point.rounded(np.float32(least) / scale))
        high = 255 if most is None else min(255, zero + OFFSET + fixed_point.rounded(np.float32(most) / scale))
        return low, high

    def _name(self):
        text = self._tensor(self.operator.outputs[0]).name
        name = flatbuffer.layer_of(text.decode() if isinstance(text, bytes) else text or "") or ""
        name = re.sub(r"\W", "_", name, flags=re.ASCII)
        return name if re.match(r"[A-Za-z]", name) else f"layer_{self.index}"


def _check_sums(layer, weights):
    """Refuse sums that 32 bits might not hold, in whatever order and for whatever pixels."""
    largest = np.abs(layer.bias) + 255 * np.abs(weights.astype(np.int64)).sum(axis=1)
    left = max(0, *(shift for _, shift in layer.multipliers))
    if int(largest.max()) << left > _SAFE or left > 30:
        raise InputError(f"the sums of layer {layer.name} do not fit into 32 bits.")
