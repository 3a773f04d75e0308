"""What a model says about itself: network, variant, preprocessing and, once it is trained, labels and data.

The description lies in the configuration of the network's first convolution (``layers.Conv2D``). So it is saved with
the model, and is still there after ``keras.models.load_model``, ``clone_model``, a change of names or a new last layer.
"""

import dataclasses
import zlib

import keras
import numpy as np

from keras_classics.layers import Conv2D
from keras_classics.preprocessing import Preprocessing


@dataclasses.dataclass(frozen=True)
class Description:
    """What a model says about itself.

    Args:
        network: a name of ``names.NETWORKS``.
        variant: of ``names.LENET5_VARIANTS`` or ``names.ALEXNET_VARIANTS``, or a user's own name.
        preprocessing: the ``Preprocessing`` of what the model takes.
        labels: of the outputs, in their order; None before training.
        data: what it was trained on (``Dataset.describe``); None before training.
        checksum: of the weights that ``data`` and its training made (``checksum_of``); None before training.
    """

    network: str
    variant: str
    preprocessing: Preprocessing
    labels: tuple[str, ...] | None = None
    data: dict | None = None
    checksum: int | None = None


def of(model):
    """The ``Description`` inside ``model``; None where there is none that can be read."""
    layer = _first_convolution(model)
    content = layer.description if layer is not None else None
    try:
        preprocessing = dict(content["preprocessing"])
        numbers = {name: tuple(map(float, preprocessing[name])) for name in ("mean", "scale")}
        labels, data = content.get("labels"), content.get("data")
        if not all(isinstance(content[name], str) for name in ("network", "variant")) or (data and "name" not in data):
            return None
        return Description(
            content["network"],
            content["variant"],
            Preprocessing(**numbers, bgr=bool(preprocessing.get("bgr"))),
            None if labels is None else tuple(map(str, labels)),
            data or None,
            content.get("checksum"),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def attach(model, description):
    """Put ``description`` into ``model``, one of this package's networks; other models are left as they are."""
    layer = _first_convolution(model)
    if layer is not None:
        content = dataclasses.asdict(description)
        for name in ("mean", "scale"):
            content["preprocessing"][name] = [float(number) for number in content["preprocessing"][name]]
        layer.description = content


def trained(model, labels, data):
    """Note in ``model`` the labels of its outputs, and that its weights come from ``data`` (``Dataset.describe``)."""
    known = of(model)
    if known is not None:
        attach(model, dataclasses.replace(known, labels=tuple(labels), data=data, checksum=checksum_of(model)))


def checksum_of(model):
    """CRC-32 of the weights of ``model``, in their order."""
    found = 0
    for weights in model.get_weights():
        found = zlib.crc32(np.ascontiguousarray(weights), found)
    return found


def _first_convolution(model):
    """The first of our convolutions in a model, or in a model that is a layer of it."""
    for layer in model.layers:
        inside = _first_convolution(layer) if isinstance(layer, keras.Model) else layer
        if isinstance(inside, Conv2D):
            return inside
    return None
