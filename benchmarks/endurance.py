"""``python -m benchmarks.endurance``: two devices for one, and whether a long run stays fast and small."""

import pathlib
import resource
import statistics

from benchmarks import measure
from benchmarks.train_lenet import engine, images_a_second, start

PROG = "python -m benchmarks.endurance"
DEVICES_LIMIT = 1.15  # times the time of one device
_PARTS = 10  # of the long run; the first is warm-up


def parser():
    parser = measure.parser(PROG, "Two devices in place of one; speed and memory over a long run of LeNet-5.")
    parser.add_argument("--steps", type=measure.positive_int, default=10_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--batch", type=measure.positive_int, default=256, metavar="N", help="over both devices")
    return parser


def resident():
    """Megabytes that this process has resident now."""
    pages = int(pathlib.Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize() / 1e6


def two_devices(args, dataset, mirrored):
    """The row of the same global batch on two logical devices (ours) and on one."""
    both = engine(args.batch, dataset, strategy=mirrored)
    one = engine(args.batch, dataset)
    steps = max(1, min(200, args.steps // 20))
    for trainer in (both, one):
        images_a_second(trainer, 5)
    sides = {
        "two devices": lambda: images_a_second(both, steps),
        "one device": lambda: images_a_second(one, steps),
    }
    name = f"LeNet-5 mirrored over two logical CPU devices, batch {args.batch} in all"
    note = f"to be at least {1 / DEVICES_LIMIT:.2f}: the time of one device times {DEVICES_LIMIT} at most"
    return measure.compare(name, sides, unit="images/s", rounds=args.rounds, note=note)


def long_run(args, dataset):
    """Rows of speed and memory over ``args.steps`` steps of batch 64: the end against the beginning, warm-up apart."""
    trainer, part = engine(64, dataset), max(1, args.steps // _PARTS)
    speeds, sizes = [], []
    for _ in range(_PARTS):
        speeds.append(images_a_second(trainer, part) / 64)
        sizes.append(resident())
    middle = 1 + (_PARTS - 1) // 2
    early, late = statistics.median(speeds[1:middle]), statistics.median(speeds[middle:])
    what = f"LeNet-5, {args.steps:,} steps of batch 64"
    steps = ", ".join(f"{speed:.0f}" for speed in speeds)
    memory = ", ".join(f"{size:.0f}" for size in sizes)
    return [
        measure.Row(
            f"{what}: speed late and early", late, early, "steps/s", late / early, "early", note=f"{steps} steps/s"
        ),
        measure.Row(
            f"{what}: memory at the end and after a tenth",
            sizes[-1],
            sizes[0],
            "MB",
            sizes[0] / sizes[-1],
            "a tenth",
            note=f"{memory} MB",
        ),
    ]


def rows(args):
    from keras_classics import datasets

    start()
    from train.engine import devices

    mirrored = devices.strategy("mirrored", 2)  # first: it divides the CPU
    dataset = datasets.load("embedded").padded(32)
    # The long run first: when a distributed dataset is given up, TensorFlow waits for its autotuner, up to 20 s.
    found = long_run(args, dataset)
    return [two_devices(args, dataset, mirrored), *found]


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
