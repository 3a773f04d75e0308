"""The figures of exported models as text: one model as a few lines, several as one Markdown table."""

import collections

_HEAD = (
    *("mode", "bytes", "gzip", "accuracy (95 % interval)", "agreement", "probability error", "logit error"),
    *("operators", "delegate partitions", "1 thread", "2 threads"),
)


def show(figures):
    """Print what is known of one TFLite model."""
    print(f"Size: {figures['size_bytes']:,} bytes, {figures['gzip_bytes']:,} with gzip")
    show_answers(figures, "TFLite")
    if figures["largest_logit_difference"] is not None:
        print(
            f"Logits of {figures['logit_images']:,} images differ by {figures['largest_logit_difference']:.3g} at most "
            f"(root mean square {figures['rms_logit_difference']:.3g}, of a spread of {figures['logit_spread']:.3g})"
        )
    for name in ("input", "output"):
        tensor = figures[name]
        quantization = f", scale {tensor['scale']:g}, zero point {tensor['zero_point']}" if tensor["scale"] else ""
        print(f"{name.capitalize()}: {tensor['dtype']} {' × '.join(map(str, tensor['shape']))}{quantization}")
    print(f"Operators: {operators(figures)}; delegate partitions: {_or_dash(figures['delegate_partitions'])}")
    if figures["latency_us"]:
        one, two = (time(us) for us in figures["latency_us"].values())
        print(f"Latency of one image: {one} with one thread, {two} with two", flush=True)


def show_answers(figures, form):
    """Print accuracy and agreement; ``form`` is what the model is called beside Keras."""
    images = f"{figures['test_images']:,} test images"
    if figures["accuracy"] is not None:
        low, high = figures["interval_95"]
        beside = "" if figures["drop"] is None else f", {0 - figures['drop']:+.2f} points"
        keras = "" if figures["drop"] is None else f"Keras {figures['keras_accuracy']:.2%}, "
        ours = f"{form} {figures['accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%})"
        print(f"Accuracy on {images}: {keras}{ours}{beside}")
    if figures["agreement"] is not None:
        print(
            f"Agreement: {figures['agreement']:.2%} of {images} get the same label; probabilities differ by "
            f"{figures['largest_probability_difference']:.3g} at most"
        )


def comparison(rows):
    """A Markdown table.

    Args:
        rows: ``{mode: figures}``, as ``figures.measure`` returns them.
    """
    lines = ["| " + " | ".join(_HEAD) + " |", "| --- |" + " ---: |" * 6 + " --- |" + " ---: |" * 3]
    for mode, figures in rows.items():
        accuracy = "–"
        if figures["accuracy"] is not None:
            low, high = figures["interval_95"]
            accuracy = f"{figures['accuracy']:.2%} ({low:.2%} to {high:.2%})"
        error = "–"
        if figures["largest_logit_difference"] is not None:
            error = (
                f"{figures['largest_logit_difference']:.2g}, RMS {figures['rms_logit_difference']:.2g} "
                f"of {figures['logit_spread']:.2g}"
            )
        latencies = list((figures["latency_us"] or {"1": None, "2": None}).values())
        cells = (
            mode,
            f"{figures['size_bytes']:,}",
            f"{figures['gzip_bytes']:,}",
            accuracy,
            "–" if figures["agreement"] is None else f"{figures['agreement']:.2%}",
            "–" if figures["agreement"] is None else f"{figures['largest_probability_difference']:.2g}",
            error,
            operators(figures),
            _or_dash(figures["delegate_partitions"]),
            *("–" if us is None else time(us) for us in latencies),
        )
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def operators(figures):
    """Operators and how many of each."""
    counts = collections.Counter(figures["operators"])
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def time(us):
    return f"{us / 1000:.1f} ms" if us >= 1_000 else f"{us:.1f} µs"


def _or_dash(value):
    return "–" if value is None else value
