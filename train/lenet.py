"""``python -m train.lenet``: train LeNet-5 on handwritten digits."""

import dataclasses
import functools
import sys

from keras_classics import cli
from keras_classics.errors import InputError
from keras_classics.names import LENET5_VARIANTS
from train import arguments, distillation, fine_tuning, recipes

PROG = "python -m train.lenet"


def parser():
    parser = cli.Parser(prog=PROG, description="Train LeNet-5 on handwritten digits.")
    parser.add_argument(
        "--dataset",
        type=cli.dataset,
        default="auto",
        metavar="NAME",
        help="mnist, fashion_mnist, idx:PATH (a folder of files as MNIST was published in), folder:PATH (a folder of "
        "one sub-folder of pictures a class), embedded (5,000 digits that need no network), or auto: mnist if it is "
        "on disk or can be downloaded, else embedded (default: auto)",
    )
    parser.add_argument(
        "--variant", choices=LENET5_VARIANTS, default="modern", help="which LeNet-5 (default: %(default)s)"
    )
    parser.add_argument(
        "--activation",
        choices=("tanh", "sigmoid", "relu"),
        help="of the hidden layers (default: tanh; in 1998 the paper's scaled tanh)",
    )
    parser.add_argument(
        "--recipe",
        choices=list(recipes.LENET5),
        default="default",
        help="default: a minute or two; quick: 98.5 %% in seconds; best: longer, on more varied digits; distilled: "
        "longer again, what the networks of --distil say; photographs: digits as photographs show them and other "
        "hands draw them too; 1998: the paper's schedule, no distortions (default: %(default)s)",
    )
    fine_tuning.add_to(parser, "mnist (activations tanh and relu, and --variant 1998)")
    distillation.add_to(parser)
    arguments.add_to(parser)
    return parser


def train(args):
    name = "lenet5-1998" if args.variant == "1998" else "lenet5"
    recipe = arguments.overridden(_recipe(args), args)
    fine_tuning.check(args, recipe)
    distillation.check(recipe, args.distil)
    distillation.described(args.distil)  # whether they can be read, before anything is loaded
    folder = arguments.folder_of_run(args, name)
    from keras_classics import datasets

    datasets.check_name(args.dataset, datasets.DIGITS)
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from keras_classics import lenet
    from keras_classics.datasets.unreadable import Unreadable
    from train.engine import devices
    from train.report import history
    from train.run import train_network

    lanes = devices.one_thread_an_operation()
    strategy = devices.strategy(args.strategy, args.devices)
    samples = folder / "test_digits"
    if samples.exists() and not samples.is_dir():
        raise InputError(f"cannot write to the folder {samples}: it is a file.")
    dataset = datasets.load(args.dataset, args.data_dir)
    unreadable = Unreadable(args.max_bad)
    padded = _padded(dataset, args, recipe, folder, unreadable)
    settings = arguments.run_settings(
        args,
        name=name,
        title=_title(args),
        preprocessing=lenet.PREPROCESSING,
        size=lenet.IMAGE_SIZE,
        folder=folder,
        lanes=lanes,
    )
    recipe = arguments.fitted(recipe, args, strategy, len(padded.train))
    classes = len(dataset.class_names)
    shared = {"strategy": strategy, "settings": settings, "unreadable": unreadable, "teacher": _teacher(args, classes)}
    if train_network(_builder(args, classes), padded, recipe=recipe, **shared):
        shown = dataset.test if dataset.test.in_memory else padded.test
        history.save_samples(samples, shown, dataset.class_names)


def _recipe(args):
    """The recipe, with the loss of the variant."""
    if args.variant == "1998" and args.recipe == "photographs":
        raise InputError("the recipe photographs trains the variant modern only.")
    recipe = recipes.LENET5[args.recipe]
    if args.variant == "1998":
        return dataclasses.replace(recipe, loss="maximum_a_posteriori")
    return dataclasses.replace(recipe, loss="cross_entropy") if recipe.loss == "maximum_a_posteriori" else recipe


def _title(args):
    details = [word for word in (args.variant == "1998" and "1998", args.activation) if word]
    details += fine_tuning.details(args) + distillation.details(args)
    return "LeNet-5" + (f" ({', '.join(details)})" if details else "")


def _padded(dataset, args, recipe, folder, unreadable):
    """The dataset as the network takes it, after a check that its classes are the network's."""
    from keras_classics import lenet
    from train import photographs

    classes = len(dataset.class_names)
    if args.variant == "1998" and classes > len(lenet.LABELS):
        raise InputError(
            f"{dataset.name} has {classes} classes; the network of 1998 has prototypes of ten. Take --variant modern."
        )
    padded = dataset.padded(lenet.IMAGE_SIZE, unreadable)
    if args.recipe != "photographs":
        return padded
    if dataset.class_names != lenet.LABELS:
        raise InputError(f"the recipe photographs goes with digits; {dataset.name} has other classes.")
    print("Drawing digits as photographs show them …", file=sys.stderr, flush=True)
    return photographs.extended(padded, recipe.seed, folder / "photographs.npz")


def _builder(args, classes):
    from keras_classics import lenet

    network = functools.partial(
        lenet.LeNet5, variant=args.variant, activation=args.activation, classifier_activation="softmax"
    )
    return fine_tuning.builder(network, args, classes, len(lenet.LABELS))


def _teacher(args, classes):
    from keras_classics import lenet

    shape = (lenet.IMAGE_SIZE, lenet.IMAGE_SIZE, 1)
    known = {"shape": shape, "classes": classes, "preprocessing": lenet.PREPROCESSING}
    return functools.partial(distillation.teacher, args.distil, **known) if args.distil else None


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: train(args), PROG)


if __name__ == "__main__":
    main()
