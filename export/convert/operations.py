"""The steps of a network as a device computes it: plain data, each with its numbers."""

import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Convolution:
    """``kernel (height, width, input maps of a group, maps)``; groups 0: depthwise, ``(height, width, maps, 1)``."""

    name: str
    kernel: np.ndarray
    bias: np.ndarray
    stride: int = 1
    padding: str = "valid"
    groups: int = 1
    activation: Callable | str | None = None  # of single elements; others are a step of their own
    bare: bool = False  # whether there is no bias
    covers: bool = False  # whether the kernel is as large as the map


@dataclasses.dataclass(frozen=True)
class Pool:
    """Maximum, or the sum of a window times ``gain (maps,)`` plus ``bias (maps,)``."""

    name: str
    kind: str
    size: int
    stride: int
    gain: np.ndarray | None = None
    bias: np.ndarray | None = None
    activation: Callable | str | None = None
    bare: bool = True
    even: bool = True  # whether the windows cover the whole map
    padding: str = "valid"


@dataclasses.dataclass(frozen=True)
class AdaptivePool:
    """The mean of ``rows`` × ``columns`` windows that together cover the map, as PyTorch places them."""

    name: str
    rows: int
    columns: int


@dataclasses.dataclass(frozen=True)
class Product:
    """``x · kernel + bias``, ``kernel (inputs, units)``."""

    name: str
    kernel: np.ndarray
    bias: np.ndarray
    activation: Callable | str | None = None


@dataclasses.dataclass(frozen=True)
class Normalization:
    name: str
    config: dict


@dataclasses.dataclass(frozen=True)
class Pad:
    name: str
    margins: tuple  # ((above, below), (left, right)), in pixels


@dataclasses.dataclass(frozen=True)
class Affine:
    """``x · scale + shift``: numbers, or arrays of the shape of an image's last axes."""

    name: str
    scale: np.ndarray
    shift: np.ndarray


@dataclasses.dataclass(frozen=True)
class Subtract:
    mean: np.ndarray


@dataclasses.dataclass(frozen=True)
class Activation:
    """A function of more than single elements, or an unknown one."""

    name: str
    function: Callable


class Flatten:
    pass


class Softmax:
    pass
