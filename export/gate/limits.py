"""The gate: what a model has to keep before it is written, and the report of what it was judged by."""

import dataclasses
import platform
import resource

from export.contract import TARGETS
from keras_classics import cli, files, runtime, text

REJECTED = 1  # exit code when a model does not pass
CONTRACT = {"uint8": (1.0, 0), "int8": (1.0, -128), "float32": (None, None)}  # scale and zero point of raw pixels
_LIBRARIES = (
    *("tensorflow", "keras", "ai-edge-litert", "tensorflow-model-optimization", "numpy"),
    *("onnx", "tf2onnx", "onnxruntime"),
)


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a model has to keep.

    Args:
        max_drop: accuracy that may be lost against Keras, in percentage points of the test split.
        min_agreement: share of images, in percent, that get the class Keras gives them; None: not asked for.
        max_size: bytes; None: any.
        target: a name of ``targets.TARGETS``.
        io: type of the input, "uint8", "int8" or "float32"; None: any of them.
        shape: ``(height, width, channels)`` of the input; None: any.
        classes: outputs; None: any number.
    """

    max_drop: float = 0.5
    min_agreement: float | None = None
    max_size: int | None = None
    target: str = "mobile"
    io: str | None = None
    shape: tuple | None = None
    classes: int | None = None


def failures(tflite, figures, limits):
    """Sentences on what a TFLite model does not keep; empty where it passes.

    Args:
        tflite: its bytes.
        figures: of ``metrics.measure``.
        limits: a ``Limits``.
    """
    from export.litert.targets import TARGETS, violations

    return (
        violations(tflite, TARGETS[limits.target])
        + _contract_failures(figures, limits)
        + answer_failures(figures, limits)
    )


def answer_failures(figures, limits):
    """The part of ``failures`` that any form of a model can have: what it answers, and its size."""
    found = []
    if not figures["probabilities"]:
        found.append("outputs that are no probabilities")
    if figures["drop"] is not None and figures["drop"] > limits.max_drop:
        found.append(f"{figures['drop']:.2f} points of accuracy lost, more than --max-drop {limits.max_drop:g}")
    agreement = figures["agreement"]
    if None not in (agreement, limits.min_agreement) and 100 * agreement < limits.min_agreement:
        found.append(f"agreement with Keras {agreement:.2%}, less than --min-agreement {limits.min_agreement:g}")
    if limits.max_size is not None and figures["size_bytes"] > limits.max_size:
        found.append(f"{figures['size_bytes']:,} bytes, more than --max-size {limits.max_size:,}")
    return found


def _contract_failures(figures, limits):
    """Raw pixels in, one image at a time, probabilities out: what of that is not so."""
    given, found = figures["input"], []
    dtype, quantization = given["dtype"], (given["scale"], given["zero_point"])
    if limits.io and dtype != limits.io:
        found.append(f"input of {dtype}, not of {limits.io}")
    elif given["scale"] is not None and quantization != CONTRACT[dtype]:
        scale, zero = CONTRACT[dtype]
        found.append(
            f"{dtype} input of scale {quantization[0]}, zero point {quantization[1]}; raw pixels: {scale}, {zero}"
        )
    shape = tuple(given["shape"][1:])
    if limits.shape and shape != tuple(limits.shape):
        found.append(f"input of {_sides(shape)}, not of {_sides(limits.shape)}")
    classes = figures["output"]["shape"][-1]
    if limits.classes and classes != limits.classes:
        found.append(f"{classes} outputs, not {limits.classes}")
    return found


def _sides(shape):
    return " × ".join(map(str, shape))


def write_if_accepted(tflite, target, figures, limits, record):
    """Write a model that passes, and its report beside it; say why one that does not is not written.

    Args:
        tflite: bytes of the model.
        target: its ``pathlib.Path``; the report is the same with ``.json``.
        figures: of ``metrics.measure``.
        limits: a ``Limits``.
        record: a dict of whatever else the report is to say.

    Returns:
        The failures: an empty list if it was written. A rejected model leaves the file that has the name as it was.
    """
    found = failures(tflite, figures, limits)
    if found:
        refuse(found, target)
        return found
    with files.whole_file(target) as model_file, files.whole_file(target.with_suffix(".json")) as report_file:
        model_file.write_bytes(tflite)
        text.write(report_file, report(figures, limits, {**record, "model_sha256": files.digest(model_file)}))
    print(f"Wrote {target} and {target.with_suffix('.json').name}", flush=True)
    return found


def refuse(found, target):
    """Say why ``target`` was not written."""
    print(f"Rejected: {'; '.join(found)}. {target} was not written.", flush=True)


def report(figures, limits, record, encoding="utf-8"):
    """JSON, for ``encoding``, of every figure, what they were judged by, versions, and whatever ``record`` says."""
    content = {**record, **figures, "limits": dataclasses.asdict(limits), **environment()}
    return text.as_json(content, encoding, indent=2) + "\n"


def environment():
    """Versions of all that has a part in an exported model, and the most memory this process has used."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in kibibytes
    return {"versions": runtime.versions(_LIBRARIES), "machine": platform.machine(), "peak_memory_bytes": peak}


def add_limit_arguments(parser, *, target=True):
    """The arguments of every command with a gate; ``target``: whether there are devices to choose from."""
    group = parser.add_argument_group("the gate")
    if target:
        group.add_argument(
            "--target",
            default="mobile",
            choices=TARGETS,
            metavar="TARGET",
            help="whose operators it may use: mobile (LiteRT), micro (microcontrollers), int8-only (accelerators such "
            "as Edge TPU) (default: %(default)s)",
        )
    group.add_argument(
        "--max-drop",
        type=cli.non_negative_float,
        default=0.5,
        metavar="POINTS",
        help="accuracy that may be lost, in percentage points (default: %(default)s)",
    )
    group.add_argument(
        "--min-agreement",
        type=cli.non_negative_float,
        metavar="PERCENT",
        help="images that must get the class Keras gives them (default: 90 for trained weights on pictures without "
        "labels, else not asked for)",
    )
    group.add_argument("--max-size", type=cli.positive_int, metavar="BYTES", help="of the file (default: any)")


def limits_of(request, trained, io, shape=None):
    """The ``Limits`` of an ``arguments.ExportRequest``, for a ``source.Source``, a type and a shape of input."""
    from export.inputs import source

    return Limits(
        request.max_drop,
        source.min_agreement(request, trained),
        request.max_size,
        request.target,
        io,
        shape or trained.image_shape,
        len(trained.labels),
    )
