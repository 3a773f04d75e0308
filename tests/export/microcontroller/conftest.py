"""8-bit digit models of several kinds, made once."""

import functools
import types

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from export.convert import quantize
from export.litert import flatbuffer, metadata
from export.microcontroller import c_code
from keras_classics import LeNet5, datasets, lenet

ABOUT = {"network": "LeNet-5", "mode": "int8", "labels": list("0123456789")}
KINDS = ("tanh", "relu", "1998", "sparse")


def with_few_weights(model):
    """``model`` with layers of few different weights: 16, most of them 0, then 4, then 2."""
    content = flatbuffer.load(model)
    graph = content.subgraphs[0]
    shapes = {(16, 5, 5, 6): 85, (120, 400): 32, (84, 120): 64, (10, 84): 128}
    for tensor in graph.tensors:
        step = shapes.get(tuple(tensor.shape))
        if step:
            values = np.frombuffer(bytes(content.buffers[tensor.buffer].data), np.int8).astype(int)
            few = np.clip((values + (step // 2 if step < 100 else 0)) // step * step, -127, 127)
            content.buffers[tensor.buffer].data = few.astype(np.int8).tobytes()
    return flatbuffer.dump(content)


def changed(model, change):
    """``model`` after ``change(operator, name, content)`` of each of its operators."""
    content = flatbuffer.load(model)
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if name.isupper()}
    for operator in content.subgraphs[0].operators:
        change(operator, names[content.operatorCodes[operator.opcodeIndex].builtinCode], content)
    return flatbuffer.dump(content)


@pytest.fixture(scope="session")
def int8_models(embedded, tmp_path_factory):
    """``int8_models(kind)``: a model's ``path`` and ``bytes``; a kind is one of ``KINDS``."""
    folder, made = tmp_path_factory.mktemp("int8"), {}
    images = datasets.stratified(embedded.train, 200, 0)[0].images

    def convert(kind):
        if kind == "sparse":
            return with_few_weights(model("relu").bytes)
        options = {"variant": "1998"} if kind == "1998" else {"activation": kind}
        forms = quantize.best_forms("int8", "mobile" if kind == "1998" else "micro")
        dtype = "int8" if kind == "relu" else "uint8"
        network = LeNet5(weights="mnist", **options)
        return metadata.embed(
            quantize.convert(network, lenet.PREPROCESSING, "int8", images, dtype=dtype, forms=forms), ABOUT
        )

    def model(kind):
        if kind not in made:
            content = convert(kind)
            (folder / f"{kind}.tflite").write_bytes(content)
            made[kind] = types.SimpleNamespace(path=folder / f"{kind}.tflite", bytes=content)
        return made[kind]

    return model


def in_folder(files, folder):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def foreign(model):
    content = flatbuffer.load(model)
    content.metadata = []
    return flatbuffer.dump(content)


@pytest.fixture(scope="session")
def code(int8_models):
    """``code(kind, …)``: the files of a model, with the arguments of ``c_code.Request``."""

    @functools.cache
    def files(kind, **options):
        return c_code.sources(c_code.Request(int8_models(kind).path, **options))[0]

    return files
