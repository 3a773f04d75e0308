"""What an export starts from: a network with its weights, and the data to calibrate and verify it with."""

import dataclasses
import json
import pathlib
import sys
import zipfile

from export import networks
from export.networks import NETWORKS, RANDOM
from keras_classics import cli, datasets
from keras_classics.errors import InputError

_LEAST_AGREEMENT = 90.0  # percent


@dataclasses.dataclass(frozen=True)
class Source:
    """A network, and a dataset of ``uint8`` images (or paths of training pictures) of the size it takes.

    Args:
        network: one of ``NETWORKS``.
        variant: "modern", "1998", or an AlexNet's.
        model: a ``keras.Model``; None where only a file is at hand.
        preprocessing: its ``Preprocessing``.
        labels: of its outputs.
        image_shape: ``(height, width, channels)``.
        dataset: a ``datasets.Dataset``; test labels are ``figures.UNLABELLED`` where nobody says what pictures show.
        described: what the dataset says of itself.
        origin: where the weights come from, for people.
        weights: how to get them again: ``{"model": path}``, ``{"weights": name}`` or ``{"random": seed}``.
        held_out: whether its test split is known not to have trained it.
    """

    network: str
    variant: str
    model: object
    preprocessing: object
    labels: tuple
    image_shape: tuple
    dataset: datasets.Dataset
    described: dict
    origin: str
    weights: dict
    held_out: bool | None

    @property
    def trained(self):
        return RANDOM not in self.weights

    def record(self):
        """What a report says of all this."""
        return {
            "network": self.network,
            "variant": self.variant,
            "source": self.weights,
            "dataset": self.described,
            "test_images": len(self.dataset.test),
            "held_out": self.held_out,
        }


def add_arguments(parser):
    """What says which weights and which data."""
    parser.add_argument("--model", metavar="PATH", help="the trained model (default: saved_models/NETWORK.keras)")
    parser.add_argument(
        "--weights",
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
        metavar="NAME",
        help="to calibrate and verify with: mnist, embedded or auto; AlexNet: cifar10 or folder:PATH, one sub-folder a "
        "class (default: what the model was trained on)",
    )
    parser.add_argument(
        "--pictures",
        metavar="DIR",
        help="for AlexNet, instead of a dataset: any pictures; they need no labels, agreement with Keras counts",
    )
    parser.add_argument(
        "--test-images", type=cli.positive_int, metavar="N", help="verify on N test images only (default: all)"
    )


def check_model_file(path):
    """Refuse what cannot be a Keras model file, before TensorFlow is imported.

    Raises:
        InputError: there is no file, or not one that Keras writes.
    """
    if not path.is_file():
        raise InputError(f"there is no model {path}; train one with python -m train.lenet, or give --model PATH.")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a Keras model file (.keras).")


def check(args, named):
    """Refuse arguments that do not go together, before TensorFlow is imported.

    Args:
        args: of a parser with ``add_arguments``.
        named: a network's name, or the path of a ``.keras`` file.

    Returns:
        The path of the model file to load; None for ``--weights`` and for an AlexNet of random weights.

    Raises:
        InputError: so it is.
    """
    if named not in NETWORKS and not named.endswith(".keras"):
        raise InputError(f"there is no network {named!r}; expected {', '.join(NETWORKS)} or the path of a .keras file.")
    if args.dataset:
        datasets.check_name(
            args.dataset, datasets.PICTURES if named == "alexnet" else (*datasets.DIGITS, *datasets.PICTURES)
        )
        if named.startswith("lenet5") and named in NETWORKS:
            datasets.check_name(args.dataset, datasets.DIGITS)
    if args.dataset and args.pictures:
        raise InputError("--dataset and --pictures exclude each other.")
    if args.model and args.weights:
        raise InputError("--model and --weights exclude each other.")
    if named not in NETWORKS:
        if args.model or args.weights:
            raise InputError(f"{named} is a model already; leave out --model and --weights.")
        check_model_file(pathlib.Path(named))
        return pathlib.Path(named)
    if args.variant and named != "alexnet":
        raise InputError("--variant is of AlexNet; LeNet-5 of 1998 is the network lenet5-1998.")
    if args.weights == RANDOM and named != "alexnet":
        raise InputError(f"--weights random is for AlexNet; {named} has trained weights: --weights mnist.")
    if args.weights:
        return None
    path = pathlib.Path(args.model or f"saved_models/{named}.keras")
    if args.model is None and not path.exists():
        if named == "alexnet":
            return None
        raise InputError(
            f"there is no model {path}; train one with python -m train.lenet, give --model PATH, or take the weights "
            "that come with the package: --weights mnist."
        )
    check_model_file(path)
    return path


def load(args, named):
    """The network that the arguments name, with its data.

    Raises:
        InputError: the file is not such a model, or the data is not to be had.
    """
    path = check(args, named)
    if path is not None:
        model = networks.load_model(path)
        network, variant = networks.identify(model, path, named)
        weights, origin = {"model": str(path)}, str(path)
    else:
        network = named
        variant = {"lenet5": "modern", "lenet5-1998": "1998"}.get(named) or args.variant or _usual_variant(args)
        weights = {"weights": args.weights} if args.weights not in (None, RANDOM) else {RANDOM: args.seed}
        model = networks.build(network, variant, weights)
        origin = f"weights {args.weights}" if "weights" in weights else f"random weights (seed {args.seed})"
    if RANDOM in weights:
        print(
            "Weights are random: this shows how well a device computes the network, not how well it recognises.",
            file=sys.stderr,
        )
    preprocessing, shape = networks.row_of(network, variant)
    if tuple(model.input_shape[1:]) != shape:
        raise InputError(f"{path or named} takes {model.input_shape}; expected {(None, *shape)}.")
    trained_on = _trained_on(path) if path else {"name": "mnist"} if network != "alexnet" else {}
    dataset, described, held_out = _data(args, network, shape, trained_on, trained=RANDOM not in weights)
    labels = networks.labels_of(network, model.output_shape[-1], dataset)
    return Source(network, variant, model, preprocessing, labels, shape, dataset, described, origin, weights, held_out)


def load_file(args, path, network, shape):
    """What an exported file is to be judged by: the model of its report, or the one that the arguments name.

    Args:
        args: of a parser with ``add_arguments``.
        path: of the file; the report that was written with it is looked for beside it.
        network: one of ``NETWORKS``.
        shape: ``(height, width, channels)`` that the file takes.

    Returns:
        A ``Source``; its model is None where none was named and no report tells of one.

    Raises:
        InputError: as ``load``.
    """
    report = _report(path)
    made_of = report.get("source", {})
    if not (args.model or args.weights) and report.get("network") == network:
        if "weights" in made_of:
            args.weights = made_of["weights"]
        elif RANDOM in made_of:
            args.weights, args.seed = RANDOM, made_of[RANDOM]
        elif pathlib.Path(made_of.get("model", "")).is_file():
            args.model = made_of["model"]
    if not (args.dataset or args.pictures):
        _take_data(args, report.get("dataset", {}))
    if args.model or args.weights:
        check(args, network)
        source = load(args, network)
        if source.image_shape == shape:
            return source
    variant = {"lenet5": "modern", "lenet5-1998": "1998"}.get(network) or args.variant or _usual_variant(args)
    if network != "alexnet" and (shape[0] != shape[1] or shape[0] < 28 or shape[2] != 1):
        raise InputError(f"{path} takes {shape[0]} × {shape[1]} × {shape[2]} pixels; a digit has at least 28 × 28 × 1.")
    dataset, described, held_out = _data(args, network, shape, {}, trained=True)
    labels = tuple(dataset.class_names)
    return Source(network, variant, None, None, labels, shape, dataset, described, "", {}, held_out)


def check_outputs(source, reference):
    """Refuse a model whose outputs are not probabilities: logits could not be told from them on a device.

    Raises:
        InputError: so it is.
    """
    import numpy as np

    last = source.model.layers[-1]
    ends = (
        type(last).__name__ == "EuclideanRBF"
        or getattr(last.get_config().get("activation"), "lower", str)() == "softmax"
    )
    if not ends:
        raise InputError(
            f"{source.origin} does not end in class probabilities; build it with classifier_activation='softmax'."
        )
    if not np.isfinite(reference.logits).all():
        raise InputError(f"{source.origin} gives outputs that are no numbers; train it anew.")


def _usual_variant(args):
    return "cifar10" if args.dataset == "cifar10" else "paper"


def _trained_on(path):
    """What training wrote of the dataset; empty where there is no history that can be read."""
    try:
        dataset = json.loads(path.with_name(f"{path.stem}_history.json").read_text(encoding="utf-8"))["dataset"]
        return dataset if isinstance(dataset["name"], str) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _report(path):
    """The report beside an exported file; empty where there is none that can be read."""
    try:
        report = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return report if isinstance(report, dict) and isinstance(report.get("source"), dict) else {}
    except (OSError, ValueError):
        return {}


def _take_data(args, described):
    """Take the data that a report describes, if it is still there."""
    name, origin = str(described.get("name", "")), str(described.get("origin", ""))
    if name.startswith("pictures:"):
        args.pictures = origin.removeprefix("pictures in ")
    elif name.startswith(datasets.FOLDER):
        args.dataset = datasets.FOLDER + origin.removeprefix("pictures in ")
    elif name:
        args.dataset = name
        args.data_dir = args.data_dir or described.get("data_dir")


def min_agreement(args, source):
    """The agreement that the gate asks for: without labels it is all there is to judge trained weights by."""
    from export.figures import UNLABELLED

    if args.min_agreement is not None or not source.trained:
        return args.min_agreement
    return _LEAST_AGREEMENT if (source.dataset.test.labels == UNLABELLED).all() else None


def _data(args, network, shape, trained_on, *, trained):
    """The dataset, what it says of itself, and whether its test split is held out."""
    from export import data

    name = args.dataset or (None if args.pictures else trained_on.get("name"))
    if name is None and network != "alexnet":
        name = "auto"
    data_dir = args.data_dir
    if name == trained_on.get("name"):
        data_dir = data_dir or trained_on.get("data_dir")
    if args.pictures and network != "alexnet":
        raise InputError("--pictures is for AlexNet; digits come from --dataset.")
    if name and name.startswith(datasets.FOLDER) and name == trained_on.get("name"):
        name = datasets.FOLDER + trained_on.get("origin", "").removeprefix("pictures in ")
    dataset, described = data.load(
        network,
        shape,
        name=name,
        data_dir=data_dir,
        pictures_folder=args.pictures,
        test_images=args.test_images,
        labelled=trained,
    )
    return dataset, described, data.held_out(trained_on, described)
