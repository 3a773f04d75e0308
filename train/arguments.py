"""The arguments that every training command has; what is not given is as the recipe says."""

import dataclasses

from keras_classics import cli


def add_to(parser):
    cli.add_common_arguments(parser, seed_of="weights, order and distortions")
    parser.add_argument("--epochs", type=cli.positive_int, metavar="N", help="passes over the training images")
    parser.add_argument("--steps", type=cli.positive_int, metavar="N", help="stop after so many steps")
    parser.add_argument("--batch-size", type=cli.positive_int, metavar="N", help="images a step, over all devices")
    parser.add_argument("--learning-rate", type=cli.positive_float, metavar="X", help="highest learning rate")


def overridden(recipe, args):
    """``recipe`` with what the command line says instead."""
    given = {name: getattr(args, name) for name in ("epochs", "batch_size", "learning_rate", "seed")}
    if args.epochs is not None:
        given["min_images"] = 0
    return dataclasses.replace(recipe, **{name: value for name, value in given.items() if value is not None})
