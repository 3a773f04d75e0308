"""``python -m export.saved_model``: a trained network as a verified SavedModel, for TensorFlow wherever it runs."""

import pathlib

import numpy as np

from export import interchange
from export.contract import SAVED_MODEL_SUFFIX
from keras_classics import cli
from keras_classics.recognition import description

PROG = "python -m export.saved_model"
_BATCH = 250
_DESCRIPTION = pathlib.Path("assets.extra", "keras_classics.json")


def write(graph, path, about):
    """The Keras model ``graph`` as the SavedModel ``path``, a folder, with its description in ``assets.extra``."""
    graph.export(path, format="tf_saved_model", verbose=False)
    interchange.write_description(path / _DESCRIPTION, about)


def describe(path):
    """The description beside the SavedModel at ``path``; None where there is none."""
    try:
        return description.parsed((path / _DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def run(path, images):
    """Probabilities ``(n, classes)`` of ``uint8`` images by the signature ``serving_default``."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures["serving_default"]
    parts = [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]
    return np.concatenate([next(iter(serve(tf.constant(part)).values())) for part in parts])


FORM = interchange.Form("SavedModel", SAVED_MODEL_SUFFIX, write, describe, run)


def parser():
    return interchange.parser(
        PROG, "Turn a trained network into a SavedModel of raw pixels, and verify it on the whole test split."
    )


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: interchange.export(interchange.request_of(args), FORM), PROG)


if __name__ == "__main__":
    main()
