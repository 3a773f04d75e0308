"""What the exports to SavedModel and ONNX share: raw pixels in, any number of images, and the gate before the name."""

import json
import os
import pathlib
import tempfile

from export import arguments, verify
from keras_classics import cli


def parser(prog, description):
    parser = cli.Parser(
        prog=prog,
        description=description,
        epilog="Exit codes: 0 written and verified; 1 rejected, nothing written; 2 something given cannot be used.",
    )
    parser.add_argument(
        "network",
        metavar="MODEL",
        help=f"{', '.join(arguments.NETWORKS)}, or the path of a .keras file of one of them",
    )
    arguments.add_to(parser)
    cli.add_common_arguments(parser, seed_of="random weights")
    verify.add_limit_arguments(parser, target=False)
    return parser


def export(args, form, ending, write, run):
    """Write the network in a form that is no TFLite file, if what has been written answers as Keras does.

    Args:
        args: of ``parser``.
        form: for people.
        ending: of the name.
        write: ``write(graph, path, description)``, which writes a Keras model of raw pixels.
        run: ``run(path, images)``, probabilities ``(n, classes)`` of ``uint8`` images by what has been written.

    Returns:
        The exit code.
    """
    path = arguments.check(args, args.network)
    folder = cli.output_folder(args.out)
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from export import description, figures, quantize, source, table
    from export.deploy_graph import PLAIN, device_model

    trained = source.load(args, args.network)
    target = folder / f"{source.file_name(trained, path)}{ending}"
    report_file = pathlib.Path(f"{target}.json")
    cli.check_targets(report_file)
    print(f"Model: {trained.origin}\nData: {trained.dataset}", flush=True)
    test = trained.dataset.test
    reference = figures.keras_reference(trained.model, trained.preprocessing, test.images)
    source.check_outputs(trained, reference)
    graph = device_model(trained.model, trained.preprocessing, "uint8", PLAIN, batch=None)
    graph(test.images[:1])  # Keras exports no model that has never been called
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{os.getpid()}.") as temporary:
        partial = pathlib.Path(temporary) / target.name
        quantize.run(lambda: write(graph, partial, description.of(trained, form, "uint8", batch="n")))
        found = {"size_bytes": _bytes_of(partial), "test_images": len(test)}
        found |= figures.answers(run(partial, test.images), test, reference)
        print(f"Size: {found['size_bytes']:,} bytes")
        table.show_answers(found, form)
        limits = verify.limits_of(args, trained, "uint8")
        failures = verify.answer_failures(found, limits)
        if failures:
            verify.refuse(failures, target)
            return verify.REJECTED
        with cli.whole_file(report_file) as report:
            report.write_text(verify.report(found, limits, {**trained.record(), "form": form}), encoding="utf-8")
        _take_name(partial, target, pathlib.Path(temporary) / "earlier")
    print(f"Wrote {target} and {report_file.name}", flush=True)
    return 0


def write_description(path, content):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _bytes_of(path):
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(file.stat().st_size for file in files)


def _take_name(partial, target, aside):
    """``partial`` as ``target``; what had the name, a file or a folder, goes ``aside``."""
    if target.exists():
        target.rename(aside)
    try:
        partial.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise
