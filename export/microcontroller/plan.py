"""Which layers are computed together, and where in one small arena their maps lie."""

import dataclasses

from export.microcontroller.fixed_point import Softmax
from export.microcontroller.layers import Flatten, Multiply
from keras_classics.errors import InputError


@dataclasses.dataclass(frozen=True)
class Stage:
    """A convolution and what follows it at each position, or a fully connected layer.

    A tile of ``tile`` × ``tile`` positions of the convolution becomes one position of the output, so that the map in
    between is never there as a whole.

    Args:
        first: the convolution, or the fully connected layer.
        rest: layers that see one tile at a time.
        tile: positions along a side; 1: none is pooled.
        source, target: ``(height, width, maps)``; of a fully connected layer ``(1, 1, values)``.
        source_at, target_at: bytes into the arena; ``source_at`` is None where the caller's pixels are read.
    """

    first: Multiply
    rest: tuple
    tile: int
    source: tuple
    target: tuple
    source_at: int | None = None
    target_at: int = 0

    @property
    def scratch(self):
        """Bytes that the tile takes, and what convolutions make of it on the way to the output."""
        between = [layer.maps for layer in self.rest[:-1] if mixes(layer)]
        return self.tile**2 * self.first.maps + sum(between) if self.rest else 0


@dataclasses.dataclass(frozen=True)
class Plan:
    """Stages with their places, and the size of the arena.

    Args:
        stages: of ``Stage``.
        softmax: the ``Softmax`` after the last of them.
        maps: bytes of the arena that hold maps; scratch memory comes after them.
        arena: bytes.
        square: side of the square that is cut out of the pixels for one tile; 0: the pixels are read where they are.
        margin: pixels of background around the caller's.
    """

    stages: tuple
    softmax: Softmax
    maps: int
    arena: int
    square: int = 0
    margin: int = 0

    @property
    def logits_at(self):
        return self.stages[-1].target_at


def make(layers, shape, side):
    """The ``Plan`` of a chain of layers.

    Args:
        layers: of ``layers.read``.
        shape: ``(height, width, channels)`` that the model takes.
        side: of the square picture that the caller gives; what it lacks of the model's is background around it.

    Raises:
        InputError: the layers follow one another in a way that there is no C for.
    """
    stages = _placed(_grouped(layers[:-1], shape))
    first = stages[0]
    margin = (shape[0] - side) // 2
    square = (first.tile - 1) * first.first.stride + first.first.window[0] if margin else 0
    if margin and (first.first.window[0] != first.first.window[1] or first.first.full):
        raise InputError(f"pixels of {side} × {side} go with a first layer that is a convolution by a square.")
    maps = max(stage.target_at + _volume(stage.target) for stage in stages)
    maps = max([maps, *(stage.source_at + _volume(stage.source) for stage in stages[1:])])
    scratch = max([first.scratch + square**2, *(stage.scratch for stage in stages)])
    return Plan(tuple(stages), layers[-1], maps, maps + scratch, square, margin)


def mixes(layer):
    """Whether a value of ``layer`` depends on several maps, so that it cannot be computed in place."""
    return isinstance(layer, Multiply) and not layer.depthwise


def _grouped(layers, shape):
    stages, index = [], 0
    while index < len(layers):
        first = layers[index]
        if isinstance(first, Flatten):
            shape, index = (1, 1, _volume(shape)), index + 1
            continue
        if not isinstance(first, Multiply) or first.depthwise:
            raise InputError(f"layer {first.name} comes before a convolution; there is no C for this order of layers.")
        if first.full:
            shape = (1, 1, _volume(shape))
        end, tile = index + 1, 1
        while not first.full and end < len(layers) and _joins(layers[end], tile):
            tile, end = max(tile, layers[end].window[0]), end + 1
        rest = tuple(layers[index + 1 : end])
        stage = Stage(first, rest, tile, shape, _target(first, rest, tile, shape))
        stages.append(stage)
        shape, index = stage.target, end
    if not stages:
        raise InputError("the model has no layers with weights.")
    return stages


def _joins(layer, tile):
    """Whether ``layer`` can work on one tile at a time: windows that do not overlap, and one such layer a stage."""
    if isinstance(layer, Flatten) or getattr(layer, "full", False):
        return False
    height, width = layer.window
    if isinstance(layer, Multiply):
        apart = layer.stride == height and (layer.depthwise or height == 1)
        return apart and height == width and (tile == 1 or height == 1)
    return tile == 1 or layer.size == 1


def _target(first, rest, tile, shape):
    if first.kernel.shape[3] != shape[2]:
        raise InputError(
            f"layer {first.name} takes {first.kernel.shape[3]} values a position, and is given {shape[2]}."
        )
    sides = [(side - across) // first.stride + 1 for side, across in zip(shape[:2], first.window, strict=True)]
    maps = next((layer.maps for layer in reversed(rest) if isinstance(layer, Multiply)), first.maps)
    return (sides[0] // tile, sides[1] // tile, maps)


def _volume(shape):
    return shape[0] * shape[1] * shape[2]


def _lead(stage):
    """Bytes by which the output has to begin before the input, so that it overwrites only rows that are done with."""
    row, written = stage.source[1] * stage.source[2], stage.target[1] * stage.target[2]
    taken = stage.tile * stage.first.stride * row
    return max((index + 1) * written - index * taken for index in range(stage.target[0]))


def _placed(stages):
    """Stages with places: maps slide towards the start of the arena, vectors change sides."""
    wide = [stage for stage in stages if not stage.first.full]
    at = [0]
    for stage in reversed(wide[1:]):
        at.append(at[-1] + max(0, _lead(stage)))
    places = at[::-1] if wide else []
    placed, previous = [], None
    for stage in stages:
        target = places.pop(0) if places else _beside(previous, _volume(stage.source), _volume(stage.target))
        placed.append(dataclasses.replace(stage, source_at=previous, target_at=target))
        previous = target
    return placed


def _beside(source_at, taken, wanted):
    """A place for ``wanted`` bytes outside the ``taken`` bytes at ``source_at``, as low as may be."""
    return 0 if source_at is None or source_at >= wanted else source_at + taken
