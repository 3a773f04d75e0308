"""``python -m export.onnx``: a trained network as a verified ONNX model, for ONNX Runtime and whatever reads ONNX."""

import contextlib
import importlib.util
import io

import numpy as np

from export import interchange
from export.contract import ONNX_SUFFIX
from keras_classics import cli, text
from keras_classics.errors import InputError
from keras_classics.recognition import description

PROG = "python -m export.onnx"
_BATCH = 250


def write(graph, path, about):
    """The Keras model ``graph`` as the ONNX file ``path``, with what is ``about`` it in the model's properties."""
    import onnx

    graph.export(path, format="onnx", verbose=False)
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"keras_classics": text.as_json(about)})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def run(path, images):
    """Probabilities ``(n, classes)`` of ``uint8`` images by ONNX Runtime, or where it is absent by ONNX' reference.

    Raises:
        InputError: the file cannot be run.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # ONNX Runtime prints what it raises
            return _run(path, images)
    except Exception as error:  # either raises what the damaged part leads to
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(".")
        raise InputError(f"{path} cannot be run: {reason}.") from error


def _run(path, images):
    if has_runtime():
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        name, call = session.get_inputs()[0].name, session.run
    else:
        from onnx.reference import ReferenceEvaluator

        evaluator = ReferenceEvaluator(str(path))
        name, call = evaluator.input_names[0], evaluator.run
    parts = [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]
    return np.concatenate([call(None, {name: part})[0] for part in parts])


def describe(path):
    """The description in the properties of the ONNX model at ``path``; None where there is none.

    Raises:
        InputError: it is no ONNX model, or the library that reads one is not installed.
    """
    check_installed("onnx")
    import onnx

    try:
        properties = onnx.load(path, load_external_data=False).metadata_props
        texts = [entry.value for entry in properties if entry.key == "keras_classics"]
        return description.parsed(texts[0]) if texts else None
    except Exception as error:  # protobuf fails in any way
        raise InputError(f"{path} is not an ONNX model, or a damaged one.") from error


def has_runtime():
    return importlib.util.find_spec("onnxruntime") is not None


def check_installed(*libraries):
    """Refuse to begin without ``libraries`` (default: those that convert).

    Raises:
        InputError: one is not installed.
    """
    for library in libraries or ("onnx", "tf2onnx"):
        if importlib.util.find_spec(library) is None:
            raise InputError(f"{library} is not installed; pip install 'keras-classics[onnx]' brings it.")


FORM = interchange.Form("ONNX", ONNX_SUFFIX, write, describe, run)


def parser():
    return interchange.parser(
        PROG, "Turn a trained network into an ONNX model of raw pixels, and verify it on the whole test split."
    )


def export(request):
    check_installed()
    return interchange.export(request, FORM)


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: export(interchange.request_of(args)), PROG)


if __name__ == "__main__":
    main()
