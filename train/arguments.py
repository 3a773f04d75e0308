"""The arguments that every training command has; what is not given is as the recipe says."""

import dataclasses

from keras_classics import cli


def add_to(parser):
    parser.add_argument("--data-dir", metavar="DIR", help="where TFDS data lies (or KERAS_CLASSICS_DATA_DIR)")
    parser.add_argument("--epochs", type=cli.positive_int, metavar="N", help="passes over the training images")
    parser.add_argument("--steps", type=cli.positive_int, metavar="N", help="stop after so many steps")
    parser.add_argument("--batch-size", type=cli.positive_int, metavar="N", help="images a step, over all devices")
    parser.add_argument("--learning-rate", type=cli.positive_float, metavar="X", help="highest learning rate")
    parser.add_argument(
        "--seed",
        type=cli.seed_number,
        default=0,
        metavar="N",
        help="of weights, order and distortions (default: %(default)s)",
    )
    parser.add_argument(
        "--out", default="saved_models", metavar="DIR", help="folder to write to (default: %(default)s)"
    )


def overridden(recipe, args):
    """``recipe`` with what the command line says instead."""
    given = {name: getattr(args, name) for name in ("epochs", "batch_size", "learning_rate", "seed")}
    if args.epochs is not None:
        given["min_images"] = 0
    return dataclasses.replace(recipe, **{name: value for name, value in given.items() if value is not None})
