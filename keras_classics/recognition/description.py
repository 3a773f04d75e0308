"""What a ``.tflite`` of ours says about itself: labels, input and output, as JSON in the file's own metadata table.

Reading it needs neither TensorFlow nor Keras.
"""

import json

from ai_edge_litert import schema_py_generated as schema

from keras_classics.errors import InputError

NAME = "keras_classics"  # of the entry in the metadata table
_IDENTIFIER = b"TFL3"  # bytes 4–8 of every TFLite file


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
        data = entry(model, NAME)
        if data is None:
            return None
        return parsed(data)
    except Exception as error:  # a damaged flatbuffer fails anywhere, in any way
        raise InputError(f"{path} is a damaged TFLite model.") from error


def parsed(text):
    """A description, as JSON has it.

    Raises:
        ValueError: it is none.
    """
    try:
        content = json.loads(text)
        if not isinstance(content.get("network", ""), str) or not isinstance(content["labels"], list):
            raise ValueError("the network's name is no text, or labels are no list")
        if not all(isinstance(label, str) for label in content["labels"]):
            raise ValueError("labels are no texts")
    except (AttributeError, KeyError, RecursionError) as error:
        raise ValueError("it is no JSON object with labels") from error
    return content


def entry(model, name):
    """The bytes of the entry ``name`` in the metadata table of ``model`` (bytes); None where there is none."""
    content = schema.Model.GetRootAs(model)
    for index in range(content.MetadataLength()):
        found = content.Metadata(index)
        if found.Name() == name.encode():
            return content.Buffers(found.Buffer()).DataAsNumpy().tobytes()
    return None
