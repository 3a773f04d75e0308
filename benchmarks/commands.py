"""``python -m benchmarks.commands``: seconds from Enter to done of the commands that people run, and where they go."""

import dataclasses
import pathlib
import statistics
import tempfile
import time

from benchmarks import measure
from keras_classics import children

PROG = "python -m benchmarks.commands"
_ROOT = pathlib.Path(__file__).parent.parent
_COUNTER = """
import atexit, builtins, pathlib, runpy, sys, time
plain, inside, total = builtins.__import__, 0, 0.0
def counted(*args, **options):
    global inside, total
    inside, start = inside + 1, time.perf_counter()
    try:
        return plain(*args, **options)
    finally:
        inside -= 1
        total += 0 if inside else time.perf_counter() - start
builtins.__import__ = counted
place, sys.argv = sys.argv[1], sys.argv[2:]
atexit.register(lambda: pathlib.Path(place).write_text(str(total)))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def parser():
    return measure.parser(PROG, "Seconds from Enter to done: train, export, predict and verify LeNet-5.")


def lines(folder):
    """Name → module and arguments, each run after those above it, in ``folder``."""
    model = folder / "lenet5_int8.tflite"
    return {
        "train.lenet --epochs 1": ("train.lenet", "--dataset", "embedded", "--epochs", "1", "--out", folder),
        "export.tflite lenet5": ("export.tflite", folder / "lenet5.keras", "--out", folder),
        "export.predict, one picture": ("export.predict", model, folder / "test_digits" / "7.png"),
        "export.verify": ("export.verify", model),
    }


def seconds(command):
    """Seconds of a command in a process of its own."""
    start = time.perf_counter()
    children.run(children.module(*command), f"python -m {command[0]}", cwd=_ROOT, capture_output=True)
    return time.perf_counter() - start


def importing(command):
    """Seconds of a command that go into ``import`` statements, those within others counted once."""
    with tempfile.NamedTemporaryFile("r") as file:
        python, launcher, *arguments = children.module(*command)
        whole = [python, "-c", _COUNTER, file.name, launcher, *arguments]
        children.run(whole, f"python -m {command[0]}", cwd=_ROOT, capture_output=True)
        return float(file.read())


def rows(args):
    found = []
    with tempfile.TemporaryDirectory() as folder:
        commands = lines(pathlib.Path(folder))
        for command in commands.values():  # what comes from disk is then in memory
            seconds(command)
        times = {name: [] for name in commands}
        for _ in range(args.rounds):
            for name, command in commands.items():
                times[name].append(seconds(command))
        for name, command in commands.items():
            row = measure.row_of(name, {"ours": times[name]}, unit="s")
            share = importing(command)
            rest = max(0.0, statistics.median(times[name]) - share)
            note = f"{share:.1f} s of it import modules, {rest:.1f} s are tracing, work and the end of the process"
            found.append(dataclasses.replace(row, note=note))
    return found


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
