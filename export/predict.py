"""``python -m export.predict MODEL PICTURE…``: say which digit a picture shows, or of AlexNet which thing."""

import pathlib
import sys

from keras_classics import cli, text

PROG = "python -m export.predict"


def parser():
    parser = cli.Parser(prog=PROG, description="Say what each picture shows, with a TFLite model.")
    parser.add_argument(
        "model", type=cli.path, metavar="MODEL", help="a .tflite file that python -m export.tflite wrote"
    )
    parser.add_argument(
        "pictures",
        type=cli.path,
        nargs="+",
        metavar="PICTURE",
        help="a picture of a digit, 28×28 or 32×32 pixels (for AlexNet any), or a folder: all pictures in it",
    )
    parser.add_argument("--json", action="store_true", help='print one array of {"path", "label", "probability"}')
    return parser


def predict(args):
    """Print a result for every picture that can be read; the exit code tells whether all could."""
    from export.inputs import digits, pictures
    from export.litert import metadata
    from export.litert.classifier import Classifier
    from keras_classics.datasets import PICTURE_SUFFIXES
    from keras_classics.errors import InputError

    if pathlib.Path(args.model).is_fifo():
        raise InputError(f"the model {args.model} is not a file.")
    try:
        model = pathlib.Path(args.model).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the model {args.model}: {error.strerror or error}.") from error
    labels = metadata.read(model, args.model)["labels"]
    classifier = Classifier(model, args.model)
    if len(labels) != classifier.output["shape"][-1]:
        raise InputError(f"{args.model} has {classifier.output['shape'][-1]} outputs and {len(labels)} labels.")
    size, _, channels = classifier.image_shape
    read = digits.read_digit if channels == 1 else pictures.read_picture
    results, code = [], 0
    for path in _expanded(args.pictures, PICTURE_SUFFIXES):
        try:
            if path.is_dir():  # one with pictures has been replaced by them
                raise InputError(f"the folder {path} has no pictures ({', '.join(PICTURE_SUFFIXES)}) in it.")
            pixels = read(path, size)
        except InputError as error:
            print(f"{cli.program(PROG)}: {text.in_a_line(error)}", file=sys.stderr)
            code = cli.INPUT_ERROR
            continue
        probabilities = classifier.probabilities(pixels[None])[0]
        best = int(probabilities.argmax())
        probability = round(float(probabilities[best]), 6)
        results.append({"path": text.of_path(path), "label": labels[best], "probability": probability})
        if not args.json:
            print(f"{text.in_a_line(path)}: {labels[best]} ({probabilities[best]:.1%})")
    if args.json:
        cli.show_json(results)
    return code


def _expanded(arguments, suffixes):
    """Files as they are; folders as the pictures in them, by name."""
    for argument in map(pathlib.Path, arguments):
        inside = sorted(argument.iterdir()) if argument.is_dir() else []
        yield from [path for path in inside if path.suffix.lower() in suffixes] or [argument]


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: predict(args), PROG)


if __name__ == "__main__":
    main()
