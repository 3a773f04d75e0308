"""``python -m export.onnx``: a trained network as a verified ONNX model, for ONNX Runtime and whatever reads ONNX."""

import importlib.util
import json

import numpy as np

from export import arguments, interchange
from keras_classics import cli
from keras_classics.errors import InputError

PROG = "python -m export.onnx"
_BATCH = 250


def write(graph, path, description):
    """The Keras model ``graph`` as the ONNX file ``path``, with its description in the model's properties."""
    import onnx

    graph.export(path, format="onnx", verbose=False)
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"keras_classics": json.dumps(description, ensure_ascii=False)})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def run(path, images):
    """Probabilities ``(n, classes)`` of ``uint8`` images by ONNX Runtime, or where it is absent by ONNX' reference."""
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


def has_runtime():
    return importlib.util.find_spec("onnxruntime") is not None


def check_installed():
    """Refuse to begin without the converter.

    Raises:
        InputError: it is not installed.
    """
    for library in ("onnx", "tf2onnx"):
        if importlib.util.find_spec(library) is None:
            raise InputError(f"{library} is not installed; pip install 'keras-classics[onnx]' brings it.")


def parser():
    return interchange.parser(
        PROG, "Turn a trained network into an ONNX model of raw pixels, and verify it on the whole test split."
    )


def export(args):
    arguments.check(args, args.network)
    check_installed()
    return interchange.export(args, "ONNX", ".onnx", write, run)


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: export(args), PROG)


if __name__ == "__main__":
    main()
