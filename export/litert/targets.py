"""Which operators the devices know that a file is made for."""

import dataclasses

from ai_edge_litert import schema_py_generated as schema

from export.litert import flatbuffer

# Operators of the all-operators resolver of TensorFlow Lite for Microcontrollers.
_MICRO = """
ABS ADD ADD_N ARG_MAX ARG_MIN AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST
CEIL CONCATENATION CONV_2D COS CUMSUM DEPTH_TO_SPACE DEPTHWISE_CONV_2D DEQUANTIZE DIV ELU EMBEDDING_LOOKUP EQUAL EXP
EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF
L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG LOG_SOFTMAX LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC
MAX_POOL_2D MAXIMUM MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_MAX
RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX
SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH
TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
"""

# Operators that the Edge TPU's compiler takes, as its documentation lists them; accelerators of 8-bit integers differ
# little.
_INTEGER = """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D EXPAND_DIMS FULLY_CONNECTED L2_NORMALIZATION LOGISTIC
MAX_POOL_2D MAXIMUM MEAN MINIMUM MUL PACK PAD PRELU QUANTIZE REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_N1_TO_1 RESHAPE
RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SQUARED_DIFFERENCE SQUEEZE
STRIDED_SLICE SUB SUM TANH TRANSPOSE TRANSPOSE_CONV
"""

# On a phone: everything that LiteRT has built in, but for what its interpreter cannot run without more libraries.
_ELSEWHERE = {"CUSTOM", "DELEGATE"}
_BUILTIN = {name for name in vars(schema.BuiltinOperator) if name.isupper()} - _ELSEWHERE

_INTEGER_TYPES = {"INT8", "UINT8", "INT32"}  # INT32: biases, shapes


@dataclasses.dataclass(frozen=True)
class Target:
    """A kind of device.

    Args:
        name: display name.
        operators: that it has.
        integers_only: whether tensors must be integers of 8 bits.
        hybrid: whether it multiplies float values with weights of 8 or 16 bits ("dynamic", "float16").
    """

    name: str
    operators: frozenset
    integers_only: bool = False
    hybrid: bool = True


TARGETS = {
    "mobile": Target("mobile", frozenset(_BUILTIN)),
    "micro": Target("micro", frozenset(_MICRO.split()), hybrid=False),
    "int8-only": Target("int8-only", frozenset(_INTEGER.split()), integers_only=True, hybrid=False),
}


def violations(model, target):
    """Sentences on why ``model`` (bytes) does not run on ``target``, one of ``TARGETS``; empty if it runs."""
    found = []
    unknown = sorted(set(flatbuffer.operators(model)) - target.operators)
    if unknown:
        found.append(f"{', '.join(unknown)} not among the operators of the target {target.name}")
    if target.integers_only:
        others = sorted(flatbuffer.tensor_types(model) - _INTEGER_TYPES)
        if others:
            found.append(f"tensors of {', '.join(others)}, where the target {target.name} has integers of 8 bits")
    if not target.hybrid and _is_hybrid(model):
        found.append(f"float values with weights of 8 or 16 bits, which the target {target.name} does not multiply")
    return found


def _is_hybrid(model):
    graph = flatbuffer.load(model).subgraphs[0]
    float32, narrow = schema.TensorType.FLOAT32, {schema.TensorType.INT8, schema.TensorType.FLOAT16}
    for operator in graph.operators:
        types = [graph.tensors[index].type for index in operator.inputs if index >= 0]
        if types[:1] == [schema.TensorType.FLOAT16] or (types[:1] == [float32] and narrow & set(types[1:])):
            return True
    return False
