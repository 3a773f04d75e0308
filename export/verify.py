"""``python -m export.verify FILE.tflite``: the gate that every exported model has passed, for any file, at any time."""

import pathlib
import sys

from export import arguments, gate
from keras_classics import cli
from keras_classics.errors import InputError

PROG = "python -m export.verify"


def parser():
    parser = cli.Parser(
        prog=PROG,
        description="Open a TFLite model of raw pixels in LiteRT, compare it with Keras on the whole test split, and "
        "check operators, input, output and size.",
        epilog="Exit codes: 0 it passes; 1 it does not; 2 something given cannot be used.",
    )
    parser.add_argument(
        "file", type=cli.path, metavar="FILE.tflite", help="a model of python -m export.tflite, or of anybody else"
    )
    parser.add_argument(
        "--network",
        choices=("lenet5", "lenet5-1998", "alexnet"),
        metavar="NETWORK",
        help="lenet5, lenet5-1998 or alexnet: what it is compared with (default: what the file says it is)",
    )
    parser.add_argument(
        "--io", choices=gate.CONTRACT, metavar="TYPE", help="input it must have: uint8, int8 or float32"
    )
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object, and nothing else")
    arguments.add_to(parser)
    cli.add_data_dir(parser)
    parser.set_defaults(seed=0)  # of random weights; the report beside the file says which
    gate.add_limit_arguments(parser)
    return parser


def verify(args):
    """Measure and judge the file; the exit code."""
    from export.gate.summary import show
    from export.inputs import networks, source
    from export.litert import metadata, standard_metadata

    path = pathlib.Path(args.file)
    if not path.is_file():
        raise InputError(f"there is no file {path}.")
    tflite = path.read_bytes()
    said, standard = metadata.find(tflite, path), standard_metadata.read(tflite)
    network = args.network or networks.said_by(said)
    if network is None:
        raise InputError(f"{path} does not say which network it is; say what to compare it with by --network.")
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from export.gate import metrics
    from export.litert.classifier import Classifier

    shape = Classifier(tflite, path).image_shape
    trained = source.load_for_file(args, path, network)
    split = source.with_images_of(trained, shape)
    if not args.json:
        print(f"File: {path}\nData: {trained.dataset}\nCompared with: {trained.origin}")
        if said is None:
            print("The file does not describe itself; assumed: raw pixels 0–255, classes in the order of the data.")
        else:
            print(f"Description: {metadata.summary(said)}")
        print(f"Standard metadata: {standard_metadata.summary(standard)}")
    reference = metrics.keras_reference(trained.model, trained.preprocessing, trained.dataset.test.images)
    source.check_outputs(trained, reference)
    found = metrics.measure(tflite, path, split, reference)
    limits = gate.limits_of(args, trained, args.io or (said or {}).get("io"), shape)
    problems = gate.failures(tflite, found, limits)
    if args.json:
        verdict = {"file": str(path), "passed": not problems, "failures": problems, **trained.record()}
        verdict |= {
            "description": said,
            "standard_metadata": standard and {"fields": standard[0], "labels": standard[1]},
        }
        print(gate.report(found, limits, verdict, sys.stdout.encoding), end="")
    else:
        show(found)
        print(f"Rejected: {'; '.join(problems)}." if problems else f"{path} passes for the target {args.target}.")
    return gate.REJECTED if problems else 0


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: verify(args), PROG)


if __name__ == "__main__":
    main()
