"""``python -m benchmarks.endurance``: two devices for one, and whether a long run stays fast and small."""

import os
import pathlib
import resource
import statistics
import tempfile
import time

from benchmarks import measure
from benchmarks.train_lenet import engine, images_a_second, start

PROG = "python -m benchmarks.endurance"
DEVICES_LIMIT = 1.15  # times the time of one device
_PARTS = 10  # of the long run; the first is warm-up


def parser():
    parser = measure.parser(PROG, "Two devices in place of one; speed and memory over a long run of LeNet-5.")
    parser.add_argument("--steps", type=measure.positive_int, default=10_000, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--predictions",
        type=measure.positive_int,
        default=100_000,
        metavar="N",
        help="read (default: %(default)s)",
    )
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


def descriptors():
    """How many files, pipes and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def long_training(args, dataset):
    """Rows of ``args.steps`` steps of batch 64."""
    trainer, part = engine(64, dataset), max(1, args.steps // _PARTS)
    name = f"LeNet-5, {args.steps:,} steps of batch 64"
    return long_run(name, "steps/s", lambda: images_a_second(trainer, part) / 64)


def long_prediction(args, dataset):
    """Rows of ``args.predictions`` pictures, as ``export.predict`` reads files of digits with the packaged model."""
    import importlib.resources

    from PIL import Image

    from export.prediction import recognition
    from keras_classics.recognition import recognizer

    part = max(1, args.predictions // _PARTS)
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder, "model.tflite")
        packaged = importlib.resources.files("keras_classics.recognition").joinpath(recognizer.PACKAGED)
        model.write_bytes(packaged.read_bytes())
        paths = [f"{folder}/{number}.png" for number in range(200)]
        for path, image in zip(paths, dataset.test.images, strict=False):
            Image.fromarray(image[..., 0]).save(path)
        settings = recognition.Settings(str(model))

        def read():
            start = time.perf_counter()
            for number in range(part):
                recognition.recognized(settings, paths[number % len(paths)])
            return part / (time.perf_counter() - start)

        return long_run(f"{args.predictions:,} pictures of digits read", "pictures/s", read)


def long_run(name, unit, work):
    """Rows of speed, memory and open files of ten calls of ``work``: the end against the first, which is warm-up.

    Args:
        name: of what is done.
        unit: of what ``work`` returns, a rate.
        work: does a tenth.
    """
    speeds, sizes, opened = [], [], []
    for _ in range(_PARTS):
        speeds.append(work())
        sizes.append(resident())
        opened.append(descriptors())
    middle = 1 + (_PARTS - 1) // 2
    early, late = statistics.median(speeds[1:middle]), statistics.median(speeds[middle:])
    rows = []
    for what, ours, first, of, values in (
        ("speed late and early", late, early, unit, speeds),
        ("memory at the end and after a tenth", sizes[-1], sizes[0], "MB", sizes),
        ("open files at the end and after a tenth", opened[-1], opened[0], "files", opened),
    ):
        ratio = ours / first if of == unit else first / ours
        note = ", ".join(f"{value:.0f}" for value in values) + f" {of}"
        rows.append(measure.Row(f"{name}: {what}", ours, first, of, ratio, what.rpartition(" and ")[2], note=note))
    return rows


def rows(args):
    from keras_classics import datasets

    start()
    from train.engine import devices

    mirrored = devices.strategy("mirrored", 2)  # first: it divides the CPU
    dataset = datasets.load("embedded").padded(32)
    # The long run first: when a distributed dataset is given up, TensorFlow waits for its autotuner, up to 20 s.
    found = long_training(args, dataset) + long_prediction(args, dataset)
    return [two_devices(args, dataset, mirrored), *found]


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
