"""The command line of every export as one frozen ``ExportRequest``, checked before TensorFlow is imported."""

import dataclasses
import pathlib
import zipfile

from export.contract import ALEXNET_VARIANTS, MODEL_SUFFIX, NETWORKS, RANDOM
from keras_classics import cli, datasets
from keras_classics.errors import InputError

NO_DATA = "AlexNet is verified on pictures: give --pictures DIR, or --dataset cifar10 or folder:PATH."


@dataclasses.dataclass(frozen=True)
class FineTuning:
    """What is done to a network before it is converted.

    Args:
        qat: whether quantization-aware training is.
        prune: share of the weights that become 0, or None.
        cluster: how many different weights a layer keeps, or None.
        images: that each of the three sees; None takes their own numbers.
    """

    qat: bool = False
    prune: float | None = None
    cluster: int | None = None
    images: int | None = None

    @property
    def requested(self):
        return bool(self.qat or self.prune or self.cluster)


@dataclasses.dataclass(frozen=True)
class ExportRequest:
    """What a command of ``export`` was asked for; immutable.

    Args:
        named: a name of ``contract.NETWORKS``, or the path of a ``.keras`` file.
        model: absolute path of the model file to load; None where weights are taken by name, or random ones.
        weights: name or file of the weights, "random", or None where not given.
        variant: of AlexNet, or None.
        dataset: what ``datasets.from_spec`` loads ("auto" is {"kind": "auto"}), or None where not given.
        pictures: absolute path of a folder of pictures without classes, or None.
        data_dir: where TFDS data lies, or None.
        test_images: how many test images to verify on; None: all.
        seed: of random weights and of the choice of calibration images.
        out: folder to write to.
        modes, io, lrn: names of ``contract.MODES``, of ``contract.PIXEL_TYPES`` (None: any), and of
            ``contract.LRN_FORMS`` or "auto".
        calibration: absolute path of a folder of pictures to calibrate with, or None.
        calibration_images: how many, or None.
        fine_tuning: a ``FineTuning``.
        debug: whether to report the error of each layer.
        target: a name of ``contract.TARGETS``.
        max_drop, min_agreement, max_size: of the gate (``gate.Limits``).
    """

    named: str
    model: pathlib.Path | None = None
    weights: str | None = None
    variant: str | None = None
    dataset: dict | None = None
    pictures: pathlib.Path | None = None
    data_dir: str | None = None
    test_images: int | None = None
    seed: int = 0
    out: str = "saved_models"
    modes: tuple[str, ...] = ()
    io: str | None = "uint8"
    lrn: str = "auto"
    calibration: pathlib.Path | None = None
    calibration_images: int | None = None
    fine_tuning: FineTuning = FineTuning()
    debug: bool = False
    target: str = "mobile"
    max_drop: float = 0.5
    min_agreement: float | None = None
    max_size: int | None = None

    @property
    def has_data(self):
        return self.dataset is not None or self.pictures is not None


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
        help="instead of a model: weights by name (mnist for LeNet-5, cifar10 and imagenet for AlexNet), a file of "
        "weights, or random (AlexNet)",
    )
    parser.add_argument(
        "--variant",
        choices=ALEXNET_VARIANTS,
        metavar="NAME",
        help=f"of AlexNet: {', '.join(ALEXNET_VARIANTS)} (default: paper)",
    )
    parser.add_argument(
        "--dataset",
        type=cli.dataset,
        metavar="NAME",
        help="to calibrate and verify with: mnist, fashion_mnist, idx:PATH, folder:PATH (one sub-folder a class), "
        "embedded or auto; AlexNet: cifar10 or folder:PATH (default: what the model was trained on)",
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


def request_of(args, named):
    """The ``ExportRequest`` of a command line.

    Args:
        args: of a parser with ``add_to``, and whatever else of the request's fields it has.
        named: a network's name, or the path of a ``.keras`` file.

    Raises:
        InputError: arguments that do not go together; a file or folder that is not there.
    """
    _check_weights(args, named)
    _check_data(args, named)
    model = args.model or (None if named in NETWORKS else named)
    names = {field.name for field in dataclasses.fields(ExportRequest)} - {"modes", "fine_tuning", "calibration"}
    given = {name: value for name, value in vars(args).items() if name in names}
    return ExportRequest(
        **{
            **given,
            "named": named,
            "model": _model_file(model) if model else None,
            "dataset": _spec(args.dataset) if args.dataset else None,
            "pictures": _folder(args.pictures) if args.pictures else None,
        },
        modes=getattr(args, "mode", ()),
        fine_tuning=_fine_tuning(args),
        calibration=_calibration(getattr(args, "calibration", None)),
    )


def with_saved_model(request):
    """``request``, with the model that training left in ``saved_models/`` where neither model nor weights are given.

    Raises:
        InputError: weights of AlexNet that have no data of their own would be verified on nothing.
    """
    path = pathlib.Path("saved_models", f"{request.named}{MODEL_SUFFIX}")
    if not (request.model or request.weights) and path.exists():
        request = dataclasses.replace(request, model=_model_file(path))
    if request.model is None and request.named == "alexnet" and not request.has_data:
        raise InputError(NO_DATA)
    return request


def _check_weights(args, named):
    known = named in NETWORKS
    if not known and not named.endswith(MODEL_SUFFIX):
        raise InputError(f"there is no network {named!r}; expected {', '.join(NETWORKS)} or the path of a .keras file.")
    if args.variant and named != "alexnet":
        raise InputError("--variant is of AlexNet; LeNet-5 of 1998 is the network lenet5-1998.")
    if args.weights == RANDOM and named != "alexnet":
        raise InputError(f"--weights random is for AlexNet; {named} has trained weights: --weights mnist.")
    if not known and (args.model or args.weights):
        raise InputError(f"{named} is a model already; leave out --model and --weights.")
    _check_exclusive(args, "model", "weights")


def _check_data(args, named):
    digits = datasets.DIGITS if named != "alexnet" else ()
    photographs = datasets.PICTURES if named == "alexnet" or named not in NETWORKS else ()
    if args.dataset:
        datasets.check_name(args.dataset, (*digits, *photographs))
    _check_exclusive(args, "dataset", "pictures")
    if args.pictures and named in NETWORKS and named != "alexnet":
        raise InputError("--pictures is for AlexNet; digits come from --dataset.")


def _check_exclusive(args, one, other):
    if getattr(args, one) and getattr(args, other):
        raise InputError(f"--{one} and --{other} exclude each other.")


def _model_file(given):
    path = datasets.absolute(given)
    if not path.is_file():
        raise InputError(f"there is no model {given}; train one with python -m train.lenet, or take --weights mnist.")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{given} is not a Keras model file (.keras).")
    return path


def _spec(name):
    return {"kind": "auto"} if name == "auto" else datasets.spec_of(name)


def _folder(given):
    path = datasets.absolute(given)
    if not path.is_dir():
        raise InputError(f"there is no folder {given}.")
    return path


def _calibration(text):
    if text is None:
        return None
    if not text.startswith(datasets.FOLDER):
        raise InputError(f"--calibration is {text!r}; expected folder:PATH.")
    return _folder(text.removeprefix(datasets.FOLDER))


def _fine_tuning(args):
    if not hasattr(args, "aware"):
        return FineTuning()
    return FineTuning(bool(args.aware), args.prune, args.cluster, args.fine_tune_images)
