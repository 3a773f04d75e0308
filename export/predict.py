"""``python -m export.predict MODEL PATH…``: say which digit or number a picture shows, or of AlexNet which thing."""

import argparse
import contextlib
import glob
import pathlib
import sys

from keras_classics import cli, files, text
from keras_classics.names import THRESHOLD

PROG = "python -m export.predict"


def _share(text):
    with contextlib.suppress(ValueError):
        if 0 <= float(text) <= 1:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")


def parser():
    parser = cli.Parser(prog=PROG, description="Say what each picture shows, with a trained model.")
    parser.add_argument(
        "model",
        type=cli.path,
        metavar="MODEL",
        help="a .tflite file that python -m export.tflite wrote, or a .keras file",
    )
    parser.add_argument(
        "pictures",
        type=cli.path,
        nargs="+",
        metavar="PATH",
        help="a picture, of any size; a folder: all pictures in and below it; a pattern such as 'scans/*.png'; or - "
        "for one picture from standard input",
    )
    parser.add_argument("--line", action="store_true", help="read a number of several digits in each picture")
    parser.add_argument("--top", type=cli.positive_int, metavar="N", help="also the N most probable classes")
    parser.add_argument(
        "--threshold", type=_share, metavar="P", help=f"answers less probable than that are ? (default: {THRESHOLD})"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help='print one array of {"path", "label", "probability"}')
    form.add_argument("--csv", action="store_true", help="print a table: path, label, probability")
    parser.add_argument(
        "--explain",
        type=cli.path,
        metavar="FILE.png",
        help="of the first picture: the steps, and what spoke for the answer",
    )
    return parser


def predict(args):
    """Print a result for every picture that can be read; the exit code tells whether all could."""
    from export.prediction import explained, output, recognition

    if args.explain:
        files.check_targets(args.explain)
    jobs = list(_expanded(args.pictures))
    recognize = recognition.Settings(args.model, args.threshold, args.line)
    recognize.check()
    if args.explain:
        explained.write(recognize, jobs[0], args.explain)
    code = 0
    with output.writer(args, recognize) as write:
        for path, result in recognition.results(recognize, jobs, progress=_has_folder(args.pictures)):
            if isinstance(result, str):  # what is wrong with it
                print(f"{cli.program(PROG)}: {text.message(result)}", file=sys.stderr)
                code = cli.INPUT_ERROR
            else:
                write(path, result)
    return code


def _has_folder(arguments):
    return any(pathlib.Path(argument).is_dir() for argument in arguments)


def _expanded(arguments):
    """Paths of pictures: folders as all that is in and below them, by name, patterns as the files that match."""
    from keras_classics.datasets import picture_files

    for argument in arguments:
        path = pathlib.Path(argument)
        if path.is_dir():
            skipped = picture_files.Skipped(argument)
            yield from picture_files.pictures_below(argument, skipped) or [argument]
            skipped.tell()
        elif argument != "-" and glob.has_magic(argument) and not path.exists():
            yield from sorted(glob.glob(argument, recursive=True)) or [argument]  # noqa: PTH207 (paths stay as typed)
        else:
            yield str(path) if argument != "-" else argument


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: predict(args), PROG)


if __name__ == "__main__":
    main()
