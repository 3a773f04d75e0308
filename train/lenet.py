"""``python -m train.lenet``: train LeNet-5 on handwritten digits."""

import dataclasses
import sys

from keras_classics import cli


def parser():
    parser = cli.Parser(prog="python -m train.lenet", description="Train LeNet-5 on handwritten digits.")
    add_common_arguments(parser)
    parser.add_argument(
        "--dataset",
        default="auto",
        metavar="NAME",
        help="mnist, embedded (5,000 digits that need no network), or auto: mnist if it is on disk or can be "
        "downloaded, else embedded (default: %(default)s)",
    )
    return parser


def add_common_arguments(parser):
    """The arguments every training command has; None means what the recipe says."""
    parser.add_argument("--data-dir", metavar="DIR", help="where TFDS data lies (or KERAS_CLASSICS_DATA_DIR)")
    parser.add_argument("--epochs", type=cli.positive_int, metavar="N", help="passes over the training images")
    parser.add_argument("--batch-size", type=cli.positive_int, metavar="N", help="images a step, over all devices")
    parser.add_argument("--learning-rate", type=cli.positive_float, metavar="X", help="highest learning rate")
    parser.add_argument("--seed", type=cli.seed_number, default=0, metavar="N", help="of weights, order and distortions (default: %(default)s)")
    parser.add_argument("--steps", type=cli.positive_int, metavar="N", help="stop after so many steps")
    parser.add_argument("--out", default="saved_models", metavar="DIR", help="folder to write to (default: %(default)s)")


def overridden(recipe, args):
    """``recipe`` with what the command line says instead."""
    given = {name: getattr(args, name) for name in ("epochs", "batch_size", "learning_rate", "seed")}
    if args.epochs is not None:
        given["min_images"] = 0
    return dataclasses.replace(recipe, **{name: value for name, value in given.items() if value is not None})


def train(args):
    folder = cli.output_folder(args.out)
    from keras_classics import datasets
    from keras_classics.errors import InputError
    from keras_classics.runtime import start_tensorflow

    if args.dataset not in datasets.DIGITS:
        raise InputError(f"there is no dataset of digits called {args.dataset!r}; expected {', '.join(datasets.DIGITS)}.")
    start_tensorflow()
    from keras_classics import lenet
    from train import recipes, run_folder
    from train.run import train_network

    dataset = datasets.load(args.dataset, args.data_dir)
    train_network(
        lenet.LeNet5,
        name="lenet5",
        title="LeNet-5",
        preprocessing=lenet.PREPROCESSING,
        size=lenet.IMAGE_SIZE,
        dataset=dataset.padded(lenet.IMAGE_SIZE),
        recipe=overridden(recipes.LENET5, args),
        folder=folder,
        steps=args.steps,
    )
    run_folder.save_samples(folder / "test_digits", dataset.test, dataset.class_names)
    print(f"Wrote one test digit of each class to {folder / 'test_digits'}/, to try a model on")


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: train(args), "python -m train.lenet")


if __name__ == "__main__":
    main(sys.argv[1:])
