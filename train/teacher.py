"""``python -m train.teacher``: train a network of half a million parameters on digits, for LeNet-5 to learn from."""

import functools

from keras_classics import cli
from train import arguments, recipes

PROG = "python -m train.teacher"


def parser():
    parser = cli.Parser(
        prog=PROG,
        description="Train a larger network on handwritten digits, for `train.lenet --recipe distilled --distil` to "
        "learn from. Two of different seeds together know more than one.",
    )
    parser.add_argument(
        "--dataset",
        type=cli.dataset,
        default="auto",
        metavar="NAME",
        help="as train.lenet takes it (default: auto)",
    )
    arguments.add_to(parser)
    return parser


def network(classes):
    """3×3 convolutions with batch normalization and dropout: 478,762 parameters for ten classes.

    Args:
        classes: units of the output.

    Returns:
        A ``keras.Model`` from images as LeNet-5 takes them, ``(batch, 32, 32, 1)``, to ``(batch, classes)``
        probabilities.
    """
    import keras
    from keras import layers

    from keras_classics import builder, description, lenet
    from keras_classics.layers import BatchNormalization, Conv2D

    inputs = x = keras.Input((lenet.IMAGE_SIZE, lenet.IMAGE_SIZE, 1))
    for number, maps in ((1, 32), (2, 64)):
        for part in "ab":
            x = Conv2D(maps, 3, use_bias=False, name=f"conv{number}{part}")(x)
            x = layers.ReLU(name=f"relu{number}{part}")(BatchNormalization(name=f"norm{number}{part}")(x))
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
        x = layers.Dropout(0.25, name=f"dropout{number}")(x)
    x = layers.Dense(256, use_bias=False, name="dense")(layers.Flatten(name="flatten")(x))
    x = layers.ReLU(name="relu3")(BatchNormalization(name="norm3")(x))
    x = builder.classifier(layers.Dropout(0.4, name="dropout3")(x), classes, "softmax", name="output")
    model = keras.Model(inputs, x, name="teacher")
    description.attach(model, description.Description("lenet5", "teacher", lenet.PREPROCESSING))
    return model


def train(args):
    recipe = arguments.overridden(recipes.TEACHER, args)
    folder = arguments.folder_of_run(args, "teacher")
    from keras_classics import datasets

    datasets.check_name(args.dataset, datasets.DIGITS)
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    from keras_classics import lenet
    from keras_classics.datasets.unreadable import Unreadable
    from train.engine import devices
    from train.run import train_network

    strategy = devices.strategy(args.strategy, args.devices)
    unreadable = Unreadable(args.max_bad)
    dataset = datasets.load(args.dataset, args.data_dir).padded(lenet.IMAGE_SIZE, unreadable)
    settings = arguments.run_settings(
        args,
        name="teacher",
        title="network for LeNet-5 to learn from",
        preprocessing=lenet.PREPROCESSING,
        size=lenet.IMAGE_SIZE,
        folder=folder,
    )
    recipe = arguments.fitted(recipe, args, strategy, len(dataset.train))
    build = functools.partial(network, len(dataset.class_names))
    train_network(build, dataset, recipe=recipe, strategy=strategy, settings=settings, unreadable=unreadable)


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: train(args), PROG)


if __name__ == "__main__":
    main()
