"""``python -m benchmarks.import_time``: how long a user waits before anything happens."""

import pathlib
import shlex
import statistics
import sys

from benchmarks import measure
from keras_classics import children

PROG = "python -m benchmarks.import_time"
IMPORT_LIMIT, HELP_LIMIT = 0.1, 0.5  # seconds
_ROOT = pathlib.Path(__file__).parent.parent


def commands():
    """Every module that is run as a command: ``train.lenet`` and so on."""
    files = sorted(file for folder in ("train", "export", "benchmarks") for file in (_ROOT / folder).glob("*.py"))
    marked = [file for file in files if 'if __name__ == "__main__":' in file.read_text(encoding="utf-8")]
    return [f"{file.parent.name}.{file.stem}" for file in marked]


def parser():
    parser = measure.parser(PROG, "Seconds to import the package beside Keras, and of --help of each command.")
    parser.add_argument("--commands", nargs="*", default=None, metavar="MODULE", help="default: all that there are")
    return parser


def _python(*arguments):
    children.run([sys.executable, *arguments], f"python {shlex.join(arguments)}", cwd=_ROOT, capture_output=True)


def rows(args):
    sides = {
        "with": lambda: _python("-c", "import keras_classics, keras"),
        "without": lambda: _python("-c", "import keras"),
    }
    measure.alternate(sides, 1)
    values = measure.alternate(sides, args.rounds)
    added = statistics.median(a - b for a, b in zip(values["with"], values["without"], strict=True))
    bare = statistics.median(values["without"])
    note = f"bare import keras takes {bare:.2f} s; the median of the rounds' differences is {added:.3f} s"
    # A difference within the noise can be negative; a millisecond is as little as is claimed.
    found = [measure.within("import keras_classics beside keras", max(added, 1e-3), IMPORT_LIMIT, unit="s", note=note)]
    modules = commands() if args.commands is None else args.commands
    sides = {module: lambda m=module: _python("-m", m, "--help") for module in modules}
    if not sides:
        return found
    medians = {module: statistics.median(times) for module, times in measure.alternate(sides, args.rounds).items()}
    slowest = max(medians, key=medians.get)
    note = f"the slowest of {len(medians)} commands"
    return [*found, measure.within(f"{slowest} --help", medians[slowest], HELP_LIMIT, unit="s", note=note)]


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
