"""``python -m export.c``: an int8 digit model as plain C that answers as LiteRT does, to the last bit."""

import argparse
import contextlib
import pathlib
import re

from export.microcontroller.project import PROJECTS
from keras_classics import cli, files, locks
from keras_classics.errors import InputError

PROG = "python -m export.c"
REJECTED = 1  # exit code of C that answers otherwise than the model
_ROUNDINGS = ("litert", "tflm")
_STORAGE = ("smallest", "plain")
# Words of C99 and C++ that no function begins with, and files that a project has already.
_TAKEN = {"main", "board", "semihosting", "int", "short", "long", "double", "float", "char", "void", "auto", "static"}


def _identifier(text):
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,30}", text) and text.lower() not in _TAKEN:
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is not a name for C functions and files, such as lenet5")


def parser():
    parser = cli.Parser(
        prog=PROG,
        description="Write an int8 TFLite model of digits as C99: integers only, no heap, one static arena, answers "
        "equal to the last bit to those of the reference kernels, with a self-test of ten digits.",
        epilog="Exit codes: 0 written; 1 the C code, run here, answers otherwise, and nothing was written; 2 something "
        "given cannot be used.",
    )
    parser.add_argument(
        "model", type=cli.path, metavar="FILE.tflite", help="of python -m export.tflite --mode int8 --target micro"
    )
    parser.add_argument("--out", type=cli.path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument(
        "--name", default="lenet5", type=_identifier, help="of functions and files (default: %(default)s)"
    )
    parser.add_argument(
        "--side",
        type=cli.positive_int,
        metavar="PIXELS",
        help="of the pictures that the function takes: 28 for MNIST's, with the margin left out (default: the model's)",
    )
    parser.add_argument(
        "--rounding",
        default="litert",
        choices=_ROUNDINGS,
        help="of fully connected layers: litert rounds once, tflm (TensorFlow Lite for Microcontrollers) twice "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--storage",
        default="smallest",
        choices=_STORAGE,
        help="of weights: each layer in the fewest bytes, or one byte a weight (default: %(default)s)",
    )
    parser.add_argument("--project", choices=PROJECTS, help="write a folder that builds, instead of the files alone")
    return parser


def export(args):
    """Read, compare and write; the exit code."""
    path = pathlib.Path(args.model)
    if not path.is_file():
        raise InputError(f"there is no model {path}; make one with python -m export.tflite lenet5 --target micro.")
    from export.microcontroller import c_code

    request = c_code.Request(path, args.name, args.side, args.rounding, args.storage == "smallest", args.project)
    texts, lines, others = c_code.sources(request)
    print("\n".join(lines))
    if others:
        print("Rejected: the C code answers otherwise. Nothing was written.")
        return REJECTED
    write(texts, args.out)
    print(f"Wrote {', '.join(texts)} to {args.out}")
    return 0


def write(texts, out):
    """Write ``{relative path: text}`` to the folder ``out``: all of them, or none if one cannot be written."""
    folder = files.output_folder(out)
    locks.claim(folder, "sources")
    files.check_targets(*(folder / name for name in texts))
    for parent in {(folder / name).parent for name in texts} - {folder}:
        files.output_folder(parent)
    with contextlib.ExitStack() as stack:
        for name, text in texts.items():
            stack.enter_context(files.whole_file(folder / name)).write_text(text, encoding="utf-8")


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: export(args), PROG)


if __name__ == "__main__":
    main()
