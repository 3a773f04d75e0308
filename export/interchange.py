"""What the exports to SavedModel and ONNX share: raw pixels in, any number of images, and the gate before the name."""

import dataclasses
import pathlib
from collections.abc import Callable

from export import arguments, gate
from export.contract import NETWORKS
from keras_classics import cli, files, locks, text


@dataclasses.dataclass(frozen=True)
class Form:
    """A form of a model that is no TFLite file.

    Args:
        name: display name.
        suffix: of its files.
        write: ``write(graph, path, description)``, which writes a Keras model of raw pixels.
        describe: ``describe(path)``, the description inside what has been written; None where there is none.
        run: ``run(path, images)``, probabilities ``(n, classes)`` of ``uint8`` images by what has been written.
    """

    name: str
    suffix: str
    write: Callable
    describe: Callable
    run: Callable


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
        help=f"{', '.join(NETWORKS)}, or the path of a .keras file of one of them",
    )
    arguments.add_to(parser)
    cli.add_common_arguments(parser, seed_of="random weights")
    gate.add_limit_arguments(parser, target=False)
    return parser


def request_of(args):
    """The ``ExportRequest`` of a command line of ``parser``."""
    return arguments.with_saved_model(arguments.request_of(args, args.network))


def export(request, form):
    """Write the network in a ``Form``, if what has been written answers as Keras does; the exit code."""
    folder = files.output_folder(request.out)
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from export.convert import checks, quantize
    from export.convert.device_model import PLAIN, device_model
    from export.gate import metrics
    from export.inputs import source
    from export.litert import metadata

    trained = source.load(request)
    target = folder / f"{source.file_name(trained, request)}{form.suffix}"
    report_file = pathlib.Path(f"{target}.json")
    files.check_targets(report_file)
    locks.claim(folder, target.name)
    print(f"Model: {trained.origin}\nData: {trained.dataset}", flush=True)
    checks.check_layers(trained.model)
    test = trained.dataset.test
    reference = metrics.keras_reference(trained.model, trained.preprocessing, test.images)
    checks.check_answers(trained, reference)
    graph = device_model(trained.model, trained.preprocessing, "uint8", PLAIN, batch=None)
    graph(test.images[:1])  # Keras exports no model that has never been called
    with files.temporary_folder(folder, target.name) as temporary, files.plain_name(temporary) as plain:
        partial = plain / target.name
        described = metadata.of(trained, form.name, "uint8", batch="n")
        quantize.run(lambda: form.write(graph, partial, described), folder)
        found = measured(form, partial, test, reference)
        limits = gate.limits_of(request, trained, "uint8")
        failures = gate.answer_failures(found, limits)
        if failures:
            gate.refuse(failures, target)
            return gate.REJECTED
        with files.whole_file(report_file) as report:
            record = {**trained.record(), "form": form.name, "model_sha256": files.digest(partial)}
            text.write(report, gate.report(found, limits, record))
        _take_name(partial, target, plain / "earlier")
    print(f"Wrote {target} and {report_file.name}", flush=True)
    return 0


def measured(form, path, test, reference, *, shown=True):
    """Size and answers of what has been written at ``path``, as ``gate.answer_failures`` takes them; printed too."""
    from export.gate import metrics, summary

    found = {"size_bytes": _bytes_of(path), "test_images": len(test)}
    found |= metrics.answers(form.run(path, test.images), test, reference)
    if shown:
        print(f"Size: {found['size_bytes']:,} bytes")
        summary.show_answers(found, form.name)
    return found


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
