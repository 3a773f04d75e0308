"""``python -m train.alexnet``: train AlexNet on CIFAR-10 or on a folder of pictures."""

from keras_classics import cli
from train import arguments, recipes

PROG = "python -m train.alexnet"


def parser():
    parser = cli.Parser(prog=PROG, description="Train AlexNet on CIFAR-10 or on a folder of pictures.")
    parser.add_argument(
        "--dataset",
        default="cifar10",
        metavar="NAME",
        help="cifar10, or folder:PATH, a folder of one sub-folder of pictures a class (default: %(default)s)",
    )
    parser.add_argument(
        "--variant",
        choices=list(recipes.ALEXNET),
        metavar="NAME",
        help=f"{', '.join(recipes.ALEXNET)} (default: cifar10 for --dataset cifar10, else paper)",
    )
    arguments.add_to(parser)
    return parser


def train(args):
    folder = cli.output_folder(args.out)
    from keras_classics import datasets

    datasets.check_name(args.dataset, datasets.PICTURES)
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from keras_classics import alexnet
    from train.run import train_network

    variant = args.variant or ("cifar10" if args.dataset == "cifar10" else "paper")
    row = alexnet.variant_named(variant)
    dataset = datasets.load(args.dataset, args.data_dir)
    train_network(
        lambda: alexnet.AlexNet(variant=variant, classes=len(dataset.class_names)),
        name="alexnet",
        title=f"AlexNet ({variant})",
        preprocessing=row.preprocessing,
        size=row.image_size,
        dataset=dataset,
        recipe=arguments.overridden(recipes.ALEXNET[variant], args),
        folder=folder,
        **arguments.run_settings(args),
    )


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: train(args), PROG)


if __name__ == "__main__":
    main()
