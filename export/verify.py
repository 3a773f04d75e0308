"""``python -m export.verify FILE``: the gate that every exported model has passed, for any file, at any time."""

import pathlib
import sys

from export import arguments, gate
from export.contract import NETWORKS, ONNX_SUFFIX, PIXEL_TYPES
from keras_classics import cli
from keras_classics.errors import InputError

PROG = "python -m export.verify"


def parser():
    parser = cli.Parser(
        prog=PROG,
        description="Run a TFLite, ONNX or SavedModel model of raw pixels, compare it with Keras on the whole test "
        "split, and check size and, of TFLite, operators, input and output.",
        epilog="Exit codes: 0 it passes; 1 it does not; 2 something given cannot be used.",
    )
    parser.add_argument(
        "file",
        type=cli.path,
        metavar="FILE",
        help="what export.tflite, export.onnx or export.saved_model (a folder) wrote, or a TFLite file of anybody else",
    )
    parser.add_argument(
        "--network",
        choices=NETWORKS,
        metavar="NETWORK",
        help="lenet5, lenet5-1998 or alexnet: what it is compared with (default: what the file says it is)",
    )
    parser.add_argument(
        "--io", choices=PIXEL_TYPES, metavar="TYPE", help="input that a TFLite file must have: uint8, int8 or float32"
    )
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object, and nothing else")
    arguments.add_to(parser)
    cli.add_data_dir(parser)
    gate.add_limit_arguments(parser)
    return parser


def verify(args):
    """Measure and judge the file; the exit code."""
    path = pathlib.Path(args.file)
    form = _form_of(path)
    if form is not None and args.io:
        raise InputError(f"--io is of TFLite files; {path} takes what its format says.")
    from export.inputs import networks
    from export.litert import metadata, standard_metadata
    from keras_classics.recognition import untrusted

    tflite = untrusted.read(path) if form is None else None
    standard = standard_metadata.read(tflite) if form is None else None
    embedded = metadata.find(tflite, path) if form is None else form.describe(path)
    network = args.network or networks.described_network(embedded)
    if network is None:
        raise InputError(f"{path} does not say which network it is; say what to compare it with by --network.")
    request = arguments.request_of(args, network)
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from export.convert import checks
    from export.gate import metrics
    from export.inputs import source

    shape = _image_shape(tflite, path) if form is None else None
    trained = source.load(source.of_file(request, path))
    split = source.with_images_of(trained, shape or trained.image_shape)
    if not args.json:
        print(f"File: {path}\nData: {trained.dataset}\nCompared with: {trained.origin}")
        if embedded is None:
            print("The file does not describe itself; assumed: raw pixels 0–255, classes in the order of the data.")
        else:
            print(f"Description: {metadata.summary(embedded)}")
        if form is None:
            print(f"Standard metadata: {standard_metadata.summary(standard)}")
    reference = metrics.keras_reference(trained.model, trained.preprocessing, trained.dataset.test.images)
    checks.check_outputs(trained, reference)
    limits = gate.limits_of(request, trained, args.io or (embedded or {}).get("io"), shape)
    found, problems = _judged(form, path, tflite, split, reference, limits, shown=not args.json)
    if args.json:
        verdict = {"file": str(path), "passed": not problems, "failures": problems, **trained.record()}
        verdict |= {
            "description": embedded,
            "standard_metadata": standard and {"fields": standard[0], "labels": standard[1]},
        }
        print(gate.report(found, limits, verdict, sys.stdout.encoding), end="")
    else:
        passed = f"{path} passes" + ("." if form else f" for the target {request.target}.")
        print(f"Rejected: {'; '.join(problems)}." if problems else passed)
    return gate.REJECTED if problems else 0


def _form_of(path):
    """The ``interchange.Form`` of a file, by what it is; None: TFLite.

    Raises:
        InputError: there is no such file, or it is a folder and no SavedModel.
    """
    if path.is_dir():
        from export import saved_model

        if not (path / "saved_model.pb").is_file():
            raise InputError(f"{path} is a folder and no SavedModel: there is no saved_model.pb in it.")
        return saved_model.FORM
    if not path.is_file():
        raise InputError(f"there is no file {path}.")
    if path.suffix.lower() == ONNX_SUFFIX:
        from export import onnx

        return onnx.FORM
    return None


def _image_shape(tflite, path):
    from export.litert.classifier import Classifier

    return Classifier(tflite, path).image_shape


def _judged(form, path, tflite, split, reference, limits, *, shown):
    """What is measured of a file, and the sentences on what it does not keep."""
    from export import interchange
    from export.gate import metrics, summary

    if form is not None:
        found = interchange.measured(form, path, split, reference, shown=shown)
        return found, gate.answer_failures(found, limits)
    found = metrics.measure(tflite, path, split, reference)
    if shown:
        summary.show(found)
    return found, gate.failures(tflite, found, limits)


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: verify(args), PROG)


if __name__ == "__main__":
    main()
