"""Which network a Keras model is, and what goes with it: preprocessing, size, labels."""

from export.contract import NETWORKS, RANDOM, TITLES
from keras_classics.errors import InputError

LARGEST_SIDE = 1024  # pixels of what a network takes
# Layers that decide which network it is, and what of them does; names, activations and whatever else stands between
# them do not.
_STRUCTURE = {
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "groups"),
    "SparselyConnectedConv2D": ("connections", "size"),
    "AveragePooling2D": ("pool_size",),
    "MaxPooling2D": ("pool_size", "strides"),
    "TrainableSubsampling": ("size",),
    "BatchNormalization": (),
    "LocalResponseNormalization": ("depth_radius", "bias", "alpha", "beta"),
    "ZeroPadding2D": ("padding",),
}


def described_network(description):
    """Which of ``NETWORKS`` the description inside a file says it is; None where it does not."""
    titles = {title: network for network, title in TITLES.items()}
    return titles.get((description or {}).get("network"))


def usual_variant(network, variant, dataset):
    """The variant of a network of which no model file is given: the one that was named, else the one for the data.

    ``dataset`` is what ``datasets.from_spec`` takes, or None.
    """
    if network == "alexnet":
        return variant or ("cifar10" if (dataset or {}).get("name") == "cifar10" else "paper")
    return "1998" if network == "lenet5-1998" else "modern"


def build(network, variant, weights):
    """A network with weights that have a name or a file, or with random ones.

    Random weights are drawn as by He et al., 2015, for deep ReLU networks: the paper's initialisation, Gaussian of 0.01
    (section 5), gives almost the same outputs for all pictures.

    Args:
        network: a name of ``contract.NETWORKS``.
        variant: of LeNet-5 (``names.LENET5_VARIANTS``) or AlexNet (``names.ALEXNET_VARIANTS``).
        weights: ``{"weights": NAME or path}``, or ``{"random": seed}`` for AlexNet.

    Returns:
        A Keras functional model that takes float images as the network's preprocessing makes them.

    Raises:
        InputError: the weights are not of this network, cannot be read, or cannot be fetched.
    """
    import keras

    from keras_classics import AlexNet, LeNet5

    try:
        if network != "alexnet":
            return LeNet5(weights=weights["weights"], variant=variant)
        if RANDOM not in weights:
            return AlexNet(weights=weights["weights"], variant=variant)
    except (ValueError, ImportError, ConnectionError) as error:
        raise InputError(str(error)) from error
    keras.utils.set_random_seed(weights[RANDOM])
    model = AlexNet(variant=variant)
    he = keras.initializers.HeNormal()
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            layer.kernel.assign(he(layer.kernel.shape))
            if layer.use_bias:
                layer.bias.assign(layer.bias * 0)
    return model


def load_model(path):
    """The Keras model in a ``.keras`` file, without its optimizer.

    Args:
        path: of the file, a ``pathlib.Path`` or text.

    Returns:
        A built ``keras.Model``.

    Raises:
        InputError: the file cannot be read as such a model.
    """
    from keras_classics.weights import keras_files

    try:
        model = keras_files.load_model(path)
        model.input_shape, model.output_shape  # noqa: B018 (a broken model has none)
    except Exception as error:  # Keras raises whatever the broken part of the file leads to
        raise InputError(f"{path} cannot be read as a Keras model: {_first_line(error)}.") from error
    return model


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def described(model, path, named=None):
    """The ``Description`` of a loaded model: its own, or where it has none, of the network whose structure it has.

    Args:
        model: a Keras model.
        path: of its file, for messages.
        named: what the export was asked for: a network's name, or anything else for any of them.

    Raises:
        InputError: it is none of ours, has no outputs for classes, or is not the network that was named.
    """
    from keras_classics import description

    found = description.of(model) or _by_structure(model)
    if found is None or found.network not in NETWORKS or len(model.output_shape) != 2:
        raise InputError(f"{path} is neither LeNet-5 nor AlexNet with its last layers; export what train wrote.")
    if named in NETWORKS and found.network != named:
        raise InputError(f"{path} is {TITLES[found.network]}, not {TITLES[named]}; export it as {found.network}.")
    return found


def image_shape(model, known, origin):
    """``(height, width, channels)`` of a model's input.

    Raises:
        InputError: it has several inputs, or they are no images of such channels, square and of one known size.
    """
    channels, shape = len(known.preprocessing.mean), model.input_shape
    if isinstance(shape, (list, dict)) or len(shape) != 4 or None in shape[1:] or shape[1] != shape[2]:
        raise InputError(f"{origin} takes {shape}; expected square images of one size, (None, side, side, {channels}).")
    if shape[1] > LARGEST_SIDE:
        raise InputError(f"{origin} takes images of {shape[1]} × {shape[2]}; expected {LARGEST_SIDE} at most.")
    if shape[3] != channels:
        raise InputError(f"{origin} takes {shape}; expected {channels} channels, and channels last.")
    return tuple(shape[1:])


def checksum_of(model):
    from keras_classics import description

    return description.checksum_of(model)


def _by_structure(model):
    """The ``Description`` of the network that has the layers of ``model``; None where there is none."""
    from keras_classics import AlexNet, LeNet5, alexnet, description, names

    shape, rows = model.input_shape[1:], structure(model)
    plain, found = [row for row in rows if row[0] != "BatchNormalization"], None
    # Without the top, which has up to 56 million weights; with it too, where it has pooling in place of hidden layers.
    candidates = [(LeNet5, variant, False) for variant in names.LENET5_VARIANTS]
    for variant in names.ALEXNET_VARIANTS:
        tops = (False,) if alexnet.VARIANTS[variant].dense else (False, True)
        candidates += [(AlexNet, variant, top) for top in tops]
    for build, variant, include_top in candidates:
        try:
            candidate = build(variant=variant, include_top=include_top, input_shape=shape)
        except ValueError:  # of another number of channels, or too small
            continue
        its_rows = structure(candidate)
        if its_rows == rows:
            return description.of(candidate)
        if its_rows == plain and found is None:  # a user's own normalization of it
            found = description.of(candidate)
    return found


def structure(model):
    """Kinds and numbers of the layers that decide which network a model is."""
    kinds = [
        (next((cls.__name__ for cls in type(layer).__mro__ if cls.__name__ in _STRUCTURE), None), layer)
        for layer in model.layers
    ]
    return [
        (kind, [layer.get_config()[field] for field in _STRUCTURE[kind]]) for kind, layer in kinds if kind is not None
    ]


def labels_of(network, classes, dataset, own=None):
    """Labels of the outputs: the model's ``own``, else by the data or, of a thousand, by ImageNet.

    Raises:
        InputError: the data has other classes.
    """
    found = tuple(dataset.class_names)
    if found and len(found) != classes:
        raise InputError(f"{dataset.name} has {len(found)} classes; this {TITLES[network]} has {classes}.")
    if own and len(own) == classes:
        if found and found != tuple(own):
            strange = next(name for name, label in zip(found, own, strict=True) if name != label)
            raise InputError(
                f"{dataset.name} has a class {strange!r}, which this {TITLES[network]} was not trained on; its classes "
                f"are {', '.join(own[:10])}{', …' if len(own) > 10 else ''}."
            )
        return tuple(own)
    if found:
        return found
    return default_labels(network, classes)


def default_labels(network, classes):
    """Labels of a network whose model and data say none: digits, ImageNet's thousand, or numbers."""
    if network != "alexnet" and classes == 10:
        return tuple("0123456789")
    if classes == 1000:
        from keras_classics.alexnet import imagenet_classes

        return tuple(name for _, name in imagenet_classes())
    return tuple(f"class {number}" for number in range(classes))
