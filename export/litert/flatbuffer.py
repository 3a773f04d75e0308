"""Changes to a finished ``.tflite``: what the converter has no option for."""

from ai_edge_litert import schema_py_generated as schema

_LONGEST_NAME = 24  # characters; the converter's run to hundreds and are of no use on a device


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


def with_short_names(model):
    """The model with tensors named by their layer instead of a chain of internal names, and no record of conversion."""
    content = load(model)
    for graph in content.subgraphs:
        for tensor in graph.tensors:
            first = _text(tensor.name).split(";")[0]
            parts = [part for part in first.split("/") if not part.startswith(("functional", "StatefulPartitioned"))]
            tensor.name = "/".join(parts)[:_LONGEST_NAME] if parts else "x"
    for entry in content.metadata or []:
        if _text(entry.name) == "CONVERSION_METADATA":
            content.buffers[entry.buffer].data = None
    content.metadata = [entry for entry in content.metadata or [] if _text(entry.name) != "CONVERSION_METADATA"]
    return dump(content)


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
    names = {value: name for name, value in vars(schema.TensorType).items() if name.isupper()}
    graph = load(model).subgraphs[0]
    used = {index for operator in graph.operators for index in (*operator.inputs, *operator.outputs) if index >= 0}
    return {names[graph.tensors[index].type] for index in used}
