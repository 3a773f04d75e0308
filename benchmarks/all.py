"""``python -m benchmarks.all``: every benchmark in a process of its own, and one table of them all."""

import json
import pathlib
import subprocess
import sys

from benchmarks import measure
from keras_classics import children, cli, generated
from keras_classics.errors import InputError

PROG = "python -m benchmarks.all"
NAMES = (
    "lrn",
    "batch_norm",
    "train_lenet",
    "fit_lenet",
    "train_alexnet",
    "time_to_accuracy",
    "input_pipeline",
    "device",
    "rewrites",
    "import_time",
    "commands",
    "memory",
    "endurance",
)
README = pathlib.Path(__file__).parent / "README.md"
BEGIN, END = "<!-- table: written by python -m benchmarks.all --update -->", "<!-- end of table -->"


def parser():
    parser = measure.parser(PROG, "Run all benchmarks, one after another.", rounds=5)
    parser.add_argument("--only", default=",".join(NAMES), metavar="NAME,…", help="default: %(default)s")
    parser.add_argument("--data-dir", metavar="DIR", help="where TFDS data lies (or KERAS_CLASSICS_DATA_DIR)")
    parser.add_argument("--update", action="store_true", help=f"write the table to benchmarks/{README.name}")
    return parser


def run_one(name, args):
    """The JSON object of one benchmark; its own output is shown as it comes."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", "--rounds", str(args.rounds)]
    if args.data_dir and name in ("time_to_accuracy", "memory"):
        command += ["--data-dir", args.data_dir]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=README.parent.parent) as process:
        for line in process.stdout:
            if last:
                print(last, end="", flush=True)
            last = line
    if process.returncode:
        print(last, end="", flush=True)
    children.check(process.returncode, f"benchmarks.{name}")
    return json.loads(last)


def section(rows, described):
    """What stands between the marks of the README: where it was measured, the table, and its notes."""
    versions = ", ".join(f"{name} {version}" for name, version in described["versions"].items())
    notes = "\n".join(f"- {row.name}: {row.note}." for row in rows if row.note)
    what = f"{described['measured']}, {described['processor']}, {described['cores']} cores; {versions}."
    return f"\n\n{what}\n\n{measure.table(rows)}\n\n{notes}\n\n"


def run(args):
    names = args.only.split(",")
    if not set(names) <= set(NAMES):
        raise InputError(f"--only {args.only}: expected some of {', '.join(NAMES)}.")
    if args.update:
        generated.check(README, BEGIN, END)  # before anything is measured
    rows = []
    for name in names:
        print(f"benchmarks.{name}", flush=True)
        rows += [measure.Row(**row) for row in run_one(name, args)["rows"]]
    if args.update:
        generated.replace(README, BEGIN, END, section(rows, measure.environment()))
    measure.report(args, rows)


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: run(args), PROG)


if __name__ == "__main__":
    main()
