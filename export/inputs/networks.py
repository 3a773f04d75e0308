"""Which network a Keras model is, and what goes with it: preprocessing, size, labels."""

from keras_classics.errors import InputError

NETWORKS = ("lenet5", "lenet5-1998", "alexnet")
ALEXNETS = ("paper", "single_tower", "cifar10", "caffe", "torchvision")  # of alexnet.VARIANTS, known without Keras
TITLES = {"lenet5": "LeNet-5", "lenet5-1998": "LeNet-5 (1998)", "alexnet": "AlexNet"}
RANDOM = "random"


def said_by(description):
    """Which of ``NETWORKS`` the description inside a file says it is; None where it does not."""
    titles = {title: network for network, title in TITLES.items()}
    return titles.get((description or {}).get("network"))


def usual_variant(network, variant, dataset):
    """The variant of a network of which no model file is given: the one that was named, else the one for the data."""
    if network == "alexnet":
        return variant or ("cifar10" if dataset == "cifar10" else "paper")
    return "1998" if network == "lenet5-1998" else "modern"


def row_of(network, variant):
    """``Preprocessing`` and ``(height, width, channels)`` of a variant."""
    if network == "alexnet":
        from keras_classics import alexnet

        row = alexnet.variant_named(variant)
        return row.preprocessing, (row.image_size, row.image_size, 3)
    from keras_classics import lenet

    return lenet.PREPROCESSING, (lenet.IMAGE_SIZE, lenet.IMAGE_SIZE, 1)


def build(network, variant, weights):
    """The network of ``weights``; random ones are drawn so that pictures come apart at the outputs.

    The paper's initialisation, Gaussian of 0.01, gives almost the same outputs for all pictures; He's keeps the
    spread of activations from layer to layer.
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
        if layer.weights:
            layer.kernel.assign(he(layer.kernel.shape))
            layer.bias.assign(layer.bias * 0)
    return model


def load_model(path):
    import keras

    try:
        model = keras.models.load_model(path, compile=False)
        model.input_shape, model.output_shape  # noqa: B018 (a broken model has none)
    except Exception as error:  # Keras raises whatever the broken part of the file leads to
        raise InputError(f"{path} cannot be read as a Keras model: {_first_line(error)}.") from error
    return model


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def identify(model, path, named):
    """Network and variant of a loaded model, by its layers.

    Raises:
        InputError: it is none of ours, or not the one that was named.
    """
    names = {layer.name for layer in model.layers}
    if {"C1", "C3", "C5", "F6"} <= names:
        published = any(type(layer).__name__ == "EuclideanRBF" for layer in model.layers)
        network, variant = ("lenet5-1998", "1998") if published else ("lenet5", "modern")
    elif {"conv1", "conv5", "fc6", "fc8"} <= names:
        network, variant = "alexnet", _alexnet_variant(model, path)
    else:
        raise InputError(f"{path} is neither LeNet-5 nor AlexNet with its last layers; export what train wrote.")
    if named in NETWORKS and network != named:
        raise InputError(f"{path} is {TITLES[network]}, not {TITLES[named]}; export it as {network}.")
    return network, variant


def _alexnet_variant(model, path):
    """The variant whose numbers the convolutions and the normalization of a loaded AlexNet have."""
    from keras_classics import alexnet

    convolutions = [model.get_layer(f"conv{number}") for number in range(1, 6)]
    filters, kernels = (
        tuple(layer.filters for layer in convolutions),
        tuple(layer.kernel_size[0] for layer in convolutions),
    )
    groups = tuple(layer.groups for layer in convolutions)
    normalized = any(layer.name == "norm1" for layer in model.layers)
    for name, row in alexnet.VARIANTS.items():
        same = (row.filters, row.kernels, row.groups, row.image_size) == (
            filters,
            kernels,
            groups,
            model.input_shape[1],
        )
        if same and normalized == bool(row.lrn):
            return name
    raise InputError(f"{path} is an AlexNet of no variant this package has ({', '.join(alexnet.VARIANTS)}).")


def labels_of(network, classes, dataset):
    """Labels of the outputs, by the data or, of a thousand, by ImageNet.

    Raises:
        InputError: the data has another number of classes.
    """
    if len(dataset.class_names) == classes:
        return tuple(dataset.class_names)
    if dataset.class_names:
        raise InputError(
            f"{dataset.name} has {len(dataset.class_names)} classes; this {TITLES[network]} tells {classes} apart."
        )
    if classes == 1000:
        from keras_classics.alexnet import imagenet_classes

        return tuple(name for _, name in imagenet_classes())
    return tuple(f"class {number}" for number in range(classes))
