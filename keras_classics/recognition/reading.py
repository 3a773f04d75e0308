"""Pixels → the fields of what is written there: ink, parts, lines and field in one go."""

import numpy as np

from keras_classics.recognition import lines, parts
from keras_classics.recognition.field import as_mnist, field
from keras_classics.recognition.ink import ink_of


def digit_field(pixels):
    """``(field, box)`` of a picture of one digit: what the network takes, ``uint8 (32, 32)``, and where it lies.

    A picture that is already as MNIST has it is taken as it is. None where there is no ink.

    Args:
        pixels: ``uint8 (height, width, 3)``.
    """
    ready = as_mnist(pixels)
    return digit_of(pixels) if ready is None else (ready, (0, 0, pixels.shape[1], pixels.shape[0]))


def digit_of(pixels):
    """As ``digit_field``, of any picture."""
    found = parts.parts_of(ink_of(pixels))
    members = lines.one_digit(found)
    if not members or not parts.stands_out(found, members):
        return None
    return field_of(found, members), box_of(found, members)


def lines_in(pixels, probabilities_of, *, all_lines):
    """Lines of digits, top to bottom; each a list of ``(probabilities, box)`` from left to right.

    A line is left out if nothing in it stands out from the paper as ink does (``parts.stands_out``).

    Args:
        pixels: ``uint8 (height, width, 3)``.
        probabilities_of: takes a list of fields, gives ``float32 (n, classes)``.
        all_lines: False: only the line with most ink.
    """
    found, written = lines.lines_of(parts.parts_of(ink_of(pixels)))
    if written and not all_lines:
        written = [max(written, key=lambda line: sum(part.ink for piece in line for part in piece.members))]

    def of_groups(groups):
        return probabilities_of([field_of(found, members) for members in groups])

    return [
        [(probabilities, box_of(found, members)) for members, probabilities in lines.read(line, found, of_groups)]
        for line in written
        if any(parts.stands_out(found, piece.members) for piece in line)
    ]


def field_of(found, members):
    """The field of some parts, ``uint8 (32, 32)``."""
    return field(parts.cut_out(found, members), found.ink.threshold)


def box_of(found, members):
    """``(left, top, right, bottom)`` of some parts, in pixels of the picture."""
    box = (
        min(part.left for part in members),
        min(part.top for part in members),
        max(part.right for part in members),
        max(part.bottom for part in members),
    )
    return tuple(int(np.int64(side) * found.ink.reduction) for side in box)
