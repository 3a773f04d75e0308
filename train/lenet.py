"""``python -m train.lenet``: train LeNet-5 on handwritten digits."""

from keras_classics import cli
from train import arguments

PROG = "python -m train.lenet"


def parser():
    parser = cli.Parser(prog=PROG, description="Train LeNet-5 on handwritten digits.")
    parser.add_argument(
        "--dataset",
        default="auto",
        metavar="NAME",
        help="mnist, embedded (5,000 digits that need no network), or auto: mnist if it is on disk or can be "
        "downloaded, else embedded (default: %(default)s)",
    )
    arguments.add_to(parser)
    return parser


def train(args):
    folder = cli.output_folder(args.out)
    from keras_classics import datasets
    from keras_classics.errors import InputError

    datasets.check_name(args.dataset, datasets.DIGITS)
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from keras_classics import lenet
    from train import recipes, run_folder
    from train.run import train_network

    samples = folder / "test_digits"
    if samples.exists() and not samples.is_dir():
        raise InputError(f"cannot write to the folder {samples}: it is a file.")
    dataset = datasets.load(args.dataset, args.data_dir)
    train_network(
        lenet.LeNet5,
        name="lenet5",
        title="LeNet-5",
        preprocessing=lenet.PREPROCESSING,
        size=lenet.IMAGE_SIZE,
        dataset=dataset.padded(lenet.IMAGE_SIZE),
        recipe=arguments.overridden(recipes.LENET5, args),
        folder=folder,
        steps=args.steps,
    )
    run_folder.save_samples(samples, dataset.test, dataset.class_names)
    print(f"Wrote one test digit of each class to {samples}/, to try a model on")


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: train(args), PROG)


if __name__ == "__main__":
    main()
