"""``python -m benchmarks.train_alexnet``: images a second of training AlexNet, by the engine of the commands."""

import numpy as np

from benchmarks import measure
from benchmarks.train_lenet import images_a_second

PROG = "python -m benchmarks.train_alexnet"


def parser():
    parser = measure.parser(PROG, "Training AlexNet with normalization on 224×224 pictures in memory, against PyTorch.")
    parser.add_argument("--batches", type=measure.numbers, default=[32, 128], metavar="N,…", help="batch sizes")
    parser.add_argument("--steps", type=measure.positive_int, default=2, metavar="N", help="a side and round")
    return parser


def pictures(count):
    """``count`` pictures of noise, 224×224, as a dataset in memory; what they show does not change the work."""
    from keras_classics import datasets

    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (count, 224, 224, 3), dtype=np.uint8)
    split = datasets.Split(pixels, random.integers(0, 1000, count))
    names = tuple(str(number) for number in range(1000))
    return datasets.Dataset("noise", "made here", names, split, split, split)


def engine(batch, dataset):
    """``train.engine.trainer.Trainer`` of the paper's network and update rule (section 5), pictures as they are."""
    from keras_classics import alexnet
    from train.engine import devices
    from train.engine.trainer import Trainer
    from train.recipes import Recipe

    return Trainer(
        alexnet.AlexNet,
        preprocessing=alexnet.VARIANTS["paper"].preprocessing,
        size=224,
        dataset=dataset,
        # A rate so small that weights hardly move: noise would lead them astray.
        recipe=Recipe(batch, 1_000_000, "sgd", 1e-6, 5e-4, momentum=0.9),
        strategy=devices.strategy("one"),
    )


def torch_training_of(batch, dataset, *, channels_last):
    import torch

    from benchmarks import peers, torch_training
    from keras_classics import alexnet

    def sgd(parameters):
        return torch.optim.SGD(parameters, 1e-6, momentum=0.9, weight_decay=5e-4)

    images = torch.from_numpy(np.ascontiguousarray(dataset.train.images.transpose(0, 3, 1, 2)))
    mean = torch.tensor(alexnet.VARIANTS["paper"].preprocessing.mean).reshape(1, 3, 1, 1)
    return torch_training.Training(
        peers.randomise(peers.torch_alexnet_paper()),
        sgd,
        images,
        torch.from_numpy(dataset.train.labels),
        batch,
        prepare=lambda images: images.float() - mean,
        channels_last=channels_last,
    )


def rows(args):
    peers, found = measure.start("torch"), []
    for batch in args.batches:
        dataset = pictures(2 * batch)
        trainer = engine(batch, dataset)
        images_a_second(trainer, 1)
        sides = {"ours": lambda t=trainer: images_a_second(t, args.steps)}
        for name, last in (("PyTorch", False), ("PyTorch, channels last", True)) if peers else ():
            training = torch_training_of(batch, dataset, channels_last=last)
            training.run(1)
            sides[name] = lambda t=training: t.run(args.steps)
        found.append(measure.compare(f"AlexNet training, batch {batch}", sides, unit="images/s", rounds=args.rounds))
    return found


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
