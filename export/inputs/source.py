"""What an export starts from: a network with its weights, and the data to calibrate and verify it with."""

import dataclasses
import json
import pathlib
import sys

from export import arguments
from export.inputs import networks
from export.inputs.networks import RANDOM
from keras_classics import datasets
from keras_classics.errors import InputError

_PACKAGED = "mnist"  # name of LeNet-5's weights that come with the package
_LEAST_AGREEMENT = 90.0  # percent
_ORIGINS = ("pictures in ", "IDX files in ")  # how a dataset that is a folder says where it is


@dataclasses.dataclass(frozen=True)
class Source:
    """A network, and a dataset of ``uint8`` images (or paths of training pictures) of the size it takes.

    Args:
        network: one of ``networks.NETWORKS``.
        variant: "modern", "1998", or an AlexNet's.
        model: a ``keras.Model``.
        preprocessing: its ``Preprocessing``.
        labels: of its outputs.
        image_shape: ``(height, width, channels)``.
        dataset: a ``datasets.Dataset``; test labels are ``figures.UNLABELLED`` where nobody says what pictures show.
        described: what the dataset says of itself.
        origin: where the weights come from, for people.
        weights: how to get them again: ``{"model": path}``, ``{"weights": name}`` or ``{"random": seed}``.
        held_out: whether its test split is known not to have trained it; None: nobody knows.
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


def load(args, named):
    """The network that the arguments name, with its data.

    Args:
        args: of a parser with ``arguments.add_to``, and ``data_dir`` and ``seed`` (of random weights).
        named: a network's name, or the path of a ``.keras`` file.

    Raises:
        InputError: the file is not such a model, or the data is not to be had.
    """
    path = arguments.check(args, named)
    if path is not None:
        model = networks.load_model(path)
        network, variant = networks.identify(model, path, named)
        weights, origin = {"model": str(path)}, str(path)
    else:
        network, variant = named, networks.usual_variant(named, args.variant, args.dataset)
        weights, origin = _by_name(args, network)
        model = networks.build(network, variant, weights)
    preprocessing, shape = networks.row_of(network, variant)
    if tuple(model.input_shape[1:]) != shape:
        raise InputError(f"{path or named} takes {model.input_shape}; expected {(None, *shape)}.")
    trained_on = _trained_on(path) if path else {"name": "mnist"} if network != "alexnet" else {}
    dataset, described, held_out = _data(args, network, shape, trained_on, labelled=RANDOM not in weights)
    labels = networks.labels_of(network, model.output_shape[-1], dataset)
    return Source(network, variant, model, preprocessing, labels, shape, dataset, described, origin, weights, held_out)


def _by_name(args, network):
    """Weights that no model file holds: how to get them, and how to call them."""
    name = args.weights or (RANDOM if network == "alexnet" else _PACKAGED)
    if args.weights is None:
        print(f"There is no saved_models/{network}.keras; taking --weights {name}.", file=sys.stderr)
    if name != RANDOM:
        return {"weights": name}, f"{networks.TITLES[network]} with the weights {name}"
    print(
        "Weights are random: this shows how well a device computes the network, not how well it recognises.",
        file=sys.stderr,
    )
    return {RANDOM: args.seed}, f"{networks.TITLES[network]} with random weights (seed {args.seed})"


def load_for_file(args, path, network):
    """What an exported file is to be judged by: the model of the report beside it, or the one that the arguments name.

    Without either it is LeNet-5 with the packaged weights, which a file for digits made by anybody can stand beside.

    Args:
        args: as ``load`` takes them.
        path: of the file.
        network: one of ``networks.NETWORKS``.

    Raises:
        InputError: as ``load``; or AlexNet's weights are not named.
    """
    report = _report(path)
    made_of = report.get("source", {}) if report.get("network") == network else {}
    if not (args.model or args.weights):
        if "weights" in made_of:
            args.weights = made_of["weights"]
        elif RANDOM in made_of:
            args.weights, args.seed = RANDOM, made_of[RANDOM]
        elif "model" in made_of:
            args.model = made_of["model"]
        elif network == "alexnet":
            raise InputError(f"{path} comes without a report that names its weights; say them: --model or --weights.")
        else:
            args.weights = _PACKAGED
    if network == "alexnet":
        args.variant = args.variant or report.get("variant")
    if not (args.dataset or args.pictures):
        _take_data(args, report.get("dataset", {}))
    return load(args, network)


def with_images_of(source, shape):
    """The test split of ``source`` with images of ``(height, width, channels)``, in the same order.

    Raises:
        InputError: digits do not fit, or pictures are read in another size.
    """
    side = source.image_shape[0]
    if tuple(shape) == source.image_shape:
        return source.dataset.test
    margin = (side - shape[0]) // 2
    if source.network == "alexnet" or shape[0] != shape[1] or shape[2] != 1 or not 28 <= shape[0] <= side:
        raise InputError(
            f"the file takes images of {' × '.join(map(str, shape))}; expected "
            f"{' × '.join(map(str, source.image_shape))}."
        )
    test = source.dataset.test
    return datasets.Split(test.images[:, margin : margin + shape[0], margin : margin + shape[0]], test.labels)


def check_outputs(source, reference):
    """Refuse a model whose outputs are not probabilities: logits could not be told from them on a device.

    Raises:
        InputError: so it is.
    """
    import numpy as np

    last = source.model.layers[-1]
    activation = last.get_config().get("activation")
    if type(last).__name__ != "EuclideanRBF" and activation != "softmax":
        raise InputError(
            f"{source.origin} does not end in class probabilities; build it with classifier_activation='softmax'."
        )
    if not np.isfinite(reference.logits).all():
        raise InputError(f"{source.origin} gives outputs that are no numbers; train it anew.")


def file_name(trained, path):
    """What files are called: as the model's, else as the network; random weights cannot be taken for trained ones."""
    if path is not None:
        return pathlib.Path(path).stem
    return trained.network if trained.trained else f"{trained.network}_random"


def min_agreement(args, source):
    """The agreement that the gate asks for: without labels it is all there is to judge trained weights by."""
    from export.gate.metrics import UNLABELLED

    if args.min_agreement is not None or not source.trained:
        return args.min_agreement
    return _LEAST_AGREEMENT if (source.dataset.test.labels == UNLABELLED).all() else None


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
    """Take the data that a report describes."""
    if str(described.get("name", "")).startswith("pictures:"):
        args.pictures = described["origin"].removeprefix(_ORIGINS[0])
    elif described.get("name"):
        args.dataset = _again(described)
        args.data_dir = args.data_dir or described.get("data_dir")


def _again(described):
    """The name by which a dataset that said this of itself can be loaded again."""
    name, origin = described["name"], str(described.get("origin", ""))
    for kind, prefix in ((datasets.FOLDER, _ORIGINS[0]), (datasets.IDX, _ORIGINS[1])):
        if name.startswith(kind):
            return kind + origin.removeprefix(prefix)
    return name


def _data(args, network, shape, trained_on, *, labelled):
    """The dataset, what it says of itself, and whether its test split is held out."""
    from export.inputs import data

    if args.pictures and network != "alexnet":
        raise InputError("--pictures is for AlexNet; digits come from --dataset.")
    name, data_dir = args.dataset, args.data_dir
    if name is None and not args.pictures and trained_on:
        name, data_dir = _again(trained_on), data_dir or trained_on.get("data_dir")
    if name == "mnist" and not args.dataset and not trained_on.get("data_dir"):
        name = "auto"  # the packaged weights: any digits of MNIST will do
    if name is None and network != "alexnet":
        name = "auto"
    dataset, described = data.load(
        network,
        shape,
        name=name,
        data_dir=data_dir,
        pictures_folder=args.pictures and pathlib.Path(args.pictures),
        test_images=args.test_images,
        labelled=labelled,
    )
    return dataset, described, data.held_out(trained_on, described)
