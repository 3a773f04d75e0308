"""``python -m train.lenet``: train LeNet-5 on handwritten digits."""

import dataclasses
import sys

from keras_classics import cli
from keras_classics.errors import InputError
from keras_classics.names import LENET5_VARIANTS
from train import arguments, recipes

PROG = "python -m train.lenet"


def parser():
    parser = cli.Parser(prog=PROG, description="Train LeNet-5 on handwritten digits.")
    parser.add_argument(
        "--dataset",
        type=cli.dataset,
        default="auto",
        metavar="NAME",
        help="mnist, fashion_mnist, idx:PATH (a folder of files as MNIST was published in), embedded (5,000 digits "
        "that need no network), or auto: mnist if it is on disk or can be downloaded, else embedded (default: auto)",
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
        help="default: a minute or two; best: longer, on more varied digits; photographs: digits as "
        "photographs show them and other hands draw them too; 1998: the paper's schedule, without distortions "
        "(default: %(default)s)",
    )
    arguments.add_to(parser)
    return parser


def train(args):
    published = args.variant == "1998"
    recipe = recipes.LENET5[args.recipe]
    if published != (recipe.loss == "maximum_a_posteriori"):
        recipe = dataclasses.replace(recipe, loss="maximum_a_posteriori" if published else "cross_entropy")
    if published and args.recipe == "photographs":
        raise InputError("the recipe photographs trains the variant modern only.")
    recipe = arguments.overridden(recipe, args)
    folder = arguments.folder_of_run(args, "lenet5-1998" if published else "lenet5")
    from keras_classics import datasets

    datasets.check_name(args.dataset, datasets.DIGITS)
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from keras_classics import lenet
    from train import photographs
    from train.engine import devices
    from train.report import history
    from train.run import train_network

    lanes = devices.one_thread_an_operation()
    strategy = devices.strategy(args.strategy, args.devices)
    samples = folder / "test_digits"
    if samples.exists() and not samples.is_dir():
        raise InputError(f"cannot write to the folder {samples}: it is a file.")
    dataset = datasets.load(args.dataset, args.data_dir)
    padded = dataset.padded(lenet.IMAGE_SIZE)
    if args.recipe == "photographs":
        if dataset.class_names != lenet.LABELS:
            raise InputError(f"the recipe photographs goes with digits; {dataset.name} has other classes.")
        print("Drawing digits as photographs show them …", file=sys.stderr, flush=True)
        padded = photographs.extended(padded, recipe.seed, folder / "photographs.npz")
    details = [word for word in (published and args.variant, args.activation) if word]

    def build(input_tensor=None):
        return lenet.LeNet5(
            variant=args.variant,
            activation=args.activation,
            classifier_activation="softmax",
            input_tensor=input_tensor,
        )

    is_chief = train_network(
        build,
        name="lenet5-1998" if published else "lenet5",
        title="LeNet-5" + (f" ({', '.join(details)})" if details else ""),
        preprocessing=lenet.PREPROCESSING,
        size=lenet.IMAGE_SIZE,
        dataset=padded,
        recipe=arguments.shared_out(recipe, args, strategy),
        folder=folder,
        strategy=strategy,
        lanes=lanes,
        **arguments.run_settings(args),
    )
    if is_chief:
        history.save_samples(samples, dataset.test, dataset.class_names)
        print(f"Wrote one test digit of each class to {samples}/, to try a model on")


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: train(args), PROG)


if __name__ == "__main__":
    main()
