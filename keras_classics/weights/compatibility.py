"""What a network is besides its weights: files that record it are compared with the network they are loaded into."""

import keras

from keras_classics.layers import LocalResponseNormalization

# What weights of a layer depend on; names, initialisers, precision and dropout do not matter.
_FIELDS = (
    *("filters", "units", "kernel_size", "strides", "padding", "groups", "pool_size", "size", "connections"),
    *("depth_radius", "bias", "alpha", "beta", "prototypes"),
)
# Before and between the layers that compute; the output's activation may be another one.
_PASSED_OVER = ("InputLayer", "Normalization", "Activation", "Dropout", "GlobalAveragePooling2D", "GlobalMaxPooling2D")

_OPERATORS = {
    "LocalResponseNormalization": "LRN",
    "MaxPooling2D": "MaxPool",
    "AveragePooling2D": "AveragePool",
    "AdaptiveAveragePooling2D": "GlobalAveragePool",
}
# Of ONNX: they compute layers with weights, move values about in the order they have, or make outputs of logits.
_NEUTRAL = {"Conv", "Gemm", "Pad", "Flatten", "Reshape", "Shape", "Gather", "Unsqueeze", "Concat", "Constant"}
_NEUTRAL |= {"Identity", "Dropout", "Softmax", "LogSoftmax"}


def of_layers(model):
    """One ``(class, fields)`` for each layer that decides what the weights mean."""
    rows = []
    for layer in model.layers:
        kind = type(layer).__name__
        config = layer.get_config()
        if kind in _PASSED_OVER or (kind == "Rescaling" and config["scale"] == -1.0):  # distances to likelihoods
            continue
        fields = {name: config[name] for name in _FIELDS if name in config and not isinstance(config[name], dict)}
        if layer.weights:
            fields["activation"] = _activation(layer)
        rows.append((kind, fields))
    return rows


def difference(found, model):
    """A sentence on how ``found`` (of ``of_layers``, of a file) differs from ``model``; None where it does not.

    A network without its top may be given the whole one.
    """
    expected = of_layers(model)
    with_top = any(kind == "Dense" for kind, _ in expected)
    if with_top and len(found) != len(expected):
        return f"it has {len(found)} layers where this network has {len(expected)}"
    for (kind, fields), (expected_kind, expected_fields) in zip(found, expected, strict=False):
        if kind != expected_kind:
            return f"it has a {kind} where this network has a {expected_kind}"
        for name, value in expected_fields.items():
            if fields.get(name) != value:
                return f"its {kind} has {name} {fields.get(name)} where this network has {value}"
    return None


def onnx_difference(graph, attributes_of, model):
    """A sentence on what the nodes of an ONNX graph do that ``model`` does not; None where nothing was found.

    Padding and the order of nodes are not compared.
    """
    nodes = [(node.op_type, attributes_of(node)) for node in graph.node]
    layers = model.layers
    has = {type(layer).__name__ for layer in layers}
    allowed = {_activation(layer).capitalize() for layer in layers if layer.weights} | _NEUTRAL
    allowed |= {operator for kind, operator in _OPERATORS.items() if kind in has}
    normalizations = [layer for layer in layers if isinstance(layer, LocalResponseNormalization)]
    for kind, attributes in nodes:
        # What PyTorch writes for adaptive pooling of maps that have the size already.
        nothing = kind == "AveragePool" and attributes["kernel_shape"] == [1, 1]
        if kind not in allowed and not nothing:
            return f"it has the operator {kind}, which this network has not"
        if kind == "LRN":
            ours = normalizations[0]
            size = 2 * ours.depth_radius + 1
            expected = {"size": size, "alpha": ours.alpha * size, "beta": ours.beta, "bias": ours.bias}
            for name, default in (("size", 0), ("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0)):
                if abs(attributes.get(name, default) - expected[name]) > 1e-5 * expected[name]:
                    return f"its LRN has {name} {attributes.get(name, default):g}, this network's {expected[name]:g}"
    if normalizations and not any(kind == "LRN" for kind, _ in nodes):
        return "it has no LRN, which this network has"
    convolutions = [layer for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    for layer, attributes in zip(convolutions, (each for kind, each in nodes if kind == "Conv"), strict=False):
        for name, default, value in (("group", 1, layer.groups), ("strides", [1, 1], list(layer.strides))):
            if attributes.get(name, default) != value:
                return f"its convolution for {layer.name} has {name} {attributes.get(name, default)}, ours {value}"
    return None


def _activation(layer):
    """Name of the function that a layer ends in; "linear" where it has none."""
    return getattr(getattr(layer, "activation", None), "__name__", "linear")
