"""Training that begins with trained weights and may leave convolutions as they are: what the commands share."""

from keras_classics import cli
from keras_classics.errors import InputError


def add_to(parser, names):
    """The arguments ``--weights`` and ``--freeze``; ``names`` says which weights have a name."""
    parser.add_argument(
        "--weights",
        type=cli.path,
        metavar="NAME",
        help=f"begin with trained weights: {names}, or a file of .weights.h5, .keras, .pth or .onnx; a last layer for "
        "other classes begins anew",
    )
    parser.add_argument("--freeze", choices=("conv",), help="with --weights: conv leaves the convolutions as they are")


def check(args, recipe):
    """Refuse arguments that do not go together, before TensorFlow is imported.

    Raises:
        InputError: convolutions are to be frozen, or weights to be left out, that nothing has trained.
    """
    if (recipe.prune_convolutions or recipe.prune_dense) and not args.weights:
        raise InputError("the recipe leaves the smallest weights out: --weights must name a trained network.")
    if args.freeze and not args.weights:
        raise InputError("--freeze leaves random convolutions as they are unless --weights names trained ones.")


def details(args):
    """What the title of a run says of this."""
    return [text for text in (args.weights and f"from {args.weights}", args.freeze and "convolutions frozen") if text]


def builder(network, args, classes, usual_classes):
    """``build(input_tensor=None) -> keras.Model`` for a ``Trainer``: ``network`` with ``classes``, as ``args`` say.

    Args:
        network: ``(classes=…, weights=…, input_tensor=…) -> keras.Model``.
        args: with ``weights`` and ``freeze``.
        classes: of the data.
        usual_classes: that weights with a name have.

    Raises:
        InputError: the weights cannot be had, or are not of this network.
    """
    from train.engine import centring  # imports Keras

    begin = _trained_layers(network, args.weights, (usual_classes, classes)) if args.weights else {}
    mean = centring.mean_in(args.weights) if args.weights else None

    def build(input_tensor=None):
        if mean is not None:  # what the weights were trained with
            input_tensor = centring.centred(mean)
        model = network(classes=classes, weights=None, input_tensor=input_tensor)
        for layer in model.layers:
            if layer.name in begin and [w.shape for w in begin[layer.name]] == [w.shape for w in layer.weights]:
                layer.set_weights(begin[layer.name])
        if args.freeze:
            _freeze_convolutions(model)
        return model

    return build


def _freeze_convolutions(model):
    """Convolutions, and the trainable subsampling of 1998 between them, come before the maps become one vector."""
    for layer in model.layers:
        if type(layer).__name__ == "Flatten":
            return
        layer.trainable = False


def _trained_layers(network, weights, usual):
    """The weights of each layer of a trained network, of whichever number of classes it has."""
    from keras_classics.weights import importers

    errors = []
    found = importers.classes_in(weights)
    for classes in dict.fromkeys((found,) if found else usual):
        try:
            model = network(classes=classes, weights=weights, input_tensor=None)
            return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
        except (ValueError, ImportError, ConnectionError) as error:
            errors.append(error)
    raise InputError(str(errors[0])) from errors[0]
