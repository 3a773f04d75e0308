"""``python -m export.c``: an int8 digit model as plain C that answers as LiteRT does, to the last bit."""

import argparse
import contextlib
import dataclasses
import pathlib
import re

from export.microcontroller.project import PROJECTS
from keras_classics import cli
from keras_classics.errors import InputError

PROG = "python -m export.c"
REJECTED = 1  # exit code of C that answers otherwise than the model
_SMALLEST_SIDE = 28  # pixels, of MNIST's digits
_ROUNDINGS = ("litert", "tflm")
_STORAGE = ("smallest", "plain")
# Words of C99 and C++ that no function begins with, and files that a project has already.
_TAKEN = {"main", "board", "semihosting", "int", "short", "long", "double", "float", "char", "void", "auto", "static"}


def _identifier(text):
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,30}", text) and text.lower() not in _TAKEN:
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is not a name for C functions and files, such as lenet5")


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


def parser():
    parser = cli.Parser(
        prog=PROG,
        description="Write an int8 TFLite model of digits as C99: integers only, no heap, one static arena, answers "
        "equal to the last bit to those of the reference kernels, with a self-test of ten digits.",
        epilog="Exit codes: 0 written; 1 the C code, run here, answers otherwise, and nothing was written; 2 something "
        "given cannot be used.",
    )
    parser.add_argument("model", metavar="FILE.tflite", help="of python -m export.tflite --mode int8 --target micro")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder to write to")
    parser.add_argument(
        "--name", default="lenet5", type=_identifier, help="of functions and files (default: %(default)s)"
    )
    parser.add_argument(
        "--side",
        type=cli.positive_int,
        metavar="PIXELS",
        help="of the pictures that the function takes: 28 for MNIST's, with the margin left out (default: the model's)",
    )
    parser.add_argument(
        "--rounding",
        default="litert",
        choices=_ROUNDINGS,
        help="of fully connected layers: litert rounds once, tflm (TensorFlow Lite for Microcontrollers) twice "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--storage",
        default="smallest",
        choices=_STORAGE,
        help="of weights: each layer in the fewest bytes, or one byte a weight (default: %(default)s)",
    )
    parser.add_argument("--project", choices=PROJECTS, help="write a folder that builds, instead of the files alone")
    return parser


def network_of(model, request, shape):
    """The ``generate.Network`` of a model.

    Args:
        model: its bytes.
        request: a ``Request``.
        shape: ``(height, width, channels)`` that it takes.

    Raises:
        InputError: the model has something there is no C for, or pictures of this side do not go with it.
    """
    from export.microcontroller import generate, layers, plan

    side = request.side or shape[0]
    if not _SMALLEST_SIDE <= side <= shape[0] or (shape[0] - side) % 2:
        sides = f"{_SMALLEST_SIDE} to {shape[0]} in steps of 2"
        raise InputError(f"pictures of {side} × {side} do not go with {request.path}; expected a side of {sides}.")
    try:
        return generate.Network(plan.make(layers.read(model, request.rounding), shape, side), request.smallest)
    except InputError as error:
        raise InputError(f"{request.path}: {error}") from error


def expected(model, rounding, pixels):
    """``uint8 (n, classes)``: what the C code has to answer.

    Raises:
        InputError: "tflm" is asked for and its interpreter is not installed.
    """
    import numpy as np

    from export.microcontroller import reference

    if rounding == "litert":
        return reference.outputs(model, pixels)
    from export import micro_interpreter
    from export.classifier import Classifier, as_input

    found = micro_interpreter.run(model, as_input(pixels, Classifier(model, "the model").dtype)).outputs
    return found if found.dtype == np.uint8 else (found.astype(np.int16) + 128).astype(np.uint8)


def _digits(side, model_side):
    """``(self-test pixels, others, the same as the model takes them)``: one digit a class first, then the rest."""
    import numpy as np

    from keras_classics import datasets

    test = datasets.load(datasets.EMBEDDED).test
    first = [int(np.flatnonzero(test.labels == label)[0]) for label in range(10)]
    order = np.array([*first, *sorted(set(range(len(test.labels))) - set(first))])

    def padded(to):
        margin = (to - test.images.shape[1]) // 2
        return np.pad(test.images[order], ((0, 0), (margin, margin), (margin, margin), (0, 0)))

    return padded(side), padded(model_side)


def sources(request):
    """``(files, summary)``: ``{relative path: text}`` of what is asked for, and lines on it.

    Raises:
        InputError: the model cannot be used.
    """
    from export import description, micro
    from export.microcontroller import generate, host, project

    model = request.path.read_bytes()
    labels, classifier = micro.opened(model, request.path)
    title = description.read(model, request.path)["network"]
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


def export(args):
    """Read, compare and write; the exit code."""
    path = pathlib.Path(args.model)
    if not path.is_file():
        raise InputError(f"there is no model {path}; make one with python -m export.tflite lenet5 --target micro.")
    request = Request(path, args.name, args.side, args.rounding, args.storage == "smallest", args.project)
    files, lines, others = sources(request)
    print("\n".join(lines))
    if others:
        print("Rejected: the C code answers otherwise. Nothing was written.")
        return REJECTED
    write(files, args.out)
    print(f"Wrote {', '.join(files)} to {args.out}")
    return 0


def write(files, out):
    """Write ``{relative path: text}`` to the folder ``out``, all of them or none."""
    folder = cli.output_folder(out)
    cli.check_targets(*(folder / name for name in files))
    for parent in {(folder / name).parent for name in files}:
        cli.output_folder(parent)
    with contextlib.ExitStack() as stack:
        for name, text in files.items():
            stack.enter_context(cli.whole_file(folder / name)).write_text(text, encoding="utf-8")


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: export(args), PROG)


if __name__ == "__main__":
    main()
