"""``python -m benchmarks.microcontroller FILE.tflite …``: the C code of digit models on a Cortex-M that QEMU plays.

For each model: its answers to MNIST's test digits on this computer and on the processor beside those of LiteRT's
reference kernels, flash and RAM by the linker's map, stack, and instructions a digit. Instructions are no time.
"""

import json
import pathlib

from keras_classics import cli, datasets
from keras_classics.errors import InputError

PROG = "python -m benchmarks.microcontroller"
_COLUMNS = (
    *("model", "processor", "weights", "flash", "RAM", "stack", "instructions", "accuracy (95 % interval)"),
    *("identical here", "identical there"),
)


def parser():
    from export.microcontroller.qemu import MACHINES

    parser = cli.Parser(
        prog=PROG, description="Flash, RAM, instructions and answers of the C code of digit models, in QEMU."
    )
    parser.add_argument("models", nargs="+", metavar="FILE.tflite", help="of python -m export.tflite --mode int8")
    parser.add_argument("--machine", choices=[*MACHINES, "all"], default="mps2-an385", help="(default: %(default)s)")
    parser.add_argument("--digits", type=cli.positive_int, default=1000, help="in QEMU (default: %(default)s)")
    parser.add_argument("--dataset", default="mnist", metavar="NAME", help="mnist or embedded (default: %(default)s)")
    parser.add_argument("--data-dir", metavar="DIR", help="where TFDS data lies (or KERAS_CLASSICS_DATA_DIR)")
    parser.add_argument("--side", type=cli.positive_int, default=28, help="of the pictures (default: %(default)s)")
    parser.add_argument("--optimization", default="-O2", help="of the compiler (default: %(default)s)")
    parser.add_argument("--storage", choices=("smallest", "plain"), default="smallest", help="(default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    return parser


def measured(path, args, split, machines):
    """One dict a machine.

    Args:
        path: of the model.
        args: of ``parser``.
        split: test digits of the model's size.
        machines: names of QEMU's machines.
    """
    import numpy as np

    from export.gate import metrics
    from export.microcontroller import c_code, host, qemu, reference

    request = c_code.Request(path, side=args.side, smallest=args.storage == "smallest")
    files, network = c_code.sources(request)[0], c_code.network_of(path.read_bytes(), request, split.images.shape[1:])
    margin = (split.images.shape[1] - args.side) // 2
    middle = slice(margin, margin + args.side)
    pixels = np.ascontiguousarray(split.images[:, middle, middle])
    expected = reference.outputs(path.read_bytes(), split.images)
    here = host.outputs(files, request.name, pixels, expected.shape[1])
    answers = metrics.answers(here / np.float32(256), split, None)
    for machine in machines:
        count = min(args.digits, len(pixels))
        run = qemu.run(files, request.name, pixels[:count], expected.shape[1], machine, args.optimization)
        yield {
            **{"model": str(path), "processor": qemu.MACHINES[machine], "weights": sum(_constant(network))},
            **{"flash": run.flash, "ram": run.ram, "stack": run.stack, "instructions": run.instructions},
            **{"accuracy": answers["accuracy"], "interval_95": answers["interval_95"]},
            "identical_here": [int((here == expected).all(axis=1).sum()), len(expected)],
            "identical_there": [int((run.answers == expected[:count]).all(axis=1).sum()), count],
        }


def _constant(network):
    """Bytes of weights with their biases and scales."""
    sizes = network.sizes()
    return sizes.weights, sizes.scales


def line(row):
    """A row of the table."""
    low, high = row["interval_95"]
    cells = [
        *(pathlib.Path(row["model"]).stem, row["processor"]),
        *(f"{row[name]:,}" for name in ("weights", "flash", "ram", "stack", "instructions")),
        f"{row['accuracy']:.2%} ({low:.2%} to {high:.2%})",
        *("{:,} of {:,}".format(*row[name]) for name in ("identical_here", "identical_there")),
    ]
    return f"| {' | '.join(cells)} |"


def measure(args):
    """Measure and print; the exit code: 1 where an answer differs."""
    from export.microcontroller.qemu import MACHINES
    from keras_classics.runtime import start_tensorflow

    datasets.check_name(args.dataset, datasets.DIGITS)
    paths = [pathlib.Path(model) for model in args.models]
    for path in paths:
        if not path.is_file():
            raise InputError(f"there is no model {path}.")
    start_tensorflow()
    from export.litert.classifier import Classifier

    machines = list(MACHINES) if args.machine == "all" else [args.machine]
    data, rows = datasets.load(args.dataset, args.data_dir), []
    print(f"| {' | '.join(_COLUMNS)} |\n| --- | --- |{' ---: |' * (len(_COLUMNS) - 2)}", flush=True)
    for path in paths:
        side = Classifier(path.read_bytes(), path).image_shape[0]
        for row in measured(path, args, data.padded(side).test, machines):
            print(line(row), flush=True)
            rows.append(row)
    if args.json:
        print(json.dumps({"rows": rows}))
    return int(any(row[name][0] < row[name][1] for row in rows for name in ("identical_here", "identical_there")))


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: measure(args), PROG)


if __name__ == "__main__":
    main()
