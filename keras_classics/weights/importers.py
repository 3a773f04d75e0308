"""Weights from files: Keras' own, PyTorch state dictionaries (``.pth``, ``.pt``) and ONNX graphs (``.onnx``).

PyTorch and ONNX keep a convolution as (output, input, height, width), Keras as (height, width, input, output); where
maps become a vector they go through channels first, Keras through channels last. Layers correspond in order, and shapes
must agree.
"""

import importlib
import pathlib
import warnings

import h5py
import keras
import numpy as np

from keras_classics import torch_first
from keras_classics.weights import compatibility, keras_files

KERAS_ENDINGS = (".weights.h5", ".keras")
ENDINGS = ".weights.h5, .keras, .pth, .pt or .onnx"


def load(model, path):
    """Put the weights of the file at ``path`` into ``model``; a network without its top leaves those of the top.

    Raises:
        ValueError: the file cannot be read, or is not of this network.
        ImportError: the library that reads such a file is not installed.
    """
    if path.name.endswith(KERAS_ENDINGS):
        _check_keras_file(model, path)
        try:
            with warnings.catch_warnings():
                # A network without its top warns of the layers that it leaves in the file.
                warnings.filterwarnings("ignore", message="Skipping nested container")
                model.load_weights(path)
        except Exception as error:  # Keras raises whatever the broken part of the file leads to
            raise ValueError(f"{path} does not hold the weights of this network: {_in_a_line(error)}.") from error
    else:
        check_reader(path.name)
        _assign(model, READERS[path.suffix][1](path, model), path)


def classes_in(weights):
    """How many outputs the network of a file has; None if it is no file, or does not tell."""
    path = pathlib.Path(weights)
    try:
        if path.suffix == ".keras":
            return keras_files.load_model(path).output_shape[-1]
        if path.name.endswith(".weights.h5"):
            keras_files.check(path)
            with h5py.File(path) as content:
                layers = content["layers"]
                # Dense layers are called dense, dense_1, …; 1998's prototypes are no weights.
                dense = [name for name in layers if name.partition("_")[0] == "dense" and len(layers[name]["vars"])]
                last = len(dense) > 1 and max(dense, key=lambda name: int(name.partition("_")[2] or 0))
                return layers[last]["vars"]["1"].shape[0]
        if path.suffix in (".pth", ".pt"):
            return len(_read_torch(path, None)[-1][2])
    except Exception:  # an error follows when the weights are loaded
        return None
    return None


def check_reader(name):
    """Refuse a file whose reader is not installed.

    Raises:
        ImportError: the library that reads such a file is not installed.
    """
    library, _ = READERS["." + name.rsplit(".", 1)[-1]]
    try:
        torch_first.load() if library == "torch" else importlib.import_module(library)
    except ImportError as error:
        raise ImportError(
            f"{name} is read with the package {library}, which is not installed: "
            f"pip install 'keras-classics[{library}]'."
        ) from error


def _check_keras_file(model, path):
    """Refuse a file of another network whose weights Keras would take all the same.

    Raises:
        ValueError: the file is damaged, or is of another network.
    """
    try:
        if path.name.endswith(".keras"):
            difference = compatibility.difference(compatibility.of_layers(keras_files.load_model(path)), model)
        else:
            keras_files.check(path)
            with h5py.File(path) as content:
                groups = {
                    name.split("_")[0]
                    for name, layer in content.get("layers", {}).items()
                    if len(layer.get("vars", ()))
                }
                count = sum(1 for layer in content.get("layers", {}).values() if len(layer.get("vars", ())))
            difference = _other_groups(groups, count, model)
    except Exception as error:  # Keras and HDF5 raise whatever the broken part of the file leads to
        raise ValueError(f"{path} does not hold the weights of this network: {_in_a_line(error)}.") from error
    if difference:
        raise ValueError(f"{path} does not hold the weights of this network: {difference}.")


def _other_groups(kinds, count, model):
    layers = [layer for layer in model.layers if layer.weights]
    if any(isinstance(layer, keras.layers.Dense) for layer in layers):
        return None if count == len(layers) else f"it has {count} layers with weights, this network {len(layers)}"
    others = kinds - {"conv2d", "dense", "trainable", "sparsely"}
    return f"it has layers of the kind {min(others)}" if others else None


def _read_torch(path, model):
    """Pairs ``(name, weight, bias)`` in the order of the modules, from a state dictionary."""
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling fails in any way
        raise ValueError(
            f"{path} cannot be read as a PyTorch state dictionary; torch.save(network.state_dict(), path) makes one."
        ) from error
    if isinstance(content, dict):
        content = next((content[key] for key in ("state_dict", "model_state_dict", "model") if key in content), content)
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and torch.is_tensor(tensor) for name, tensor in content.items()
    ):
        raise ValueError(f"{path} cannot be read as a PyTorch state dictionary: it is not one of names and tensors.")
    whole = [name for name, tensor in content.items() if not tensor.is_floating_point()]
    if whole:
        raise ValueError(f"{path} holds {whole[0]} as {content[whole[0]].dtype}; expected floating-point numbers.")
    try:
        tensors = {name: tensor.detach().to(torch.float32).numpy() for name, tensor in content.items()}
    except Exception as error:  # sparse, quantised or empty of values
        raise ValueError(f"{path} cannot be read as a PyTorch state dictionary: {_in_a_line(error)}.") from error
    layers = [name.removesuffix("weight") for name in tensors if name.endswith("weight")]
    missing = [layer for layer in layers if f"{layer}bias" not in tensors]
    if missing:
        raise ValueError(f"{path} has no bias for {missing[0]}weight; every layer of these networks has one.")
    others = {*tensors} - {f"{layer}{kind}" for layer in layers for kind in ("weight", "bias")}
    if others:
        raise ValueError(f"{path} holds {min(others)}, which is no weight or bias of such a network.")
    return [(f"{layer}weight", tensors[f"{layer}weight"], tensors[f"{layer}bias"]) for layer in layers]


def _loaded_onnx(path):
    """The ONNX model at ``path``, with data that it keeps in other files of its folder, and in no others.

    Raises:
        Exception: protobuf fails in any way; ``ValueError``: it leads out of its folder, or claims more than is there.
    """
    import onnx
    from onnx import external_data_helper

    model, folder = onnx.load(path, load_external_data=False), path.resolve().parent
    for tensor in model.graph.initializer:
        if not external_data_helper.uses_external_data(tensor):
            continue
        said = {entry.key: entry.value for entry in tensor.external_data}
        file = folder / said.get("location", "")
        if file.is_symlink() or file.resolve().parent != folder or not file.is_file():
            raise ValueError(f"{tensor.name} is kept in {said.get('location')!r}, which is no file beside it")
        if int(said.get("offset", 0)) + int(said.get("length", 0)) > file.stat().st_size:
            raise ValueError(f"{tensor.name} claims more than {file.name} holds")
    external_data_helper.load_external_data_for_model(model, str(folder))
    return model


def _read_onnx(path, model):
    """Pairs ``(name, weight, bias)`` of the Conv and Gemm nodes in order of execution, laid out as PyTorch has them."""
    import onnx
    from onnx import numpy_helper

    try:
        graph = _loaded_onnx(path).graph
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        unused = {name for name, values in constants.items() if values.dtype.kind == "f"}
    except Exception as error:  # protobuf and numpy fail in any way
        raise ValueError(f"{path} cannot be read as an ONNX model: {_in_a_line(error)}.") from error

    def attributes_of(node):
        return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}

    difference = compatibility.onnx_difference(graph, attributes_of, model)
    if difference:
        raise ValueError(f"{path} is not this network: {difference}.")
    rows = []
    for node in graph.node:
        if node.op_type not in ("Conv", "Gemm"):
            continue
        if len(node.input) < 3 or not {*node.input[1:]} <= {*constants}:
            raise ValueError(f"{path}: {node.op_type} {node.name or node.output[0]} has no constant weight and bias.")
        attributes = attributes_of(node)
        if attributes.get("alpha", 1.0) != 1.0 or attributes.get("beta", 1.0) != 1.0 or attributes.get("transA", 0):
            raise ValueError(f"{path}: {node.op_type} {node.name or node.output[0]} scales or transposes its inputs.")
        weight, bias = (constants[name] for name in node.input[1:3])
        as_in_torch = node.op_type == "Conv" or attributes.get("transB", 0)
        rows.append((node.input[1], weight if as_in_torch else weight.T, bias))
        unused -= {*node.input}
    if unused:
        raise ValueError(f"{path} holds {min(unused)}, which belongs to no convolution or fully connected layer.")
    return rows


READERS = {".pth": ("torch", _read_torch), ".pt": ("torch", _read_torch), ".onnx": ("onnx", _read_onnx)}


def _assign(model, rows, path):
    layers = [layer for layer in model.layers if layer.weights]
    others = [layer.name for layer in layers if not isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))]
    if others:
        raise ValueError(f"{path}: layer {others[0]} has no counterpart in such files; use one that Keras wrote.")
    with_top = any(isinstance(layer, keras.layers.Dense) for layer in layers)
    if len(rows) < len(layers) or (with_top and len(rows) > len(layers)):
        raise ValueError(f"{path} holds {len(rows)} layers with weights; this network has {len(layers)}.")
    if any(weight.ndim > 2 for _, weight, _ in rows[len(layers) :]):
        raise ValueError(f"{path} holds more convolutions than this network has.")
    names = {layer.name for layer in layers}
    for layer, (name, _, _) in zip(layers, rows, strict=False):
        stored = name.removesuffix(".weight").rsplit(".", 1)[-1]
        if stored in names and stored != layer.name:
            raise ValueError(
                f"{path} has {name} where layer {layer.name} comes; save its layers in the network's order."
            )
    values = []
    maps = None  # that the next dense layer's inputs were flattened from: (height, width, channels)
    for layer, (name, weight, bias) in zip(layers, rows, strict=False):
        if isinstance(layer, keras.layers.Dense) and maps is None:
            maps = _flattened_maps(model)
        values.append(_in_kerass_layout(layer, weight, bias, maps, f"{path}: {name}"))
        if isinstance(layer, keras.layers.Dense):
            maps = ()
    for layer, value in zip(layers, values, strict=True):  # all or nothing
        layer.set_weights(value)


def _flattened_maps(model):
    flatten = next(layer for layer in model.layers if isinstance(layer, keras.layers.Flatten))
    shape = flatten.input.shape[1:]
    return shape if flatten.data_format == "channels_last" else (*shape[1:], shape[0])


def _in_kerass_layout(layer, weight, bias, maps, name):
    *inputs, outputs = layer.kernel.shape
    height, width, channels = inputs if len(inputs) == 3 else maps or (1, 1, *inputs)
    # A layer that covers its whole map may have been kept as either kind.
    shapes = [(outputs, channels, height, width), (outputs, channels * height * width)]
    if weight.shape not in shapes:
        expected = shapes[0] if len(inputs) == 3 else shapes[1]
        raise ValueError(f"{name} has shape {weight.shape}; layer {layer.name} takes {expected}.")
    if bias.shape != (outputs,):
        raise ValueError(f"{name} has a bias of shape {bias.shape}; layer {layer.name} takes {(outputs,)}.")
    if weight.dtype.kind != "f" or not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise ValueError(f"{name} or its bias holds values that are no finite floating-point numbers.")
    kernel = weight.reshape(outputs, channels, height, width).transpose(2, 3, 1, 0)
    return [kernel.reshape(layer.kernel.shape), bias]


def _in_a_line(error):
    return (" ".join(str(error).split()) or type(error).__name__)[:300].rstrip(".")
