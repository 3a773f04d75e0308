"""What the builders of both networks share: the ``keras.applications`` arguments, checked and carried out once."""

import keras
from keras import layers

from keras_classics import checks, description
from keras_classics.weights import registry


def image_input(input_shape, input_tensor, *, include_top, size, channels, min_size, network):
    """The input tensor of a network, after checking its shape.

    Args:
        input_shape: ``(height, width, channels)`` (or channels first, as Keras is configured), or None for the
            network's own. Height and width may be None only without the top.
        input_tensor: a Keras tensor to build on, or None.
        include_top, size, channels, min_size, network: what the network is and can take.

    Raises:
        ValueError: the shape has not three entries, is too small, or is unknown where the top needs it known.
    """
    if input_tensor is not None:
        if not isinstance(input_tensor, keras.KerasTensor):
            input_tensor = keras.Input(tensor=input_tensor)
        input_shape = tuple(input_tensor.shape[1:])
    channels_last = keras.config.image_data_format() == "channels_last"
    if input_shape is None:
        side = size if include_top else None
        input_shape = (side, side, channels) if channels_last else (channels, side, side)
    if isinstance(input_shape, (str, bytes)) or not hasattr(input_shape, "__len__") or len(input_shape) != 3:
        raise ValueError(f"{network}: input_shape is {input_shape}; expected three numbers (height, width, channels).")
    name = f"{network}: input_shape"
    input_shape = tuple(None if side is None else checks.whole_number(name, side, 1) for side in input_shape)
    height, width = input_shape[:2] if channels_last else input_shape[1:]
    if input_shape[-1 if channels_last else 0] is None:
        raise ValueError(f"{name} is {input_shape}; expected a known number of channels.")
    if include_top and None in (height, width):
        raise ValueError(
            f"{network}: input_shape is {input_shape}; the fully connected layers need height and width, "
            "so give both or build with include_top=False."
        )
    if any(side is not None and side < min_size for side in (height, width)):
        raise ValueError(f"{network}: input_shape is {input_shape}; height and width must be at least {min_size}.")
    return keras.Input(shape=input_shape) if input_tensor is None else input_tensor


def channel_axis():
    return -1 if keras.config.image_data_format() == "channels_last" else 1


def classifier(x, classes, activation, *, name, **dense):
    """The last layer (named ``name``, giving logits) and its activation, which stays float32 in mixed precision."""
    return output_activation(layers.Dense(classes, name=name, **dense)(x), activation)


def output_activation(x, activation):
    """``activation`` of the outputs, in float32 under mixed precision; None leaves them as they are."""
    if activation is None:
        return x
    half = keras.config.dtype_policy().compute_dtype in ("float16", "bfloat16")
    return layers.Activation(activation, dtype="float32" if half else None, name="predictions")(x)


def pool_features(x, pooling):
    """What a network without its top returns: its last feature maps, or their average or maximum over the map."""
    if pooling == "avg":
        return layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if pooling == "max":
        return layers.GlobalMaxPooling2D(name="max_pool")(x)
    return x


def check_arguments(network, *, pooling, classes, weights, variant, activation=None, include_top, name):
    """Refuse values that no network takes; what ``weights`` means (``registry.find``).

    Raises:
        ValueError: ``pooling``, ``weights`` or ``name`` is not one of the values allowed.
    """
    if not (pooling is None or (isinstance(pooling, str) and pooling in ("avg", "max"))):
        raise ValueError(f'{network}: pooling is {pooling!r}; expected None, "avg" or "max".')
    if not (name is None or (isinstance(name, str) and name and "/" not in name)):
        raise ValueError(f"{network}: name is {name!r}; expected a text without a slash.")
    return registry.find(
        network, weights, variant=variant, activation=activation, classes=classes, include_top=include_top
    )


def finish(input_tensor, inputs, outputs, *, source, name, build, described):
    """The model from ``inputs`` to ``outputs``, with the weights of ``source``; ``build`` as in ``registry.load``.

    ``described`` is the ``description.Description`` that goes into the model.
    """
    network = keras.Model(inputs, outputs, name=name)
    description.attach(network, described)
    if source is not None:
        registry.load(network, source, build=build)
    # What the caller's tensor was computed with is part of the model, but not of the network.
    return network if input_tensor is None else keras.Model(keras.utils.get_source_inputs(inputs), outputs, name=name)
