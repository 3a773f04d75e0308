"""Changes to a finished ``.tflite``: what the converter has no option for."""

import re

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from keras_classics.recognition.structure import TYPES

_LONGEST_NAME = 24  # characters; the converter's run to hundreds and are of no use on a device
_OPERATORS = {number: name for name, number in vars(schema.BuiltinOperator).items() if name.isupper()}
_PARTS = ("input", "weights", "bias")  # of the operators below, in the order of their inputs
_NAMELESS = ("quantize", "dequantize", "reshape", "cast")  # what the converter puts between layers
_WITH_WEIGHTS = ("conv_2d", "depthwise_conv_2d", "fully_connected")
# Beginnings of names that the converter and Keras make up.
_INTERNAL = (
    "functional",
    "StatefulPartitioned",
    "model",
    "sequential",
    "tfl.",
    "arith.",
    "serving_default",
    "quantize",
)


def load(model):
    """``model`` (bytes) as the objects of the schema."""
    from ai_edge_litert.tools import flatbuffer_utils

    return flatbuffer_utils.read_model_from_bytearray(bytearray(model))


def dump(content):
    """The bytes of what ``load`` returned."""
    from ai_edge_litert.tools import flatbuffer_utils

    return bytes(flatbuffer_utils.convert_object_to_bytearray(content))


def operators(model):
    """Operators of ``model`` (bytes) in order of execution, by their names in the TFLite schema."""
    from ai_edge_litert.tools import flatbuffer_utils

    content = load(model)
    return [
        flatbuffer_utils.opcode_to_name(content, operator.opcodeIndex) for operator in content.subgraphs[0].operators
    ]


def outputs_of_layers(model, layers):
    """Names of what the operators of some layers compute, in a ``model`` (bytes) as the converter names it.

    Raises:
        ValueError: there is no operator of one of the layers.
    """
    graph = load(model).subgraphs[0]
    names = [_text(graph.tensors[operator.outputs[0]].name) for operator in graph.operators]
    found = []
    for layer in layers:
        # The path of the operator itself; those merged into it follow a semicolon. Copies of a layer are numbered.
        path = re.compile(rf"([^;]*/)?{re.escape(layer)}(_\d+)*/")
        matching = [name for name in names if path.match(name)]
        if not matching:
            raise ValueError(f"no operator of the layer {layer}")
        found += matching
    return found


def kind_of(content, operator):
    """The name of an operator of what ``load`` returned, as the schema has it; its number where it has none."""
    code = content.operatorCodes[operator.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)  # old files have the second alone
    return _OPERATORS.get(number, str(number))


def add_metadata(content, name, data):
    """Add an entry of ``data`` (bytes) to the metadata of what ``load`` returned."""
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data, entry.name, entry.buffer = data, name, len(content.buffers)
    content.buffers.append(buffer)
    content.metadata = [*(content.metadata or []), entry]


def with_short_names(model):
    """The model with tensors named by their layer and part, each name once, and no record of conversion.

    The converter's names are chains of internal ones. "C1/weights", "C1/bias" and "C1" say what a reader of the file,
    such as Netron, wants to know; the input is called "pixels" and the output "probabilities".
    """
    content = load(model)
    for graph in content.subgraphs:
        _name_tensors(content, graph)
    for entry in content.metadata or []:
        if _text(entry.name) == "CONVERSION_METADATA":
            content.buffers[entry.buffer].data = None
    content.metadata = [entry for entry in content.metadata or [] if _text(entry.name) != "CONVERSION_METADATA"]
    return dump(content)


def _name_tensors(content, graph):
    names, taken = {}, set()

    def give(index, name):
        if index < 0 or index in names:
            return
        number, unique = 2, name
        while unique in taken:
            unique, number = f"{name}_{number}", number + 1
        names[index] = unique
        taken.add(unique)

    for index, name in ((graph.inputs[0], "pixels"), (graph.outputs[0], "probabilities")):
        give(index, name)
    made = {index for operator in graph.operators for index in operator.outputs}
    for operator in graph.operators:
        kind = kind_of(content, operator).lower()
        named = None if kind in _NAMELESS else layer_of(_text(graph.tensors[operator.outputs[0]].name))
        layer = named or kind
        for index in operator.outputs:
            give(index, f"{layer}/{kind}" if layer in taken and layer != kind else layer)
        parts = _PARTS if kind in _WITH_WEIGHTS else ()
        constants = [
            index for index in operator.inputs if index >= 0 and index not in made and index not in graph.inputs
        ]
        for place, index in enumerate(operator.inputs):
            if index in constants:
                give(index, f"{layer}/{parts[place] if place < len(parts) else 'constant'}")
    for index, tensor in enumerate(graph.tensors):
        give(index, "unused")
        tensor.name = names[index]


def layer_of(name):
    """The layer in a converter's name of a tensor, such as "functional_1/C1_1/BiasAdd;…"; None where it names none."""
    parts = [re.sub(r"_\d+$", "", part) for part in name.split(";")[0].split("/")]
    aware = [part.removeprefix("quant_") for part in parts if part.startswith("quant_")]  # from training with rounding
    named = aware or [part for part in parts if part and not part.startswith(_INTERNAL)]
    return named[0][:_LONGEST_NAME] if named else None


def with_softmax(model):
    """A model of float logits with a float softmax after them."""
    content = load(model)
    graph = content.subgraphs[0]
    logits = graph.outputs[0]
    output = schema.TensorT()
    output.name, output.type = "probabilities", schema.TensorType.FLOAT32
    output.shape, output.buffer = list(graph.tensors[logits].shape), 0
    graph.tensors.append(output)
    operator = schema.OperatorT()
    operator.opcodeIndex = _opcode(content, schema.BuiltinOperator.SOFTMAX)
    operator.inputs, operator.outputs = [logits], [len(graph.tensors) - 1]
    operator.builtinOptionsType = schema.BuiltinOptions.SoftmaxOptions
    operator.builtinOptions = schema.SoftmaxOptionsT()
    operator.builtinOptions.beta = 1.0
    graph.operators.append(operator)
    graph.outputs = [len(graph.tensors) - 1]
    for signature in content.signatureDefs or []:
        for entry in signature.outputs:
            entry.tensorIndex = graph.outputs[0]
    return dump(content)


def with_cast(model, dtype):
    """A model of float input with a cast from ``dtype`` ("uint8" or "int8") before it."""
    content = load(model)
    graph = content.subgraphs[0]
    floats = graph.inputs[0]
    pixels = schema.TensorT()
    pixels.name, pixels.type = "pixels", getattr(schema.TensorType, dtype.upper())
    pixels.shape, pixels.buffer = list(graph.tensors[floats].shape), 0
    graph.tensors.append(pixels)
    operator = schema.OperatorT()
    operator.opcodeIndex = _opcode(content, schema.BuiltinOperator.CAST)
    operator.inputs, operator.outputs = [len(graph.tensors) - 1], [floats]
    operator.builtinOptionsType = schema.BuiltinOptions.CastOptions
    operator.builtinOptions = schema.CastOptionsT()
    operator.builtinOptions.inDataType = pixels.type
    operator.builtinOptions.outDataType = schema.TensorType.FLOAT32
    graph.operators.insert(0, operator)
    graph.inputs = [len(graph.tensors) - 1]
    for signature in content.signatureDefs or []:
        for entry in signature.inputs:
            entry.tensorIndex = graph.inputs[0]
    return dump(content)


def with_logits(model):
    """The model with the input of its softmax as a second output; None where it has no softmax."""
    content = load(model)
    graph = content.subgraphs[0]
    softmax = {
        index for index, code in enumerate(content.operatorCodes) if code.builtinCode == schema.BuiltinOperator.SOFTMAX
    }
    inputs = [operator.inputs[0] for operator in graph.operators if operator.opcodeIndex in softmax]
    if not inputs:
        return None
    graph.outputs = [graph.outputs[0], inputs[-1]]
    content.signatureDefs = []
    return dump(content)


def _opcode(content, builtin):
    for index, code in enumerate(content.operatorCodes):
        if code.builtinCode == builtin:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 1
    content.operatorCodes.append(code)
    return len(content.operatorCodes) - 1


def _text(name):
    return name.decode() if isinstance(name, bytes) else name or ""


def tensor_types(model):
    """Names of the types of all tensors that the operators of ``model`` (bytes) read or write."""
    graph = load(model).subgraphs[0]
    used = {index for operator in graph.operators for index in (*operator.inputs, *operator.outputs) if index >= 0}
    return {TYPES[graph.tensors[index].type] for index in used}


def constant(content, tensor):
    """The values of a constant tensor, in its shape; None where the tensor is computed.

    Raises:
        TypeError: its type is none of NumPy's.
    """
    data = content.buffers[tensor.buffer].data
    if data is None:
        return None
    dtype = np.dtype(TYPES[tensor.type].lower()).newbyteorder("<")
    return np.frombuffer(bytes(data), dtype).reshape(tensor.shape)


def scales(tensor):
    """The scales of a quantized tensor, one or one a map; empty where it has none."""
    quantization = tensor.quantization
    return [] if quantization is None or quantization.scale is None else quantization.scale
