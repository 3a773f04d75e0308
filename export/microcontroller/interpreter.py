"""A model in the interpreter of TensorFlow Lite for Microcontrollers, and beside LiteRT's reference kernels."""

import dataclasses
import importlib.util
import pathlib
import re
import subprocess
import tempfile

import numpy as np

from keras_classics import children
from keras_classics.errors import InputError

ONE_STEP = 1  # of the 256 of 8 bits: kernels may round a tie either way
_REPORT = re.compile(r"\[RecordingMicroAllocator\] (.*)")
_TENSORS = re.compile(r"Arena allocation head (\d+) bytes")


@dataclasses.dataclass(frozen=True)
class Run:
    """A model in the microcontroller's interpreter.

    Args:
        outputs: ``(n, classes)`` in the model's own type.
        arena: bytes, the smallest that it works with.
        report: lines of the interpreter's own allocation report.
    """

    outputs: np.ndarray
    arena: int
    report: tuple

    @property
    def tensors(self):
        """Bytes of the arena that hold tensors; the rest are the interpreter's own tables."""
        return next(int(match[1]) for line in self.report if (match := _TENSORS.match(line)))


def run(model, pixels):
    """A ``Run`` of ``model`` in a process of its own.

    Args:
        model: bytes of a TFLite file.
        pixels: ``(n, height, width, channels)`` as the model takes them (``classifier.as_input``), n ≥ 1.

    Raises:
        InputError: ``tflite-micro`` is not installed, or its interpreter refuses the model.
        Stopped: the interpreter crashed.
    """
    check_installed()
    with tempfile.TemporaryDirectory() as name:
        files = [pathlib.Path(name) / each for each in ("model.tflite", "pixels.npy", "result.npz")]
        files[0].write_bytes(model)
        np.save(files[1], pixels)
        command = children.module("export.microcontroller.runner", *files)
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        lines = done.stderr.strip().splitlines()
        children.check_signal(done.returncode, "the interpreter for microcontrollers")
        if done.returncode or not files[2].is_file():
            raise InputError(f"the interpreter for microcontrollers cannot run this model: {_reason(lines)}.")
        with np.load(files[2]) as result:
            report = tuple(match[1] for line in lines if (match := _REPORT.match(line)))
            return Run(result["outputs"], int(result["arena"]), report)


def _reason(lines):
    """The interpreter's own words on what it does not know, else the last line that is not of a traceback."""
    messages = [line.strip() for line in lines if line.strip() and not line.startswith(("Traceback", " "))]
    known = [line for line in messages if "find op" in line or "not supported" in line]
    return (known or messages[-1:] or ["it gives no reason"])[0].rstrip(".")


def check_installed():
    """Refuse to begin without the interpreter for microcontrollers.

    Raises:
        InputError: it is not installed.
    """
    if importlib.util.find_spec("tflite_micro") is None:
        raise InputError(
            "the interpreter for microcontrollers is not installed; pip install 'keras-classics[micro]' brings it."
        )


def run_on_reference(model, pixels):
    """Outputs ``(n, classes)`` of LiteRT's reference kernels, in the model's own type."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    outputs = []
    for image in pixels:
        interpreter.set_tensor(source, image[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(target)[0])
    return np.array(outputs)


def compare(outputs, reference, labels):
    """How two kernels' answers differ.

    Args:
        outputs, reference: integers ``(n, classes)`` of both.
        labels: ``(n,)``.

    Returns:
        A dict: ``images``; ``steps`` by which outputs differ at most; ``apart``, how many images have outputs more
        than ``ONE_STEP`` apart; ``accuracy`` and ``reference_accuracy`` (0–1); ``drop`` between them in percentage
        points.
    """
    steps = np.abs(outputs.astype(int) - reference.astype(int)).max(axis=1)
    accuracy, expected = (float((rows.argmax(axis=1) == labels).mean()) for rows in (outputs, reference))
    return {
        "images": len(labels),
        "steps": int(steps.max()),
        "apart": int((steps > ONE_STEP).sum()),
        "accuracy": accuracy,
        "reference_accuracy": expected,
        "drop": round(100 * (expected - accuracy), 6),
    }
