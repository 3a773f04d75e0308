"""What an export starts from: a network with its weights, and the data to calibrate and verify it with."""

import dataclasses
import json
import pathlib
import sys

from export.contract import RANDOM, TITLES
from export.inputs import networks
from keras_classics import datasets, files
from keras_classics.errors import InputError

_PACKAGED = "mnist"  # name of LeNet-5's weights that come with the package
_TRAINED_PACKAGED = {"spec": {"kind": "tfds", "name": "mnist"}}  # what they were trained on
_LEAST_AGREEMENT = 90.0  # percent


@dataclasses.dataclass(frozen=True)
class Source:
    """A network, and a dataset of ``uint8`` images (or paths of training pictures) of the size it takes.

    Args:
        network: one of ``contract.NETWORKS``.
        variant: "modern", "1998", or an AlexNet's.
        model: a ``keras.Model``.
        preprocessing: its ``Preprocessing``.
        labels: of its outputs.
        image_shape: ``(height, width, channels)``.
        dataset: a ``datasets.Dataset``; test labels are ``metrics.UNLABELLED`` where the pictures' classes are unknown.
        described: what the dataset says of itself.
        origin: where the weights come from, as displayed.
        weights: how to get them again: ``{"model": path}``, ``{"weights": name}`` or ``{"random": seed}``.
        held_out: whether its test split is known not to have trained it; None: unknown.
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


def load(request):
    """The network that an ``arguments.ExportRequest`` asks for, with its data.

    Raises:
        InputError: the file is not such a model, or the data is not to be had.
    """
    from export.inputs import data
    from keras_classics.datasets import picture_files

    if request.pictures and not picture_files.has_pictures(request.pictures, request.pictures):
        picture_files.in_folder(request.pictures)  # says so, before a network is built
    if request.model is not None:
        model = networks.load_model(request.model)
        weights, origin = {"model": str(request.model)}, _shown(request.model)
    else:
        variant = networks.usual_variant(request.named, request.variant, request.dataset)
        weights, origin = _by_name(request)
        model = networks.build(request.named, variant, weights)
    known = networks.described(model, origin, request.named)
    shape = networks.image_shape(model, known, origin)
    trained_on = known.data or (_TRAINED_PACKAGED if weights == {"weights": _PACKAGED} else {})
    dataset, described = data.load(known.network, shape, request, trained_on, labelled=RANDOM not in weights)
    unchanged = not known.data or known.checksum == networks.checksum_of(model)
    held_out = data.held_out(trained_on, described) if unchanged else None
    labels = networks.labels_of(known.network, model.output_shape[-1], dataset, known.labels)
    return Source(
        *(known.network, known.variant, model, known.preprocessing, labels, shape),
        *(dataset, described, origin, weights, held_out),
    )


def _shown(path):
    """A path as people read it here: from the working directory, where it is below that."""
    here = pathlib.Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _by_name(request):
    """Weights that no model file holds: how to get them, and how to call them."""
    network = request.named
    name = request.weights or (RANDOM if network == "alexnet" else _PACKAGED)
    if request.weights is None:
        print(f"There is no saved_models/{network}.keras; taking the weights {name}.", file=sys.stderr)
    if name != RANDOM:
        return {"weights": name}, f"{TITLES[network]} with the weights {name}"
    print(
        "Weights are random: this shows how well a device computes the network, not how well it recognises.",
        file=sys.stderr,
    )
    return {RANDOM: request.seed}, f"{TITLES[network]} with random weights (seed {request.seed})"


def of_file(request, path):
    """The request to judge an exported file by: with the model and data of the report beside it, where none are named.

    Without either it is LeNet-5 with the packaged weights, which a file for digits made by anybody can stand beside.

    Args:
        request: an ``arguments.ExportRequest`` whose ``named`` is the file's network.
        path: of the file.

    Raises:
        InputError: AlexNet's weights or data are not named, or the report's model is gone.
    """
    try:
        return _by_report(request, path, _report(path))
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        text = f"the report beside {path} is damaged; remove it, or name model and dataset."
        raise InputError(text, settings=("model", "dataset")) from error


def _by_report(request, path, report):
    made_of = report.get("source", {}) if report.get("network") == request.named else {}
    if not (request.model or request.weights):
        request = dataclasses.replace(request, **_weights_of(made_of, path, request))
    if request.named == "alexnet" and request.variant is None and isinstance(report.get("variant"), str):
        request = dataclasses.replace(request, variant=report["variant"])
    spec = (report.get("dataset") or {}).get("spec") if isinstance(report.get("dataset"), dict) else None
    if not request.has_data and isinstance(spec, dict):
        if spec.get("kind") == "pictures":
            return dataclasses.replace(request, pictures=pathlib.Path(spec["path"]))
        return dataclasses.replace(request, dataset=spec)
    return request


def _weights_of(made_of, path, request):
    """Fields of the request that say which weights a report (its "source") names."""
    if "model" in made_of:
        model = pathlib.Path(made_of["model"])
        if not model.is_file():
            raise InputError(f"{path} was made of {model}, which is not there; say where it is.", settings=("model",))
        return {"model": model}
    if "weights" in made_of:
        return {"weights": made_of["weights"]}
    if RANDOM in made_of and request.named == "alexnet":
        return {"weights": RANDOM, "seed": int(made_of[RANDOM])}
    if request.named == "alexnet":
        text = f"{path} comes without a report that names its weights; name a model or weights."
        raise InputError(text, settings=("model", "weights"))
    return {"weights": _PACKAGED}


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


def file_name(trained, request):
    """Stem of the files written: the model's, else the network's name, marked if the weights are random."""
    if request.model is not None:
        return request.model.stem
    return trained.network if trained.trained else f"{trained.network}_random"


def min_agreement(request, source):
    """The agreement that the gate asks for: without labels it is all there is to judge trained weights by."""
    from export.gate.metrics import UNLABELLED

    if request.min_agreement is not None or not source.trained:
        return request.min_agreement
    return _LEAST_AGREEMENT if (source.dataset.test.labels == UNLABELLED).all() else None


def _report(path):
    """The report beside an exported file; empty where there is none that can be read."""
    for beside in (path.with_name(f"{path.name}.json"), path.with_suffix(".json")):
        try:
            report = json.loads(beside.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(report, dict) and isinstance(report.get("source"), dict):
            if report.get("model_sha256", digest := files.digest(path)) != digest:  # a run was killed in between
                print(f"Warning: {beside} describes another model than {path}.", file=sys.stderr, flush=True)
            return report
    return {}
