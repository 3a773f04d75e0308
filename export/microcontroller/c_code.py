"""From an int8 ``.tflite`` of digits to the texts of its C files, run once on this computer where it has a compiler."""

import dataclasses
import pathlib

import numpy as np

from export.microcontroller import generate, host, layers, plan, project, reference
from keras_classics.errors import InputError

SMALLEST_SIDE = 28  # pixels, of MNIST's digits


@dataclasses.dataclass(frozen=True)
class Request:
    """What is to be made of a model.

    Args:
        path: of the ``.tflite``.
        name: of functions and files.
        side: of the pictures that the C code takes; None: of the model's.
        rounding: "litert" or "tflm".
        smallest: whether weights are stored in the fewest bytes.
        project: one of ``project.PROJECTS``, or None.
    """

    path: pathlib.Path
    name: str = "lenet5"
    side: int | None = None
    rounding: str = "litert"
    smallest: bool = True
    project: str | None = None


def network_of(model, request, shape):
    """The ``generate.Network`` of a model.

    Args:
        model: its bytes.
        request: a ``Request``.
        shape: ``(height, width, channels)`` that it takes.

    Raises:
        InputError: the model has something there is no C for, or pictures of this side do not go with it.
    """
    side = request.side or shape[0]
    if not SMALLEST_SIDE <= side <= shape[0] or (shape[0] - side) % 2:
        sides = f"{SMALLEST_SIDE} to {shape[0]} in steps of 2"
        raise InputError(f"pictures of {side} × {side} do not go with {request.path}; expected a side of {sides}.")
    try:
        return generate.Network(plan.make(layers.read(model, request.rounding), shape, side), request.smallest)
    except InputError as error:
        raise InputError(f"{request.path}: {error}") from error
    except Exception as error:  # tables that hold together and still make no sense
        raise InputError(f"{request.path} is a damaged TFLite model.") from error


def expected(model, rounding, pixels):
    """``uint8 (n, classes)``: what the C code has to answer.

    Raises:
        InputError: "tflm" is asked for and its interpreter is not installed.
    """
    if rounding == "litert":
        return reference.outputs(model, pixels)
    from export.litert.classifier import Classifier, as_input
    from export.microcontroller import interpreter

    found = interpreter.run(model, as_input(pixels, Classifier(model, "the model").dtype)).outputs
    return found if found.dtype == np.uint8 else (found.astype(np.int16) + 128).astype(np.uint8)


def _digits(side, model_side):
    """``(self-test pixels, others, the same as the model takes them)``: one digit a class first, then the rest."""
    from keras_classics import datasets

    test = datasets.load(datasets.EMBEDDED).test
    first = [int(np.flatnonzero(test.labels == label)[0]) for label in range(10)]
    order = np.array([*first, *sorted(set(range(len(test.labels))) - set(first))])

    def padded(to):
        margin = (to - test.images.shape[1]) // 2
        return np.pad(test.images[order], ((0, 0), (margin, margin), (margin, margin), (0, 0)))

    return padded(side), padded(model_side)


def sources(request):
    """``(files, lines, others)``: what is asked for, what there is to say of it, and what its trial run found.

    Returns:
        ``{relative path: text}``; lines on sizes and the trial run; how many of the embedded test digits get other
        answers than the reference kernels give them (0 where there is no compiler to find out with).

    Raises:
        InputError: the model cannot be used.
    """
    from export import micro
    from export.litert import metadata
    from keras_classics.recognition import untrusted

    model = untrusted.read(request.path, reference=True)
    labels, classifier = micro.opened(model, request.path)
    title = str(metadata.read(model, request.path).get("network", "a digit model"))
    network = network_of(model, request, classifier.image_shape)
    side = request.side or classifier.image_shape[0]
    pixels, fields_of_model = _digits(side, classifier.image_shape[0])
    answers = expected(model, request.rounding, fields_of_model)
    fields = generate.fields(
        network,
        **{"name": request.name, "title": title, "labels": labels, "model": model, "model_name": request.path.name},
        **{"rounding": request.rounding, "pixels": pixels[:10], "answers": answers[:10]},
    )
    files = generate.files(fields)
    lines = [
        f"{layer}: {weights:,} weights in {size:,} bytes, {what}" for layer, what, weights, size in network.summary()
    ]
    sizes = network.sizes()
    lines.append(
        f"Flash: {sizes.weights:,} bytes of weights, {sizes.scales:,} of biases and scales, {sizes.tables:,} of "
        f"activations, and the code; static RAM: {network.plan.arena:,} bytes"
    )
    if host.compiler() is None:
        lines.append("No C compiler here: the files were not compiled; the self-test is for the device to run.")
        return project.files(request.project, files, fields), lines, 0
    found = host.outputs(files, request.name, pixels, len(labels))
    others = int((found != answers).any(axis=1).sum())
    lines.append(
        f"Compiled here: {len(pixels) - others:,} of {len(pixels):,} test digits get the answers of "
        f"{generate.ROUNDINGS[request.rounding]}, to the last bit"
    )
    return project.files(request.project, files, fields), lines, others
