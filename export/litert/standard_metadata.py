"""TensorFlow's own metadata of a ``.tflite`` (``TFLITE_METADATA``), as Android's and MediaPipe's tools read it.

It says what the pixels and the outputs are, and holds the labels as a file. Its schema is MediaPipe's
``metadata_schema.fbs``; of that, the tables below. The libraries that write it ask for other versions of what
TensorFlow needs (absl, protobuf), so that it is written here, with the flatbuffers library.
"""

import io
import zipfile
import zlib

import flatbuffers
import numpy as np
from flatbuffers.table import Table

from export.litert import flatbuffer
from keras_classics.recognition import description

NAME = "TFLITE_METADATA"
LABELS_FILE = "labels.txt"
_LARGEST_LABELS = 2**20  # bytes
_IDENTIFIER = b"M001"
_SINCE = "1.0.0"  # of the schema: all that is used here is in its first version
_DAY_OF_FILES = (1980, 1, 1, 0, 0, 0)  # so that the same model is the same file on every day
_AXIS_LABELS, _FEATURE, _IMAGE, _NORMALIZATION = 2, 1, 2, 1
_COLOURS = {1: 2, 3: 1}  # channels to ColorSpaceType: grey, RGB
# Fields of each table in the order of the schema; "[T]" are several, "T:union" is preceded by a field of its kind.
_TABLES = {
    "ModelMetadata": {
        **{"name": "string", "description": "string", "version": "string", "subgraph_metadata": "[SubGraphMetadata]"},
        **{"author": "string", "license": "string", "associated_files": "[AssociatedFile]"},
        "min_parser_version": "string",
    },
    "SubGraphMetadata": {
        **{"name": "string", "description": "string", "input_tensor_metadata": "[TensorMetadata]"},
        "output_tensor_metadata": "[TensorMetadata]",
    },
    "TensorMetadata": {
        **{"name": "string", "description": "string", "dimension_names": "[string]", "content": "Content"},
        **{"process_units": "[ProcessUnit]", "stats": "Stats", "associated_files": "[AssociatedFile]"},
    },
    "AssociatedFile": {"name": "string", "description": "string", "type": "byte"},
    "Content": {"content_properties_type": "byte", "content_properties": "ContentProperties"},
    "ContentProperties": {"color_space": "byte"},  # of ImageProperties; FeatureProperties has no fields
    "ProcessUnit": {"options_type": "byte", "options": "NormalizationOptions"},
    "NormalizationOptions": {"mean": "[float]", "std": "[float]"},
    "Stats": {"max": "[float]", "min": "[float]"},
}


def of(model, about):
    """What the metadata of ``model`` (bytes) says, as nested dicts of the schema's fields.

    Args:
        model: takes raw pixels and gives probabilities.
        about: of ``metadata.of``.
    """
    graph = flatbuffer.load(model).subgraphs[0]
    pixels, output = (graph.tensors[indices[0]] for indices in (graph.inputs, graph.outputs))
    channels = int(pixels.shape[-1])
    image = {
        **{"name": "image", "description": about["input"]},
        "content": {"content_properties_type": _IMAGE, "content_properties": {"color_space": _COLOURS[channels]}},
        # Raw pixels: what the network was trained with is inside the file.
        "process_units": [
            {"options_type": _NORMALIZATION, "options": {"mean": [0.0] * channels, "std": [1.0] * channels}}
        ],
        "stats": {"max": [255.0] * channels, "min": [0.0] * channels},
    }
    labels = {"name": LABELS_FILE, "description": "labels, one a line", "type": _AXIS_LABELS}
    probability = {
        **{"name": "probability", "description": about["output"]},
        "content": {"content_properties_type": _FEATURE, "content_properties": {}},
        "stats": {"max": [1.0], "min": [0.0]},
        "associated_files": [labels],
    }
    assert output.shape[-1] == len(about["labels"])
    return {
        **{"name": about["network"], "description": f"{about['network']}, {about['mode']}, by keras-classics"},
        "subgraph_metadata": [{"input_tensor_metadata": [image], "output_tensor_metadata": [probability]}],
        **{"author": "keras-classics", "min_parser_version": _SINCE},
    }


def embed(model, about):
    """``model`` (bytes) with the metadata inside, and the labels as a file packed behind it, as the readers expect."""
    content = flatbuffer.load(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(_written(builder, "ModelMetadata", of(model, about)), _IDENTIFIER)
    flatbuffer.add_metadata(content, NAME, bytes(builder.Output()))
    file = io.BytesIO(flatbuffer.dump(content))
    with zipfile.ZipFile(file, "a") as packed:
        entry = zipfile.ZipInfo(LABELS_FILE, _DAY_OF_FILES)
        packed.writestr(entry, "".join(f"{label}\n" for label in about["labels"]))
    return file.getvalue()


def read(model):
    """``(fields, labels)`` of ``model`` (bytes); None where it has no such metadata, or none that can be read.

    The fields are nested dicts like those of ``of``; the labels are None where the file is not there.
    """
    try:
        data = description.entry(model, NAME)
        if data is None or data[4:8] != _IDENTIFIER:
            return None
        start = flatbuffers.encode.Get(flatbuffers.packer.uoffset, data, 0)
        fields = _read(Table(data, start), "ModelMetadata")
    except Exception:  # a damaged flatbuffer fails anywhere, in any way
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(model)) as packed:
            if packed.getinfo(LABELS_FILE).file_size > _LARGEST_LABELS:
                return fields, None
            return fields, packed.read(LABELS_FILE).decode().splitlines()
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, KeyError, ValueError):
        return fields, None


def summary(found):
    """One line on what ``read`` found."""
    if found is None:
        return f"no {NAME}"
    fields, labels = found
    graph = (fields.get("subgraph_metadata") or [{}])[0]
    parts = [fields.get("name", "no name")]
    for tensor in graph.get("input_tensor_metadata", []):
        colours = {number: {1: "grey", 3: "RGB"}[channels] for channels, number in _COLOURS.items()}
        colour = tensor.get("content", {}).get("content_properties", {}).get("color_space")
        parts.append(f"input {tensor.get('name')}, {colours.get(colour, 'of no colour space')}")
        for unit in tensor.get("process_units", []):
            mean, std = (unit.get("options", {}).get(name) for name in ("mean", "std"))
            parts.append(f"normalized by mean {mean}, std {std}")
    parts += [f"output {tensor.get('name')}" for tensor in graph.get("output_tensor_metadata", [])]
    parts.append("no file of labels" if labels is None else f"{len(labels):,} labels in {LABELS_FILE}")
    return "; ".join(parts)


def _written(builder, kind, values):
    """Write a table of the schema; its offset."""
    fields = _TABLES[kind]
    parts = {name: _part(builder, fields[name], value) for name, value in values.items()}
    builder.StartObject(len(fields))
    for slot, (name, what) in enumerate(fields.items()):
        if name in parts and what == "byte":
            builder.PrependInt8Slot(slot, parts[name], 0)
        elif name in parts:
            builder.PrependUOffsetTRelativeSlot(slot, parts[name], 0)
    return builder.EndObject()


def _part(builder, what, value):
    if what == "byte":
        return value
    if what == "string":
        return builder.CreateString(value)
    if what == "[float]":
        return builder.CreateNumpyVector(np.array(value, np.float32))
    if not what.startswith("["):
        return _written(builder, what, value)
    offsets = [_part(builder, what[1:-1], each) for each in value]
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _read(table, kind):
    """The fields that are there, as a dict."""
    found = {}
    for slot, (name, what) in enumerate(_TABLES[kind].items()):
        offset = table.Offset(4 + 2 * slot)
        if offset:
            found[name] = _value(table, offset, what)
    return found


def _value(table, offset, what):
    if what == "byte":
        return table.Get(flatbuffers.number_types.Int8Flags, table.Pos + offset)
    if what == "string":
        return table.String(table.Pos + offset).decode()
    if not what.startswith("["):
        return _read(Table(table.Bytes, table.Indirect(table.Pos + offset)), what)
    start, count = table.Vector(offset), table.VectorLen(offset)
    if what == "[float]":
        return [table.Get(flatbuffers.number_types.Float32Flags, start + 4 * index) for index in range(count)]
    places = [start + 4 * index for index in range(count)]
    if what == "[string]":
        return [table.String(place).decode() for place in places]
    return [_read(Table(table.Bytes, table.Indirect(place)), what[1:-1]) for place in places]
