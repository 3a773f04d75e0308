"""Parts of ink → digits: the parts of the one digit of a picture, or of each digit of each line, from left to right.

Digits that touch are cut where little ink is crossed, pieces that lie close are tried together, and the network says
which way of reading a line is the most probable: heuristic over-segmentation, as in section VI of LeCun et al. (1998).
"""

import dataclasses
import itertools

import numpy as np

from keras_classics.recognition import parts as ink_parts

NEAR = 0.3  # of a digit's longer side: smaller pieces of ink so near belong to it
FAR, MUCH = 1.0, 0.3  # of it: and pieces of that much of its ink or more (a dashed stroke) so near
LIKELY = (1, 0.6, 0.1, 0.02, 0.02)  # that a part which touches so many sides of the picture is the digit
WRITTEN = 0.15  # of the ink of the part with most: parts with less say nothing of the height of a line
SOLID, SOLID_SIDE = 0.65, 0.3  # of its box, of a line's height: a part at the border fuller and larger is a shadow
TOO_TALL = 2  # times the height of a line: so is one that is higher
STEEPEST = 0.5  # rows a column: a line of digits rises or falls no more
LITTLE = 0.02  # of a digit's ink: less is a speck
TALL = 0.45  # of the height of a line: a part as high is a digit, or most of one
SAME_LINE = 0.7  # of the height of a line: the next digit's middle lies no more above or below the last one's
ABOVE, PIECE_ABOVE = 0.6, 0.5  # of the narrower one's width: parts over one another by more are of one digit
AS_HIGH = 0.7  # of the higher one's height, shared: neither is the hat or the foot of the other
LOW = 0.25  # of the height of a line: a small part beside others is higher
WIDE, WIDER = 0.85, 1.1  # of its own height, of a line's: a part as wide may be two digits that touch
OWN_HEIGHT = 0.8  # of its height counts where a part that is cut is higher than its line
DIGIT_WIDTH = 1.9  # of its height or the line's: the widest digit, a 2 or 4 with a long tail
CLOSE = 0.22  # of the height of a line: pieces so close may be of one digit
LEANS = (-0.35, 0.0, 0.35, 0.6)  # columns a row: how cuts may lean, as slanted hands do
MOST_CUTS = 6  # of one part
MOST_PIECES = 10  # of one digit: a part that was cut, put together again, and what lies by it
APART, LOWEST = 0.13, 0.08  # of the height of a line: between cuts, and to each side of where least ink is crossed
MOST_CROSSED = (3.2, 0.6)  # stroke widths, of a line's height: a cut crosses less ink
LEAN_COST = 0.3  # stroke widths of ink for a lean of one column a row
# Nats, chosen on lines of MNIST's training digits and of drawn ones, re-rendered: see ``_cost``.
CUT_COST, CROSSED_COST, GAP_COST, DIGIT_COST, WIDE_COST, LOW_COST = 1.0, 0.5, 6.0, 0.3, 1.0, 4.0
DOUBT = 6  # times the network's own nats


@dataclasses.dataclass(frozen=True)
class Piece:
    """Parts that are certainly of one digit, and what it costs to begin a digit with them (0: a gap, else a cut)."""

    members: tuple
    cut: float = 0.0

    @property
    def left(self):
        return min(part.left for part in self.members)

    @property
    def right(self):
        return max(part.right for part in self.members)

    @property
    def top(self):
        return min(part.top for part in self.members)

    @property
    def bottom(self):
        return max(part.bottom for part in self.members)


def one_digit(found):
    """The parts of the one digit that a picture shows; empty where there is no ink."""
    if not found.parts:
        return ()
    main = max(found.parts, key=lambda part: part.ink * _likely(part, found.labels.shape))
    members, added = [main], True
    while added:
        added = False
        side, ink = _longer_side(members), sum(part.ink for part in members)
        for part in found.parts:
            if part in members or part.sides > 1:
                continue
            gap = min(_gap(part, member) for member in members)
            if (part.ink > LITTLE * ink and gap < NEAR * side) or (part.ink > MUCH * ink and gap < FAR * side):
                members.append(part)
                added = True
    return tuple(members)


def _likely(part, shape):
    """How likely a part is to be a digit's, by how many sides of the picture it touches; 1 for none."""
    return LIKELY[part.sides]


def _longer_side(members):
    return max(
        max(part.bottom for part in members) - min(part.top for part in members),
        max(part.right for part in members) - min(part.left for part in members),
    )


def _gap(one, other):
    """Pixels between two boxes, in the direction in which they are further apart."""
    return max(one.top - other.bottom, other.top - one.bottom, one.left - other.right, other.left - one.right, 0)


def lines_of(found):
    """The lines of a picture, top to bottom, each a list of ``Piece`` from left to right, and the cuts in ``found``.

    Returns:
        ``(found, lines)``; ``found`` with the parts that were cut numbered anew.
    """
    writing = [part for part in found.parts if part.sides < 2] or list(found.parts)
    if not writing:
        return found, []
    most = max(part.ink for part in writing)
    heights = [part.height for part in writing if part.ink > WRITTEN * most]
    height = float(np.percentile(heights, 75))
    writing = [part for part in writing if not _of_the_surroundings(part, height)] or writing
    tall = sorted((part for part in writing if part.height > TALL * height), key=lambda part: part.left + part.right)
    lines = []
    for part in tall:
        line = min(lines, key=lambda line: _off(line, part), default=None)
        if line is None or _off(line, part) > SAME_LINE * height:
            lines.append([part])
        else:
            line.append(part)
    lines.sort(key=lambda line: np.mean([part.top + part.bottom for part in line]))
    small = [part for part in writing if part not in tall]
    labels = found.labels.copy()
    found = dataclasses.replace(found, labels=labels)
    return found, [_pieces(found, line, small) for line in lines]


def _of_the_surroundings(part, height):
    """Whether a part along the border is a shadow or the edge of the page: solid, or twice as high as a line."""
    solid = part.area > SOLID * part.height * part.width and min(part.height, part.width) > SOLID_SIDE * height
    return part.sides > 0 and (solid or part.height > TOO_TALL * height)


def _off(line, part):
    """How far the middle of ``part`` lies above or below where the line goes on."""
    middle = (part.top + part.bottom) / 2
    last = line[-1]
    expected = (last.top + last.bottom) / 2
    if len(line) > 1:
        before = line[-2]
        run = (last.left + last.right - before.left - before.right) / 2
        rise = expected - (before.top + before.bottom) / 2
        slope = rise / run if run > 0 else 0.0
        ahead = (part.left + part.right - last.left - last.right) / 2
        expected += float(np.clip(slope, -STEEPEST, STEEPEST)) * min(ahead, 2 * last.height)
    return abs(middle - expected)


def _pieces(found, line, small):
    """The pieces of a line: wide parts cut, parts above one another joined, small ones joined to what they lie by."""
    height = float(np.median([part.height for part in line]))
    groups = []
    for part in line:
        last = groups[-1] if groups else None
        if last and _overlap(last, part) > ABOVE and not _beside(last, part):
            last.append(part)
        else:
            groups.append([part])
    loose = []
    for part in small:
        near = [group for group in groups if _within(group, part, height)]
        above = [group for group in near if _overlap(group, part) > PIECE_ABOVE]
        if above:
            max(above, key=lambda group: _overlap(group, part)).append(part)
        elif near and part.height > LOW * height:
            loose.append([part])
    pieces = []
    for group in sorted(groups + loose, key=lambda group: min(part.left for part in group)):
        widest = max(group, key=lambda part: part.ink)
        if widest.width > WIDE * max(height, widest.height) or widest.width > WIDER * height:
            pieces += _cut(found, group, widest, max(height, OWN_HEIGHT * widest.height))
        else:
            pieces.append(Piece(tuple(group)))
    return pieces


def _beside(group, part):
    """Whether both are as high as digits are, so that one is not the hat or the foot of the other."""
    top, bottom = min(member.top for member in group), max(member.bottom for member in group)
    shared = min(bottom, part.bottom) - max(top, part.top)
    return shared > AS_HIGH * max(bottom - top, part.height)


def _overlap(group, part):
    """The share of the narrower one's width that lies over or under the other."""
    left, right = min(member.left for member in group), max(member.right for member in group)
    shared = min(right, part.right) - max(left, part.left)
    return shared / max(min(right - left, part.width), 1)


def _within(group, part, height):
    """Whether a small part lies by a group: a hat, a foot or a piece of a stroke, not a full stop or a speck."""
    if part.ink < LITTLE * sum(member.ink for member in group):
        return False
    return min(_gap(part, member) for member in group) < CLOSE * height


def _cut(found, group, part, height):
    """Pieces of a group of which ``part`` is wide, cut where a straight line crosses little ink."""
    rows, columns = slice(part.top, part.bottom), slice(part.left, part.right)
    mask = found.labels[rows, columns] == part.label
    stroke = max(found.ink.stroke, 1.0)
    cuts = _cuts(mask, stroke, height)
    if not cuts:
        return [Piece(tuple(group))]
    row, column = np.mgrid[: mask.shape[0], : mask.shape[1]]
    section = np.zeros(mask.shape, np.int32)
    for x, lean, _ in cuts:
        section += column - lean * (mask.shape[0] / 2 - row) >= x
    first = int(found.labels.max()) + 1
    found.labels[rows, columns][mask] = first + section[mask]
    numbers = [first + index for index in range(len(cuts) + 1) if (section[mask] == index).any()]
    new = ink_parts.described(found.ink, found.labels, numbers)
    others = [member for member in group if member is not part]
    costs = [0.0, *(CUT_COST + CROSSED_COST * ink / stroke for _, _, ink in cuts)]
    pieces = []
    for number, made in zip(numbers, new, strict=True):
        middle = [member for member in others if made.left <= (member.left + member.right) / 2 < made.right]
        others = [member for member in others if member not in middle]
        pieces.append(Piece((made, *middle), costs[number - first]))
    return [*pieces, *(Piece((member,)) for member in others)]


def _cuts(mask, stroke, height):
    """``(column, lean, ink crossed)`` of the lines to cut a wide part along, from left to right."""
    rows, columns = np.nonzero(mask)
    best = []
    for lean in LEANS:
        leant = np.rint(columns - lean * (mask.shape[0] / 2 - rows)).astype(int)
        shift = min(int(leant.min()), 0)
        ink = np.bincount(leant - shift, minlength=mask.shape[1])
        ink = np.convolve(ink, np.ones(3) / 3, "same")
        margin = max(int(LOWEST * height), 1)
        for x in range(margin, len(ink) - margin):
            around = ink[max(x - margin, 0) : x + margin + 1]
            if ink[x] == around.min() and ink[x] < min(MOST_CROSSED[0] * stroke, MOST_CROSSED[1] * height):
                best.append((x + shift, lean, float(ink[x])))
    best.sort(key=lambda cut: cut[2] + abs(cut[1]) * LEAN_COST * stroke)
    chosen = []
    for cut in best:
        if all(abs(cut[0] - other[0]) > APART * height for other in chosen):
            chosen.append(cut)
    return sorted(chosen[:MOST_CUTS])


def read(pieces, found, probabilities_of):
    """The most probable way of reading the pieces of a line: groups of pieces, one a digit.

    Args:
        pieces: of ``lines_of``.
        found: of ``lines_of``.
        probabilities_of: takes a list of tuples of parts, gives ``(n, classes)``.

    Returns:
        A list of ``(members, probabilities)``, left to right.
    """
    count = len(pieces)
    height = float(np.percentile([piece.bottom - piece.top for piece in pieces], 75))
    spans = [(i, j) for i in range(count) for j in range(i + 1, min(i + MOST_PIECES, count) + 1)]
    spans = [(i, j) for i, j in spans if _possible(pieces[i:j], height)]
    groups = [tuple(part for piece in pieces[i:j] for part in piece.members) for i, j in spans]
    probabilities = probabilities_of(groups)
    costs = {span: _cost(pieces[slice(*span)], row, height) for span, row in zip(spans, probabilities, strict=True)}
    best, back = [0.0] + [np.inf] * count, [0] * (count + 1)
    for (i, j), cost in sorted(costs.items(), key=lambda item: item[0][1]):
        if best[i] + cost < best[j]:
            best[j], back[j] = best[i] + cost, i
    path, end = [], count
    while end:
        path.append(spans.index((back[end], end)))
        end = back[end]
    return [(groups[index], probabilities[index]) for index in reversed(path)]


def _possible(pieces, height):
    """Whether pieces may be one digit: one alone always, several if they are close and not too wide together."""
    if len(pieces) == 1:
        return True
    width = max(piece.right for piece in pieces) - min(piece.left for piece in pieces)
    together = max(piece.bottom for piece in pieces) - min(piece.top for piece in pieces)
    if width > DIGIT_WIDTH * max(height, together):
        return False
    return all(b.left - a.right < CLOSE * height for a, b in itertools.pairwise(pieces))


def _cost(pieces, probabilities, height):
    """Nats that reading pieces as one digit costs: the network's doubt, the cut before it, gaps within, its width."""
    cost = DIGIT_COST + pieces[0].cut - DOUBT * float(np.log(max(probabilities.max(), 1e-4)))
    width = max(piece.right for piece in pieces) - min(piece.left for piece in pieces)
    together = max(piece.bottom for piece in pieces) - min(piece.top for piece in pieces)
    for before, after in itertools.pairwise(pieces):
        cost += GAP_COST * max(after.left - before.right, 0) / height
    if together < TALL * height:
        cost += LOW_COST
    return cost + WIDE_COST * max(width / max(together, height) - 1, 0)
