"""What a ``.tflite`` of ours says about itself: written here, read by ``keras_classics.recognition.description``."""

from export.contract import RANDOM, TITLES
from export.litert import flatbuffer
from keras_classics import text
from keras_classics.recognition.description import NAME, find, read

__all__ = ["embed", "find", "of", "read", "summary"]


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
    content = flatbuffer.load(model)
    flatbuffer.add_metadata(content, NAME, text.as_json(description).encode())
    content.description = f"{description['network']}, {description['mode']}, by keras-classics"
    return flatbuffer.dump(content)


def summary(description):
    """One line on a description."""
    known = [str(description[key]) for key in ("network", "mode", "input") if description.get(key)]
    return "; ".join([*known, f"{len(description['labels']):,} labels"])
