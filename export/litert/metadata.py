"""What a ``.tflite`` of ours says about itself: labels, input and output, as JSON in the file's own metadata table.

Reading one needs neither TensorFlow nor Keras.
"""

import json

from ai_edge_litert import schema_py_generated as schema

from export.contract import RANDOM, TITLES
from keras_classics.errors import InputError

NAME = "keras_classics"  # of the entry in the metadata table
_IDENTIFIER = b"TFL3"  # bytes 4–8 of every TFLite file


def of(trained, mode, io, batch=1):
    """What a file of a ``source.Source`` is to say about itself: enough to use it, and to verify it again.

    Args:
        trained: the source.
        mode: how it computes.
        io: type of its input, "uint8", "int8" or "float32".
        batch: images at a time.
    """
    height, width, channels = trained.image_shape
    pixels = {"uint8": "pixels 0 to 255", "int8": "pixels 0 to 255 less 128", "float32": "pixels 0 to 255 as floats"}
    shows = (
        "RGB, the middle square of a picture"
        if trained.network == "alexnet"
        else "0 background to 255 stroke, a 28 × 28 digit in the middle"
    )
    return {
        "network": TITLES[trained.network],
        "variant": trained.variant,
        "mode": mode,
        "io": io,
        "labels": list(trained.labels),
        "input": f"{io}, {batch} × {height} × {width} × {channels}, raw {pixels[io]}: {shows}",
        "output": "probability of each label, in the order of labels",
        **({} if trained.trained else {"weights": RANDOM}),
    }


def embed(model, description):
    """``model`` (bytes of a TFLite file) with ``description`` (a dict) added to its metadata."""
    from ai_edge_litert.tools import flatbuffer_utils

    content = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    buffer = schema.BufferT()
    buffer.data = json.dumps(description, ensure_ascii=False).encode()
    entry = schema.MetadataT()
    entry.name, entry.buffer = NAME, len(content.buffers)
    content.buffers.append(buffer)
    content.metadata = [*(content.metadata or []), entry]
    content.description = f"{description['network']}, {description['mode']}, by keras-classics"
    return bytes(flatbuffer_utils.convert_object_to_bytearray(content))


def read(model, path):
    """The description inside ``model`` (bytes of the file at ``path``).

    Raises:
        InputError: the bytes are no TFLite model, or one without our description.
    """
    description = find(model, path)
    if description is None:
        raise InputError(
            f"{path} does not say what its classes are; export it with python -m export.tflite, which puts that inside."
        )
    return description


def find(model, path):
    """The description inside ``model``; None in a model made by somebody else.

    Raises:
        InputError: the bytes are no TFLite model.
    """
    if model[4:8] != _IDENTIFIER:
        raise InputError(f"{path} is not a TFLite model.")
    try:
        content = schema.Model.GetRootAs(model)
        for index in range(content.MetadataLength()):
            entry = content.Metadata(index)
            if entry.Name() == NAME.encode():
                description = json.loads(content.Buffers(entry.Buffer()).DataAsNumpy().tobytes())
                if not all(isinstance(label, str) for label in description["labels"]):
                    raise TypeError("labels are no strings")
                return description
    except Exception as error:  # a damaged flatbuffer fails anywhere, in any way
        raise InputError(f"{path} is a damaged TFLite model.") from error
    return None
