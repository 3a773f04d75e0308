"""Several networks as one that averages their probabilities (Krizhevsky et al., 2012, section 6: seven beat one)."""

import keras

from keras_classics import checks, description


def ensemble(models, name="ensemble"):
    """One Keras model whose probabilities are the mean of those of several networks; it is exported like any other.

    Args:
        models: two networks of this package or more (or one), which take the same images, say the same classes, and
            end in a softmax. They are copied, and stay as they are. An ensemble counts as the networks in it.
        name: name of the model.

    Returns:
        A Keras functional model from what the networks take, ``(batch, height, width, channels)``, to ``(batch,
        classes)`` probabilities, float32. It is described as the first network is; as trained on data, only if all
        networks were trained on the same.

    Raises:
        ValueError: there is no model, one is no Keras model or does not end in a softmax, or they differ in input,
            preprocessing, classes or labels.
    """
    models = _alike(models if isinstance(models, (list, tuple)) else [models])
    known = [description.of(model) for model in models]
    inputs = keras.Input(models[0].input_shape[1:])
    copies = []
    for number, model in enumerate(models, 1):
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        copies.append(keras.Model(copy.input, copy.output, name=f"member{number}"))
    mean = keras.layers.Average(name="mean", dtype="float32")
    # A mean takes two tensors or more: of one network, twice the same.
    outputs = [copy(inputs) for copy in copies]
    found = keras.Model(inputs, mean(outputs if len(outputs) > 1 else outputs * 2), name=name)
    first = known[0]
    if first is not None:
        description.attach(found, first)
        if first.data is not None and all(one and one.data == first.data for one in known):
            description.trained(found, first.labels, first.data)
    return found


def members(model):
    """The networks that an ``ensemble`` averages, a list of ``keras.Model``; of any other model, itself alone."""
    if type(model.layers[-1]) is not keras.layers.Average:
        return [model]
    inside = [layer for layer in model.layers[:-1] if not isinstance(layer, keras.layers.InputLayer)]
    return inside if inside and all(isinstance(layer, keras.Model) for layer in inside) else [model]


def _alike(models):
    """The networks in ``models``, after a check that their probabilities can be averaged."""
    checks.whole_number("ensemble: number of models", len(models), 1)
    for model in models:
        if not isinstance(model, keras.Model):
            raise ValueError(f"ensemble: {model!r} is no Keras model.")
    models = [member for model in models for member in members(model)]
    for model in models:
        if getattr(model.layers[-1], "activation", None) is not keras.activations.softmax:
            raise ValueError(f"ensemble: {model.name} does not end in a softmax; only probabilities can be averaged.")
        for what in ("input_shape", "output_shape"):
            if getattr(model, what) != getattr(models[0], what):
                raise ValueError(
                    f"ensemble: {models[0].name} has the {what} {getattr(models[0], what)}, {model.name} "
                    f"{getattr(model, what)}; expected the same."
                )
    known = [description.of(model) for model in models]
    for what in ("preprocessing", "labels"):
        if len({getattr(one, what) for one in known if one and getattr(one, what) is not None}) > 1:
            raise ValueError(f"ensemble: the models differ in {what}; expected the same.")
    return models
