"""The graph that goes to a device: raw pixels in, one image at a time, computing what the trained network computes.

A network is read into a plain list of steps (``read_steps``), each rewrite turns that list into an equal one, and
``device_model`` builds it. What each rewrite gains is measured in docs/edge.md.
"""

import dataclasses

import keras
import numpy as np
from keras import layers

from export.convert.operations import (
    Convolution,
    Flatten,
    Normalization,
    Pad,
    Pool,
    Product,
    Softmax,
    Subtract,
    read_steps,
)
from export.litert.classifier import INT8_OFFSET
from keras_classics.errors import InputError
from keras_classics.layers import Conv2D, LocalResponseNormalization

INPUT_TYPES = ("uint8", "int8", "float32")
_PHASE_CHANNELS = 1  # input channels up to which a convolution is evaluated for a whole pooling window at once


@dataclasses.dataclass(frozen=True)
class Forms:
    """How a device computes what it computes; the answers are equal up to float rounding.

    Args:
        pooling: "convolution": averages as convolutions, the first of them with all positions of its windows as maps,
            which accelerators take in 8 bits and which fill their vectors; "average": the pooling operator, with the
            fewest multiplications.
        lrn: "native": TensorFlow's operator; "banded": a 1×1 convolution with a band of ones, RSQRT, SQRT and MUL.
        towers: whether a grouped convolution is one convolution a group, and a concatenation.
        products: whether a convolution that covers its whole map (C5) is a matrix product.
    """

    pooling: str = "convolution"
    lrn: str = "banded"
    towers: bool = False
    products: bool = True


# Operators that everybody has: Keras computes groups, and this package normalization, by code compiled for one CPU.
PLAIN = Forms("average", "native", towers=True)


def device_model(model, preprocessing, dtype="uint8", forms=None, *, logits=False, offset=None, batch=1):
    """``model`` with its preprocessing inside.

    Args:
        model: a LeNet-5 or AlexNet of this package, channels last, with its top.
        preprocessing: its ``Preprocessing``.
        dtype: of the input: "uint8" and "float32" take pixels 0–255, "int8" takes pixels less 128.
        forms: a ``Forms``; None takes its defaults.
        logits: leave out the softmax.
        offset: what has been taken from the pixels; None is what ``dtype`` means.
        batch: images at a time; None: any number.

    Returns:
        A Keras model from ``(batch, height, width, channels)`` to ``(batch, classes)``; ``model`` is left as it was.

    Raises:
        InputError: the model has a layer that is in neither network.
    """
    forms = forms or Forms()
    if offset is None:
        offset = INT8_OFFSET if dtype == "int8" else 0
    steps = _with_preprocessing(read_steps(model), preprocessing, offset)
    if forms.products:
        steps = covering_as_products(steps, model)
    if forms.pooling == "convolution":
        steps = averages_as_convolutions(steps)
    if logits and isinstance(steps[-1], Softmax):
        steps = steps[:-1]
    pixels = keras.Input(model.input_shape[1:], batch_size=batch, dtype=dtype, name="pixels")
    x = pixels if dtype == "float32" else keras.ops.cast(pixels, "float32")
    for step in steps:
        x = _built(step, forms, x)
    return keras.Model(pixels, x)


def _with_preprocessing(steps, preprocessing, offset):
    """The steps on raw pixels (less ``offset``).

    Order of colours and scale always go into the first convolution, ``w·(x - mean)·scale = (w·scale)·(x - mean)``; the
    mean goes into its bias where nothing is padded, for padding puts zeros where the mean has been subtracted.
    """
    place = next(index for index, step in enumerate(steps) if isinstance(step, Convolution))
    first = steps[place]
    order = slice(None, None, -1 if preprocessing.bgr else 1)
    scale = np.array(preprocessing.scale, np.float64)[:, None]
    mean = np.array(preprocessing.mean, np.float64) - offset
    scaled = first.kernel * scale
    if place == 0 and first.padding == "valid":
        bias = first.bias - (scaled * mean[:, None]).sum(axis=(0, 1, 2))
        return [dataclasses.replace(first, kernel=scaled[:, :, order], bias=bias), *steps[1:]]
    folded = dataclasses.replace(first, kernel=scaled[:, :, order])
    return [Subtract(mean[order].astype(np.float32)), *steps[:place], folded, *steps[place + 1 :]]


def covering_as_products(steps, model):
    """A convolution that covers its whole map (C5) as a matrix product on the flattened map."""
    result, flat = [], False
    maps = {step.name: model.get_layer(step.name).input.shape[1:3] for step in steps if isinstance(step, Convolution)}
    for step in steps:
        covers = (
            isinstance(step, Convolution)
            and step.groups == 1
            and step.padding == "valid"
            and tuple(maps[step.name]) == step.kernel.shape[:2]
        )
        if covers:
            kernel = step.kernel.reshape(-1, step.kernel.shape[-1])
            result += [Flatten(), Product(step.name, kernel, step.bias, step.activation)]
            flat = True
        elif not (flat and isinstance(step, Flatten)):
            result.append(step)
    return result


def averages_as_convolutions(steps):
    """Averages as convolutions with constant weights, and a first convolution for all positions of a window at once.

    A convolution of few input maps fills few lanes of a vector. Where 2×2 averages follow, one of stride 2 that gives
    the four values of every window as four times as many maps does the same with fuller vectors; the average is then a
    1×1 convolution.
    """
    result = []
    for step in steps:
        if not (isinstance(step, Pool) and step.kind == "average"):
            result.append(step)
            continue
        earlier = result[-1] if result else None
        if _phases_pay(earlier, step):
            result[-1] = _all_phases(earlier, step.size)
            maps = earlier.kernel.shape[-1]
            sums = np.tile(np.diag(step.gain), (step.size**2, 1))[None, None]
            result.append(Convolution(step.name, sums, step.bias, 1, "valid", 1, step.activation, bare=step.bare))
            assert sums.shape == (1, 1, maps * step.size**2, maps)
        else:
            kernel = np.broadcast_to(step.gain[:, None], (step.size, step.size, len(step.gain), 1))
            result.append(
                Convolution(step.name, kernel, step.bias, step.size, "valid", 0, step.activation, bare=step.bare)
            )
    return result


def _phases_pay(earlier, pool):
    return (
        isinstance(earlier, Convolution)
        and earlier.groups == 1
        and earlier.stride == 1
        and earlier.padding == "valid"
        and earlier.kernel.shape[2] <= _PHASE_CHANNELS
        and pool.even
    )


def _all_phases(step, size):
    """A convolution of stride ``size`` whose maps are those of ``step`` at each position of a ``size`` × ``size``
    window, one position after the other."""
    side, _, channels, filters = step.kernel.shape
    kernel = np.zeros((side + size - 1, side + size - 1, channels, size**2 * filters))
    for row in range(size):
        for column in range(size):
            place = (row * size + column) * filters
            kernel[row : row + side, column : column + side, :, place : place + filters] = step.kernel
    return dataclasses.replace(step, kernel=kernel, bias=np.tile(step.bias, size**2), stride=size)


def _built(step, forms, x):
    """Keras tensor of ``step`` applied to ``x``."""
    match step:
        case Convolution():
            return _convolution(step, forms, x)
        case Product():
            layer = layers.Dense(step.kernel.shape[1], activation=step.activation, name=step.name)
            x = layer(x)
            layer.set_weights([step.kernel, step.bias])
            return x
        case Pool(kind="average"):
            return _average(step, x)
        case Pool():
            return layers.MaxPooling2D(step.size, strides=step.stride, name=step.name)(x)
        case Pad():
            return layers.ZeroPadding2D((step.margins, step.margins), name=step.name)(x)
        case Normalization():
            numbers = {**step.config, "form": forms.lrn, "axis": -1}
            return LocalResponseNormalization(**numbers, name=step.name)(x)
        case Subtract():
            return x - step.mean
        case Flatten():
            return layers.Reshape((int(np.prod(x.shape[1:])),))(x)
        case Softmax():
            return layers.Softmax(name="probabilities")(x)
    raise InputError(f"there is no device graph for {step}.")


def _convolution(step, forms, x):
    shared = {"strides": step.stride, "padding": step.padding, "activation": step.activation, "use_bias": not step.bare}
    height, width, _, filters = step.kernel.shape
    if step.groups == 0:
        layer = layers.DepthwiseConv2D((height, width), **shared, name=step.name)
    else:
        # Ours is one convolution a group on a CPU, Keras' own one operator for all groups.
        kind = Conv2D if forms.towers else layers.Conv2D
        layer = kind(filters, (height, width), groups=step.groups, **shared, name=step.name)
    x = layer(x)
    layer.set_weights([step.kernel, step.bias][: 1 if step.bare else 2])
    return x


def _average(step, x):
    """The pooling operator; a gain and a bias of each map, where training has found some, follow."""
    x = layers.AveragePooling2D(step.size, name=step.name)(x)
    plain = np.allclose(step.gain, 1 / step.size**2) and step.bare
    if not plain:
        scaling = layers.DepthwiseConv2D(1, activation=step.activation, use_bias=not step.bare)
        x = scaling(x)
        gain = (step.gain * step.size**2)[None, None, :, None]
        scaling.set_weights([gain, step.bias][: 1 if step.bare else 2])
    return x
