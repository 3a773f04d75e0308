"""``python -m benchmarks.train_lenet``: images a second of training LeNet-5, by the engine of the commands."""

import shutil
import time

from benchmarks import measure

PROG = "python -m benchmarks.train_lenet"
_COMPILERS = ("g++", "clang++")  # that torch.compile takes, unless CXX names another


def parser():
    parser = measure.parser(PROG, "Training LeNet-5 with Adam on digits in memory, against PyTorch.")
    parser.add_argument("--images", type=measure.positive_int, default=40_000, metavar="N", help="a side and round")
    parser.add_argument("--batches", type=measure.numbers, default=[64, 256], metavar="N,…", help="batch sizes")
    return parser


def engine(batch, dataset, *, strategy=None, **recipe):
    """``engine.trainer.Trainer`` as ``train.lenet`` has it, on digits as they are, with Adam at one rate of 0.001.

    ``start`` is to be called before.
    """
    from keras_classics import lenet
    from keras_classics.runtime import cores
    from train.engine import devices
    from train.engine.trainer import Trainer
    from train.recipes import Recipe

    plain = {"epochs": 1_000_000, "optimizer": "adamw", "learning_rate": 1e-3, "weight_decay": 0.0, "warmup": 0.0}
    return Trainer(
        lenet.LeNet5,
        preprocessing=lenet.PREPROCESSING,
        size=lenet.IMAGE_SIZE,
        dataset=dataset,
        recipe=Recipe(batch_size=batch, **{**plain, **recipe}),
        strategy=strategy or devices.strategy("one"),
        lanes=cores(),
    )


def start():
    """Start TensorFlow as ``train.lenet`` does."""
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from train.engine import devices

    devices.one_thread_an_operation()


def images_a_second(trainer, steps):
    """Of ``steps`` more steps, from outside: whatever the engine does besides counts."""
    start = time.perf_counter()
    for _ in trainer.train(trainer.step + steps):
        pass
    return steps * trainer.recipe.batch_size / (time.perf_counter() - start)


def torch_sides(batch, dataset, steps):
    """PyTorch's loop as it is, with its fused Adam, and where there is a C++ compiler with ``torch.compile`` too."""
    import torch

    from benchmarks import peers, torch_training
    from keras_classics import lenet

    data = torch_training.digits(dataset.train, lenet.PREPROCESSING)
    forms = [("PyTorch", False, False), ("PyTorch, fused Adam", True, False)]
    if any(map(shutil.which, _COMPILERS)):
        forms.append(("PyTorch, torch.compile", True, True))
    sides = {}
    for name, fused, compiled in forms:

        def adam(parameters, fused=fused):
            return torch.optim.Adam(parameters, 1e-3, fused=fused)

        training = torch_training.Training(peers.torch_lenet5(), adam, *data, batch, compiled=compiled)
        training.run(5)
        sides[name] = lambda training=training: training.run(steps)
    return sides


def rows(args):
    from keras_classics import datasets

    peers, found = measure.start("torch"), []
    start()
    dataset = datasets.load("embedded").padded(32)
    for batch in args.batches:
        steps = max(1, args.images // batch)
        trainer = engine(batch, dataset)
        images_a_second(trainer, 5)
        others = torch_sides(batch, dataset, steps) if peers else {}
        sides = {"ours": lambda t=trainer, n=steps: images_a_second(t, n), **others}
        name = f"LeNet-5 training, batch {batch}"
        found.append(measure.compare(name, sides, unit="images/s", rounds=args.rounds))
    return found


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
