"""Which network, which weights and which data: what every export is told, checked before TensorFlow is imported."""

import pathlib
import zipfile

from export.inputs import networks
from export.inputs.networks import NETWORKS, RANDOM
from keras_classics import cli, datasets
from keras_classics.errors import InputError

MODES = ("float32", "float16", "dynamic", "int8", "int16x8")
CALIBRATED = ("int8", "int16x8")  # modes that need pictures to set the ranges of activations by


def add_to(parser):
    """What says which weights and which data."""
    parser.add_argument(
        "--model",
        type=cli.path,
        metavar="PATH",
        help="the trained model (default: saved_models/NETWORK.keras; if LeNet-5 has none, the weights that come with "
        "the package, and AlexNet random ones)",
    )
    parser.add_argument(
        "--weights",
        type=cli.path,
        metavar="NAME",
        help="instead of a model: weights by name (mnist for LeNet-5, imagenet for AlexNet), a file of weights, or "
        "random (AlexNet)",
    )
    parser.add_argument(
        "--variant",
        choices=networks.ALEXNETS,
        metavar="NAME",
        help=f"of AlexNet: {', '.join(networks.ALEXNETS)} (default: paper)",
    )
    parser.add_argument(
        "--dataset",
        type=cli.dataset,
        metavar="NAME",
        help="to calibrate and verify with: mnist, fashion_mnist, idx:PATH, embedded or auto; AlexNet: cifar10 or "
        "folder:PATH, one sub-folder a class (default: what the model was trained on)",
    )
    parser.add_argument(
        "--pictures",
        type=cli.path,
        metavar="DIR",
        help="for AlexNet, instead of a dataset: any pictures; they need no labels, agreement with Keras counts",
    )
    parser.add_argument(
        "--test-images", type=cli.positive_int, metavar="N", help="verify on N test images only (default: all)"
    )


def check(args, named):
    """Refuse arguments that do not go together, before TensorFlow is imported.

    Args:
        args: of a parser with ``add_to``.
        named: a network's name, or the path of a ``.keras`` file.

    Returns:
        The path of the model file to load; None where weights are taken by name, or random ones.

    Raises:
        InputError: so it is.
    """
    known = named in NETWORKS
    if not known and not named.endswith(".keras"):
        raise InputError(f"there is no network {named!r}; expected {', '.join(NETWORKS)} or the path of a .keras file.")
    digits = datasets.DIGITS if named != "alexnet" else ()
    photographs = datasets.PICTURES if named == "alexnet" or not known else ()
    if args.dataset:
        datasets.check_name(args.dataset, (*digits, *photographs))
    _check_exclusive(args, "dataset", "pictures")
    if args.pictures and known and named != "alexnet":
        raise InputError("--pictures is for AlexNet; digits come from --dataset.")
    if args.pictures and not pathlib.Path(args.pictures).is_dir():
        raise InputError(f"there is no folder {args.pictures}.")
    _check_exclusive(args, "model", "weights")
    if args.variant and named != "alexnet":
        raise InputError("--variant is of AlexNet; LeNet-5 of 1998 is the network lenet5-1998.")
    if args.weights == RANDOM and named != "alexnet":
        raise InputError(f"--weights random is for AlexNet; {named} has trained weights: --weights mnist.")
    if not known and (args.model or args.weights):
        raise InputError(f"{named} is a model already; leave out --model and --weights.")
    path = pathlib.Path(args.model or (f"saved_models/{named}.keras" if known else named))
    if args.weights or (known and args.model is None and not path.exists()):
        if named == "alexnet" and not (args.dataset or args.pictures):
            raise InputError("AlexNet is verified on pictures: give --pictures DIR, --dataset cifar10 or folder:PATH.")
        return None
    if not path.is_file():
        raise InputError(f"there is no model {path}; train one with python -m train.lenet, or take --weights mnist.")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a Keras model file (.keras).")
    return path


def _check_exclusive(args, one, other):
    if getattr(args, one) and getattr(args, other):
        raise InputError(f"--{one} and --{other} exclude each other.")
