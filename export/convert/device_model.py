"""The graph that goes to a device: raw pixels in, one image at a time, computing what the trained network computes.

A network is read into a plain list of steps (``read_steps``), each rewrite turns that list into an equal one, and
``device_model`` builds it. What each rewrite gains is measured in docs/edge.md.
"""

import dataclasses
import itertools
import math

import keras
import numpy as np
from keras import layers, ops

from export.convert.operations import (
    Activation,
    AdaptivePool,
    Affine,
    Convolution,
    Flatten,
    Normalization,
    Pad,
    Pool,
    Product,
    Softmax,
    Subtract,
)
from export.convert.reading import read_steps
from export.litert.classifier import INT8_OFFSET
from keras_classics import averaging
from keras_classics.errors import InputError
from keras_classics.layers import Conv2D, LocalResponseNormalization

TINY = 1e-30  # probabilities below it have no logarithm to compare with
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
        model: a LeNet-5 or AlexNet of this package, channels last, with its top, or an ``ensemble`` of such.
        preprocessing: its ``Preprocessing``.
        dtype: of the input: "uint8" and "float32" take pixels 0–255, "int8" takes pixels less 128.
        forms: a ``Forms``; None takes its defaults.
        logits: leave out the softmax; of an ensemble, take the logarithm of the mean probabilities.
        offset: what has been taken from the pixels; None is what ``dtype`` means.
        batch: images at a time; None: any number.

    Returns:
        A Keras model from ``(batch, height, width, channels)`` to ``(batch, classes)``; ``model`` is left as it was.

    Raises:
        InputError: the model has a layer, or an option of a layer, that no step computes.
    """
    forms = forms or Forms()
    if offset is None:
        offset = INT8_OFFSET if dtype == "int8" else 0
    pixels = keras.Input(model.input_shape[1:], batch_size=batch, dtype=dtype, name="pixels")
    x = pixels if dtype == "float32" else keras.ops.cast(pixels, "float32")
    members = averaging.members(model)
    if len(members) == 1:
        steps = _rewritten(members[0], preprocessing, offset, forms)
        return keras.Model(
            pixels, _computed(steps[:-1] if logits and isinstance(steps[-1], Softmax) else steps, forms, x)
        )
    outputs = []
    for number, member in enumerate(members, 1):
        steps = _rewritten(member, preprocessing, offset, forms)
        outputs.append(_computed([_renamed(step, f"_{number}") for step in steps], forms, x))
    mean = layers.Average(name="mean")(outputs)
    return keras.Model(pixels, ops.log(ops.maximum(mean, TINY)) if logits else mean)


def _rewritten(model, preprocessing, offset, forms):
    steps = _with_preprocessing(read_steps(model), preprocessing, offset)
    if forms.products:
        steps = covering_as_products(steps)
    return averages_as_convolutions(steps) if forms.pooling == "convolution" else steps


def _computed(steps, forms, x):
    for step in steps:
        x = _built(step, forms, x)
    return x


def _renamed(step, ending):
    """The step with ``ending`` after its name, if it has one: names of layers are different in a model."""
    return dataclasses.replace(step, name=step.name + ending) if hasattr(step, "name") else step


def _with_preprocessing(steps, preprocessing, offset):
    """The steps on raw pixels (less ``offset``).

    What is done to pixels before the network, its preprocessing and layers such as a mean picture, is ``a·x + b``. A
    factor a channel and the order of colours go into the first convolution, ``w·(a·x + b) = (w·a)·(x + b/a)``; ``b``
    goes into its bias where it is one number a channel and nothing is padded, for padding puts zeros where the mean has
    been subtracted.

    Raises:
        InputError: there is no first convolution to take this.
    """
    front = list(itertools.takewhile(lambda step: isinstance(step, Affine), steps))
    rest = steps[len(front) :]
    place = next((index for index, step in enumerate(rest) if not isinstance(step, Pad)), 0)
    first = rest[place] if rest else None
    if not isinstance(first, Convolution) or first.groups != 1:
        raise InputError(
            "there is no device graph for a network that does not begin with a convolution of all channels."
        )
    factor = np.array(preprocessing.scale, np.float64)
    shift = -(np.array(preprocessing.mean, np.float64) - offset) * factor
    for step in front:
        factor, shift = factor * step.scale, shift * step.scale + step.shift
    order = slice(None, None, -1 if preprocessing.bgr else 1)
    one_a_channel = _one_a_channel(factor)
    if one_a_channel is None or not one_a_channel.all():
        affine = Affine("pixels_scaled", factor[..., order], shift[..., order])
        first = dataclasses.replace(first, kernel=first.kernel[:, :, order])
        return [affine, *rest[:place], first, *rest[place + 1 :]]
    scaled, mean = first.kernel * one_a_channel[:, None], -shift / factor
    plain_mean = _one_a_channel(mean)
    if place == 0 and first.padding == "valid" and plain_mean is not None:
        bias = first.bias - (scaled * plain_mean[:, None]).sum(axis=(0, 1, 2))
        return [dataclasses.replace(first, kernel=scaled[:, :, order], bias=bias), *rest[1:]]
    folded = dataclasses.replace(first, kernel=scaled[:, :, order])
    mean = (mean if plain_mean is None else plain_mean)[..., order]
    return [Subtract(mean.astype(np.float32)), *rest[:place], folded, *rest[place + 1 :]]


def _one_a_channel(values):
    """``(channels,)`` where all positions of an image have the same; else None."""
    rows = values.reshape(-1, values.shape[-1])
    return rows[0] if np.allclose(rows, rows[0], rtol=1e-7, atol=0) else None


def covering_as_products(steps):
    """A convolution that covers its whole map (C5) and is flattened next, as a matrix product on the flattened map."""
    result, following = [], [*steps[1:], None]
    for step, after in zip(steps, following, strict=True):
        if isinstance(step, Convolution) and step.covers and isinstance(after, Flatten):
            kernel = step.kernel.reshape(-1, step.kernel.shape[-1])
            result += [Flatten(), Product(step.name, kernel, step.bias, step.activation)]
        elif not (isinstance(step, Flatten) and result and isinstance(result[-1], Product)):
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
            return layers.MaxPooling2D(step.size, strides=step.stride, padding=step.padding, name=step.name)(x)
        case AdaptivePool():
            return _windows(_windows(x, 1, step.rows), 2, step.columns)
        case Pad():
            return layers.ZeroPadding2D(step.margins, name=step.name)(x)
        case Affine():
            return x * step.scale.astype(np.float32) + step.shift.astype(np.float32)
        case Activation():
            return layers.Activation(step.function, name=step.name)(x)
        case Normalization():
            numbers = {**step.config, "form": forms.lrn, "axis": -1}
            return LocalResponseNormalization(**numbers, name=step.name)(x)
        case Subtract():
            return x - step.mean
        case Flatten():
            return layers.Reshape((int(np.prod(x.shape[1:])),))(x)
        case Softmax():
            return layers.Softmax()(x)
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


def _windows(x, axis, count):
    """Means of ``count`` windows along ``axis``: of n, the i-th from floor(i·n / count) to ceil((i + 1)·n / count)."""
    length, before = x.shape[axis], (slice(None),) * axis
    ends = [(i * length // count, math.ceil((i + 1) * length / count)) for i in range(count)]
    means = [ops.mean(x[(*before, slice(*window))], axis=axis, keepdims=True) for window in ends]
    return ops.concatenate(means, axis=axis)


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
