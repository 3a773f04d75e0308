"""``python -m train.alexnet``: train AlexNet on CIFAR-10 or on a folder of pictures."""

import functools

from keras_classics import cli
from keras_classics.names import ALEXNET_VARIANTS
from train import arguments, fine_tuning, recipes

PROG = "python -m train.alexnet"


def parser():
    parser = cli.Parser(prog=PROG, description="Train AlexNet on photographs or on small pictures.")
    parser.add_argument(
        "--dataset",
        type=cli.dataset,
        default="cifar10",
        metavar="NAME",
        help="cifar10, imagenette, imagenet2012, or folder:PATH, a folder of one sub-folder of pictures a class, or of "
        "train, val and test with such sub-folders (default: %(default)s)",
    )
    parser.add_argument(
        "--variant",
        choices=ALEXNET_VARIANTS,
        metavar="NAME",
        help=f"{', '.join(ALEXNET_VARIANTS)} (default: cifar10 for --dataset cifar10, else paper)",
    )
    parser.add_argument(
        "--recipe",
        choices=list(recipes.ALEXNET),
        help="paper: as published; modern: half a cosine, smoothed labels; cifar10…: for small "
        "pictures; pruned: with --weights, leaves most weights out (default: that of the variant's name, else paper)",
    )
    fine_tuning.add_to(parser, "cifar10 (variant cifar10_batchnorm), imagenet (torchvision and caffe)")
    arguments.add_to(parser)
    return parser


def train(args):
    variant = args.variant or ("cifar10" if args.dataset == "cifar10" else "paper")
    recipe = recipes.ALEXNET[args.recipe or (variant if variant in recipes.ALEXNET else "paper")]
    recipe = arguments.overridden(recipe, args)
    fine_tuning.check(args, recipe)
    folder = arguments.folder_of_run(args, "alexnet")
    from keras_classics import datasets

    datasets.check_name(args.dataset, datasets.PICTURES)
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from keras_classics import alexnet
    from train.engine import devices
    from train.run import train_network

    strategy = devices.strategy(args.strategy, args.devices)
    row = alexnet.variant_named(variant)
    dataset = datasets.load(args.dataset, args.data_dir)
    build = fine_tuning.builder(
        functools.partial(alexnet.AlexNet, variant=variant), args, len(dataset.class_names), row.classes
    )
    settings = arguments.run_settings(
        args,
        name="alexnet",
        title=f"AlexNet ({', '.join([variant, *fine_tuning.details(args)])})",
        preprocessing=row.preprocessing,
        size=row.image_size,
        folder=folder,
    )
    recipe = arguments.fitted(recipe, args, strategy, len(dataset.train))
    train_network(build, dataset, recipe=recipe, strategy=strategy, settings=settings)


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: train(args), PROG)


if __name__ == "__main__":
    main()
