"""``python -m export.demo``: one HTML file to draw digits on, with the network inside, which works offline."""

import pathlib
import webbrowser

from keras_classics import cli, files, locks
from keras_classics.errors import InputError

PROG = "python -m export.demo"


def parser():
    parser = cli.Parser(
        prog=PROG,
        description="Write one HTML file to draw, drop or photograph digits on, which computes LeNet-5 by itself.",
    )
    parser.add_argument(
        "model",
        type=cli.path,
        nargs="?",
        metavar="MODEL",
        help="LeNet-5 as a .tflite that python -m export.tflite wrote, or as a .keras file (default: the weights that "
        "come with the package)",
    )
    parser.add_argument(
        "--out", type=cli.path, default="digits.html", metavar="FILE", help="file to write (default: %(default)s)"
    )
    parser.add_argument("--open", action="store_true", help="show it in the browser")
    return parser


def demo(args):
    """Write the page; its size goes to standard output."""
    from export.page import model, page, steps

    target = pathlib.Path(args.out)
    files.check_targets(target)
    if args.model and target.exists() and pathlib.Path(args.model).exists() and target.samefile(args.model):
        raise InputError(f"the page would take the place of the model {args.model}; write it to another file.")
    locks.claim(files.output_folder(target.parent), target.name)
    network, weights = steps.read(*model.as_tflite(args.model))
    text = page.assembled(network, weights)
    with files.whole_file(target) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
    print(f"Wrote {target}: {network['network']}, {network['mode']}, {target.stat().st_size:,} bytes", flush=True)
    if args.open and not webbrowser.open(target.resolve().as_uri()):
        print(f"There is no browser to show it; open {target.resolve()} in one.", flush=True)


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: demo(args), PROG)


if __name__ == "__main__":
    main()
