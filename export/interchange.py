"""What the exports to SavedModel and ONNX share: raw pixels in, any number of images, and the gate before the name."""

import pathlib

from export import arguments, gate
from keras_classics import cli, files, locks, text


def parser(prog, description):
    parser = cli.Parser(
        prog=prog,
        description=description,
        epilog="Exit codes: 0 written and verified; 1 rejected, nothing written; 2 something given cannot be used.",
    )
    parser.add_argument(
        "network",
        type=cli.path,
        metavar="MODEL",
        help=f"{', '.join(arguments.NETWORKS)}, or the path of a .keras file of one of them",
    )
    arguments.add_to(parser)
    cli.add_common_arguments(parser, seed_of="random weights")
    gate.add_limit_arguments(parser, target=False)
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
    folder = files.output_folder(args.out)
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from export.convert import quantize
    from export.convert.device_model import PLAIN, device_model
    from export.gate import metrics, summary
    from export.inputs import source
    from export.litert import metadata

    trained = source.load(args, args.network)
    target = folder / f"{source.file_name(trained, path)}{ending}"
    report_file = pathlib.Path(f"{target}.json")
    files.check_targets(report_file)
    locks.claim(folder, target.name)
    print(f"Model: {trained.origin}\nData: {trained.dataset}", flush=True)
    test = trained.dataset.test
    reference = metrics.keras_reference(trained.model, trained.preprocessing, test.images)
    source.check_outputs(trained, reference)
    graph = device_model(trained.model, trained.preprocessing, "uint8", PLAIN, batch=None)
    graph(test.images[:1])  # Keras exports no model that has never been called
    with files.temporary_folder(folder, target.name) as temporary, files.plain_name(temporary) as plain:
        partial = plain / target.name
        quantize.run(lambda: write(graph, partial, metadata.of(trained, form, "uint8", batch="n")))
        found = {"size_bytes": _bytes_of(partial), "test_images": len(test)}
        found |= metrics.answers(run(partial, test.images), test, reference)
        print(f"Size: {found['size_bytes']:,} bytes")
        summary.show_answers(found, form)
        limits = gate.limits_of(args, trained, "uint8")
        failures = gate.answer_failures(found, limits)
        if failures:
            gate.refuse(failures, target)
            return gate.REJECTED
        with files.whole_file(report_file) as report:
            text.write(report, gate.report(found, limits, {**trained.record(), "form": form}))
        _take_name(partial, target, plain / "earlier")
    print(f"Wrote {target} and {report_file.name}", flush=True)
    return 0


def write_description(path, content):
    path.parent.mkdir(exist_ok=True)
    text.write(path, text.as_json(content, indent=2) + "\n")


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
