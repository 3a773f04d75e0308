"""``python -m train.alexnet``: train AlexNet on CIFAR-10 or on a folder of pictures."""

from keras_classics import cli
from keras_classics.errors import InputError
from keras_classics.names import ALEXNET_VARIANTS
from train import arguments, recipes

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
        help="paper: as published; modern: half a cosine, smoothed labels; cifar10: for small pictures (default: that "
        "of the variant)",
    )
    parser.add_argument(
        "--weights",
        type=cli.path,
        metavar="NAME",
        help="begin with trained weights: imagenet (variants torchvision and caffe), or a file of .weights.h5, .keras, "
        ".pth or .onnx; a last layer for other classes begins anew",
    )
    parser.add_argument("--freeze", choices=("conv",), help="with --weights: conv leaves the convolutions as they are")
    arguments.add_to(parser)
    return parser


def train(args):
    if args.freeze and not args.weights:
        raise InputError("--freeze leaves random convolutions as they are unless --weights names trained ones.")
    variant = args.variant or ("cifar10" if args.dataset == "cifar10" else "paper")
    recipe = recipes.ALEXNET[args.recipe or ("cifar10" if variant == "cifar10" else "paper")]
    recipe = arguments.overridden(recipe, args)
    folder = arguments.folder_of_run(args, "alexnet")
    from keras_classics import datasets

    datasets.check_name(args.dataset, datasets.PICTURES)
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from keras_classics import alexnet
    from train.engine import centring, devices
    from train.run import train_network

    strategy = devices.strategy(args.strategy, args.devices)
    row = alexnet.variant_named(variant)
    dataset = datasets.load(args.dataset, args.data_dir)
    classes = len(dataset.class_names)
    begin = _trained_layers(args.weights, variant, classes) if args.weights else {}
    mean = centring.mean_in(args.weights) if args.weights else None

    def build(input_tensor=None):
        if mean is not None:  # what the weights were trained with
            input_tensor = centring.centred(mean)
        model = alexnet.AlexNet(variant=variant, classes=classes, input_tensor=input_tensor)
        for layer in model.layers:
            if layer.name in begin and [w.shape for w in begin[layer.name]] == [w.shape for w in layer.weights]:
                layer.set_weights(begin[layer.name])
            if args.freeze and layer.name.startswith("conv"):
                layer.trainable = False
        return model

    details = [variant, args.weights and f"from {args.weights}", args.freeze and "convolutions frozen"]
    train_network(
        build,
        name="alexnet",
        title=f"AlexNet ({', '.join(filter(None, details))})",
        preprocessing=row.preprocessing,
        size=row.image_size,
        dataset=dataset,
        recipe=arguments.shared_out(recipe, args, strategy),
        folder=folder,
        strategy=strategy,
        **arguments.run_settings(args),
    )


def _trained_layers(weights, variant, classes):
    """The weights of each layer of a trained network, for its own number of classes or for ``classes``."""
    from keras_classics import alexnet

    errors = []
    for trained_classes in (alexnet.VARIANTS[variant].classes, classes):
        try:
            model = alexnet.AlexNet(variant=variant, weights=weights, classes=trained_classes)
            return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
        except (ValueError, ImportError, ConnectionError) as error:
            errors.append(error)
    raise InputError(str(errors[0])) from errors[0]


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: train(args), PROG)


if __name__ == "__main__":
    main()
