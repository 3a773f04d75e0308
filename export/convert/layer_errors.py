"""Where 8 bits lose accuracy: the error of every operator, by the converter's own quantization debugger."""

import csv
import dataclasses
import io
import json

import numpy as np

from keras_classics import files
from keras_classics.errors import InputError

_IMAGES = 100


def layer_errors(source, images, forms):
    """How far the values of each operator in 8 bits are from those in float.

    Args:
        source: a ``source.Source``.
        images: calibration images, ``uint8``; the first 100 are used.
        forms: a ``deploy_graph.Forms``.

    Returns:
        A list of dicts in order of execution: ``operator``, ``tensor``, ``scale`` (of one of the 256 steps; None where
        there is none), ``rms_error``, ``largest_error``, and ``steps``, the root mean square error in such steps:
        rounding alone gives 0.29, so that what is well above has been clipped, or carries errors of weights.

    Raises:
        InputError: TensorFlow's debugger cannot take this network.
    """
    import tensorflow as tf

    from export.convert import failures, quantize

    images = images[:_IMAGES]
    forms = dataclasses.replace(forms, lrn="native")  # one operator in float, as no step of normalization is in 8 bits
    converter, *_ = quantize.converter_of(
        source.model, source.preprocessing, "int8", images, dtype="uint8", forms=forms
    )
    converter.inference_input_type = converter.inference_output_type = tf.float32
    data = quantize.representative_dataset(images)

    def debugged():
        debugger = tf.lite.experimental.QuantizationDebugger(converter=converter, debug_dataset=data)
        debugger.run()
        file = io.StringIO()
        debugger.layer_statistics_dump(file)
        return list(csv.DictReader(io.StringIO(file.getvalue())))

    try:
        rows = quantize.run(debugged, needed=quantize.saved_bytes(source.model))
    except failures.SurroundingsError:
        raise
    except InputError as error:
        text = "TensorFlow's quantization debugger cannot take this network; export it without errors of its layers."
        raise InputError(text, settings=("debug",)) from error
    return [_row(row) for row in rows]


def _row(row):
    scale, square = float(row["scale"] or 0), float(row["mean_squared_error"])
    rms = float(np.sqrt(square))
    return {
        "operator": row["op_name"],
        "tensor": _short(row["tensor_name"]),
        "scale": scale or None,
        "rms_error": rms,
        "largest_error": float(row["max_abs_error"]),
        "steps": rms / scale if scale else None,
    }


def _short(name):
    """The layer, without the chain of internal names before it."""
    parts = [part for part in name.split(";")[0].split("/") if not part.startswith(("functional", "Stateful"))]
    return "/".join(parts) or "output"


def table(rows):
    """A Markdown table."""
    lines = ["| operator | tensor | step | RMS error | in steps | largest error |", "| --- | --- |" + " ---: |" * 4]
    for row in rows:
        scale, steps = ("–" if row[name] is None else f"{row[name]:.3g}" for name in ("scale", "steps"))
        lines.append(
            f"| {row['operator']} | {row['tensor']} | {scale} | {row['rms_error']:.3g} | {steps} | "
            f"{row['largest_error']:.3g} |"
        )
    return "\n".join(lines)


def write(rows, path):
    """The rows as JSON, written atomically."""
    with files.whole_file(path) as partial:
        partial.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
