"""``python -m train.table``: the accuracy of recipes over several seeds, as a table in docs/training.md."""

import re
import shlex
import statistics

from keras_classics import cli, files, generated, locks
from keras_classics.errors import InputError
from train import finished_runs

PROG = "python -m train.table"
BEGIN, END = "<!-- accuracy table: written by python -m train.table -->", "<!-- end of the accuracy table -->"
ROWS = (
    "lenet --dataset mnist",
    "lenet --dataset mnist --recipe best",
    "lenet --dataset mnist --recipe best --activation relu",
    "lenet --dataset mnist --recipe 1998 --variant 1998",
)
_MODULES = ("lenet", "alexnet")


def parser():
    parser = cli.Parser(prog=PROG, description="Train recipes from several seeds and write their table of accuracies.")
    cli.add_data_dir(parser)
    parser.add_argument(
        "--seeds", type=cli.positive_int, default=5, metavar="N", help="how many (default: %(default)s)"
    )
    parser.add_argument(
        "--row",
        action="append",
        metavar="TEXT",
        help="a row: lenet or alexnet, and its arguments, as in 'lenet --recipe best'; may be repeated; "
        f"other rows of the table stay (default: {'; '.join(ROWS)})",
    )
    parser.add_argument(
        "--runs",
        type=cli.path,
        default="saved_models/table",
        metavar="DIR",
        help="folder of the runs; those already there are kept (default: %(default)s)",
    )
    parser.add_argument(
        "--into",
        nargs="+",
        type=cli.path,
        default=["docs/training.md"],
        metavar="FILE",
        help="Markdown files with the table's markers (default: %(default)s)",
    )
    return parser


def make(args):
    rows = [_row(text) for text in args.row or ROWS]
    for path in args.into:
        generated.check(path, BEGIN, END)  # before anything is trained
    runs = files.output_folder(args.runs)
    locks.claim(runs, "runs")
    lines = []
    for module, arguments in rows:
        records = [_record(runs, module, arguments, seed, args.data_dir) for seed in range(args.seeds)]
        _refuse_mixture(module, arguments, records)
        lines.append(line(module, arguments, records))
    print("\n".join(lines))
    for path in args.into:
        table = _with_others(generated.content(path, BEGIN, END), lines)
        generated.replace(path, BEGIN, END, f"\n{_HEADER}\n{table}\n")
    print(f"Wrote the table into {' and '.join(args.into)}")


def _with_others(table, lines):
    """The rows of ``table`` and ``lines``, which take the places of rows with the same first cell or follow."""
    rows = tuple(f"| `{module}" for module in _MODULES)
    found = {line.split("|")[1]: line for line in [*table.splitlines(), *lines] if line.startswith(rows)}
    return "\n".join(found.values())


def _row(text):
    """Module and arguments of a row."""
    try:
        module, *arguments = shlex.split(text)
    except ValueError:  # no word at all, or a quotation without end
        module, arguments = None, []
    if module not in _MODULES:
        raise InputError(f"--row {text!r}: expected {' or '.join(_MODULES)}, and arguments.")
    if {word.partition("=")[0] for word in arguments} & {"--seed", "--out", "--data-dir"}:
        raise InputError(f"--row {text!r}: seed, folders and data are given by {cli.program(PROG)}.")
    return module, arguments


def _record(runs, module, arguments, seed, data_dir):
    given = [*arguments, "--seed", str(seed)]
    folder = runs / re.sub(r"[^A-Za-z0-9.]+", "-", " ".join([module, *given]))
    record = finished_runs.history(folder, f"train.{module}", given, data_dir)
    try:
        # A run begun without --seed has the seed 0.
        if finished_runs.arguments_of(record) in (given, arguments) and record["recipe"]["seed"] == seed:
            return record
    except (KeyError, TypeError):
        pass
    raise InputError(
        f"{folder} does not hold a run of {module} {shlex.join(given)}; remove it or choose another --runs."
    )


def _refuse_mixture(module, arguments, records):
    """Refuse runs that differ in more than their seed, as when a recipe was changed between them."""
    alike = [
        (record["network"], record["dataset"]["sha256"], record["steps"], {**record["recipe"], "seed": None})
        for record in records
    ]
    for seed, found in enumerate(alike):
        if found != alike[0]:
            raise InputError(
                f"the runs of {module} {shlex.join(arguments)} with seeds 0 and {seed} are of other recipes, data or "
                "lengths; remove the older."
            )


_HEADER = """\
| `python -m train.` | parameters | data | test error, mean ± standard deviation | each seed, from 0 | seconds |
| --- | ---: | --- | --- | --- | --- |"""


def line(module, arguments, records):
    """A row of the table, in Markdown: error rates in percent, seconds of training from the fastest to the slowest."""
    errors = [100 * (1 - record["test"]["accuracy"]) for record in records]
    spread = f" ± {statistics.stdev(errors):.2f}" if len(errors) > 1 else ""
    seconds = sorted(sum(row["seconds"] for row in record["training"]) for record in records)
    images = records[0]["dataset"]["images"]
    cells = (
        f"`{shlex.join([module, *arguments])}`",
        f"{records[0]['parameters']:,}",
        f"{images['train']:,} train, {records[0]['test']['images']:,} test",
        f"**{statistics.mean(errors):.2f}{spread} %**",
        ", ".join(f"{error:.2f}" for error in errors),
        f"{seconds[0]:.0f}" + (f"–{seconds[-1]:.0f}" if len(seconds) > 1 else ""),
    )
    return f"| {' | '.join(cells)} |"


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: make(args), PROG)


if __name__ == "__main__":
    main()
