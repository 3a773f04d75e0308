"""``python -m benchmarks.memory``: peak resident memory of training, each side in a process of its own."""

import resource
import subprocess
import sys

from benchmarks import measure
from keras_classics import children

PROG = "python -m benchmarks.memory"
WORK = {"alexnet": "AlexNet training, batch 128", "lenet": "LeNet-5 training on MNIST, batch 64"}


def parser():
    parser = measure.parser(PROG, "Peak resident memory of training, each side in a process of its own.", rounds=1)
    parser.add_argument("--batch", type=measure.positive_int, default=128, metavar="N", help="AlexNet's")
    parser.add_argument("--steps", type=measure.positive_int, default=3, metavar="N", help="AlexNet's; LeNet-5's × 200")
    parser.add_argument("--data-dir", metavar="DIR", help="where TFDS data lies; without MNIST the embedded digits")
    parser.add_argument("--networks", nargs="+", choices=list(WORK), default=list(WORK), metavar="NAME", help="of both")
    parser.add_argument("--side", choices=[f"{side}-{work}" for side in ("ours", "torch") for work in WORK])
    return parser


def train(args):
    """What the process of one side does."""
    from keras_classics.runtime import start_tensorflow

    side, work = args.side.split("-")
    if work == "alexnet":
        from benchmarks import train_alexnet as benchmark

        dataset = benchmark.pictures(args.batch)
        if side == "ours":
            start_tensorflow()
            return benchmark.images_a_second(benchmark.engine(args.batch, dataset), args.steps)
        return benchmark.torch_training_of(args.batch, dataset, channels_last=False).run(args.steps)
    from benchmarks import train_lenet as benchmark

    steps = args.steps * 200
    if side == "ours":
        benchmark.start()
        return benchmark.images_a_second(benchmark.engine(64, digits(args)), steps)
    return benchmark.torch_sides(64, digits(args), steps)["PyTorch"]()


def digits(args):
    """MNIST or the embedded digits, read in another process: PyTorch's users would not load TensorFlow for it."""
    import pickle

    program = (
        "import pickle, sys; from keras_classics import datasets; "
        f"pickle.dump(datasets.load('auto', {args.data_dir!r}).padded(32), sys.stdout.buffer)"
    )
    done = children.run([sys.executable, "-c", program], "reading the digits", stdout=subprocess.PIPE)
    return pickle.loads(done.stdout)


def peak(side, args):
    """Megabytes that a process of ``side`` had resident at most."""
    command = [sys.executable, "-m", "benchmarks.memory", "--side", side, "--steps", str(args.steps)]
    command += ["--batch", str(args.batch), *(["--data-dir", args.data_dir] if args.data_dir else [])]
    done = children.run(command, f"the process of {side}", stdout=subprocess.PIPE, text=True)
    return float(done.stdout.split()[-1])


def rows(args):
    names = ["ours", *(["torch"] if measure.has("torch") else [])]
    labels = {"ours": "ours", "torch": "PyTorch"}
    return [
        measure.compare(
            what.replace("128", str(args.batch)),
            {labels[name]: lambda side=f"{name}-{work}": peak(side, args) for name in names},
            unit="MB",
            rounds=args.rounds,
        )
        for work, what in WORK.items()
        if work in args.networks
    ]


def run(args):
    if not args.side:
        return measure.report(args, rows(args))
    train(args)
    return print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: run(args), PROG)


if __name__ == "__main__":
    main()
