"""The arguments that every training command has; what is not given is as the recipe says."""

import dataclasses
import json
import os

from keras_classics import cli, files, locks
from keras_classics.errors import InputError
from train.run_settings import PRECISIONS, STRATEGIES, RunSettings


def add_to(parser):
    """Add the arguments of every training command to ``parser``."""
    cli.add_common_arguments(parser, seed_of="weights, order and distortions")
    _add_recipe(parser)
    _add_checkpoints(parser)
    _add_devices(parser)
    _add_data_and_logs(parser)


def _add_recipe(parser):
    parser.add_argument("--epochs", type=cli.positive_int, metavar="N", help="passes over the training images")
    parser.add_argument("--steps", type=cli.positive_int, metavar="N", help="stop after so many steps")
    parser.add_argument("--batch-size", type=cli.positive_int, metavar="N", help="images a step, over all devices")
    parser.add_argument("--learning-rate", type=cli.positive_float, metavar="X", help="highest learning rate")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="change a number of the recipe, as train/recipes.py names it; may be repeated",
    )


def _add_checkpoints(parser):
    parser.add_argument(
        "--checkpoint-minutes",
        type=cli.positive_float,
        default=5.0,
        metavar="X",
        help="save the state of the run every so often (default: %(default)s); the same command goes on from there",
    )
    parser.add_argument("--checkpoint-steps", type=cli.positive_int, metavar="N", help="and every so many steps")
    parser.add_argument(
        "--keep",
        type=cli.positive_int,
        default=2,
        metavar="N",
        help="how many checkpoints to keep (default: %(default)s)",
    )
    parser.add_argument("--fresh", action="store_true", help="discard an unfinished run in the folder of --out")


def _add_devices(parser):
    parser.add_argument(
        "--strategy",
        choices=STRATEGIES,
        default="auto",
        help="one device, mirrored over those of this machine, or multiworker over the machines in TF_CONFIG "
        "(default: auto, which takes what there is)",
    )
    parser.add_argument(
        "--devices", type=cli.positive_int, metavar="N", help="devices of this machine; without GPUs, parts of its CPU"
    )
    parser.add_argument(
        "--batch-size-per-device",
        type=cli.positive_int,
        metavar="N",
        help="instead of --batch-size: images a step and device; the learning rate grows in proportion to the batch",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="of the computation; weights stay float32 (default: %(default)s)",
    )
    parser.add_argument(
        "--deterministic", action="store_true", help="the same bits from the same seed, at some cost in speed"
    )


def _add_data_and_logs(parser):
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help="write logs for TensorBoard to the folder of --out while training; looking at them needs "
        "keras-classics[tensorboard]",
    )
    parser.add_argument(
        "--cache-mb",
        type=cli.non_negative_float,
        default=1000,
        metavar="N",
        help="memory to hold training pictures in, decoded if they fit, else encoded (default: %(default)s)",
    )
    parser.add_argument(
        "--max-bad",
        type=cli.seed_number,
        default=10,
        metavar="N",
        help="undecodable pictures to tolerate: replaced by the next one in training, left out of "
        "evaluation, and named (default: %(default)s)",
    )


def folder_of_run(args, name):
    """The folder of ``--out`` as a path, which no other run ``name`` writes to until this one ends.

    Of several machines that share it the first claims it.

    Raises:
        InputError: another run has it, or it cannot be written to.
    """
    folder = files.output_folder(args.out)
    if args.strategy not in ("auto", "multiworker") or _is_first_machine():
        locks.claim(folder, name)
    return folder


def _is_first_machine():
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        jobs, task = config["cluster"], config["task"]
        return task["type"] == "chief" or (not jobs.get("chief") and int(task["index"]) == 0)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return True  # not several; a wrong one raises an error later


def run_settings(args, **given):
    """The ``RunSettings`` of a command: what its arguments say, and ``given`` for the rest."""
    fields = {field.name for field in dataclasses.fields(RunSettings)} - {*given}
    return RunSettings(**{name: value for name, value in vars(args).items() if name in fields}, **given)


def overridden(recipe, args):
    """``recipe`` with what the command line says instead.

    Raises:
        InputError: ``--set`` names no field of a recipe, or a value that it cannot have.
    """
    if args.batch_size and args.batch_size_per_device:
        raise InputError("--batch-size and --batch-size-per-device cannot both be given.")
    recipe = dataclasses.replace(recipe, **dict(_setting(text, recipe) for text in args.set))
    given = {name: getattr(args, name) for name in ("epochs", "batch_size", "learning_rate", "seed")}
    if args.epochs is not None:
        given["min_images"] = 0
    return dataclasses.replace(recipe, **{name: value for name, value in given.items() if value is not None})


def fitted(recipe, args, strategy, images):
    """``recipe`` with batches for the devices of ``strategy`` (``--batch-size-per-device``) and for few images.

    A batch that was not given is halved until two fit into the training split. The learning rate is scaled by as much
    as the batch (Goyal et al., 2017, "linear scaling rule"), unless it was given.
    """
    devices = strategy.num_replicas_in_sync
    batch = recipe.batch_size
    if args.batch_size_per_device:
        batch = args.batch_size_per_device * devices
    elif args.batch_size is None:
        while batch > max(1, images // 2) and batch % (2 * devices) == 0:
            batch //= 2
    if batch == recipe.batch_size:
        return recipe
    rate = recipe.learning_rate
    if args.learning_rate is None:
        rate *= batch / recipe.batch_size
        print(
            f"Batches of {batch} instead of {recipe.batch_size}: learning rate {rate:g} instead of "
            f"{recipe.learning_rate:g}"
        )
    return dataclasses.replace(recipe, batch_size=batch, learning_rate=rate)


def _setting(text, recipe):
    """``FIELD=VALUE`` as a pair, the value of the kind that the field has."""
    name, equals, value = text.partition("=")
    kinds = {field.name: field.type for field in dataclasses.fields(recipe) if field.name != "loss"}
    if not equals or name not in kinds:
        raise InputError(f"--set {text}: expected FIELD=VALUE, with a field of {', '.join(kinds)}.")
    try:
        return name, kinds[name](value)
    except ValueError as error:
        kind = {int: "a whole number", float: "a number"}[kinds[name]]
        raise InputError(f"--set {text}: {name} is {kind}.") from error
