// keras_classics/recognition/lines.py, step by step: parts → the digits of each line, from left to right.
// Its constants come from there (LINES), written in by the exporter.

/** The parts of the one digit that a picture shows. */
function oneDigit(found) {
  if (!found.parts.length) return [];
  const main = best(found.parts, (part) => part.ink * LINES.LIKELY[part.sides]);
  const members = [main];
  for (let added = true; added;) {
    added = false;
    const side = longerOf(around(members)), ink = members.reduce((sum, part) => sum + part.ink, 0);
    for (const part of found.parts) {
      if (members.includes(part) || part.sides > 1) continue;
      const gap = least(members, (member) => gapOf(part, member));
      if ((part.ink > LINES.LITTLE * ink && gap < LINES.NEAR * side) || (part.ink > LINES.MUCH * ink && gap < LINES.FAR * side)) {
        members.push(part);
        added = true;
      }
    }
  }
  return members;
}

function gapOf(one, other) {
  return Math.max(one.top - other.bottom, other.top - one.bottom, one.left - other.right, other.left - one.right, 0);
}

/** {found, lines}: the lines top to bottom, each its pieces from left to right; `found` with what was cut numbered anew. */
function linesOf(found) {
  const inner = found.parts.filter((part) => part.sides < 2);
  let writing = inner.length ? inner : found.parts.slice();
  if (!writing.length) return { found, lines: [] };
  const inkiest = most(writing, (part) => part.ink);
  const height = quantile(writing.filter((part) => part.ink > LINES.WRITTEN * inkiest).map(heightOf), 0.75);
  const own = writing.filter((part) => !ofTheSurroundings(part, height));
  if (own.length) writing = own;
  const tall = writing.filter((part) => heightOf(part) > LINES.TALL * height).sort((one, other) => one.left + one.right - other.left - other.right);
  const lines = [];
  for (const part of tall) {
    const line = lines.length ? best(lines, (each) => -offLine(each, part)) : null;
    if (!line || offLine(line, part) > LINES.SAME_LINE * height) lines.push([part]);
    else line.push(part);
  }
  const middle = (line) => line.reduce((sum, part) => sum + part.top + part.bottom, 0) / line.length;
  lines.sort((one, other) => middle(one) - middle(other));
  const small = writing.filter((part) => !tall.includes(part));
  const { labels } = found;
  const renumbered = { ...found, labels: plane(labels.height, labels.width, labels.values.slice()) };
  return { found: renumbered, lines: lines.map((line) => piecesOf(renumbered, line, small)) };
}

/** Whether a part along the border is a shadow or the edge of the page: solid, or twice as high as a line. */
function ofTheSurroundings(part, height) {
  const solid = part.area > LINES.SOLID * heightOf(part) * widthOf(part) && Math.min(heightOf(part), widthOf(part)) > LINES.SOLID_SIDE * height;
  return part.sides > 0 && (solid || heightOf(part) > LINES.TOO_TALL * height);
}

/** How far the middle of `part` lies above or below where the line goes on. */
function offLine(line, part) {
  const last = line[line.length - 1], before = line[line.length - 2];
  let expected = (last.top + last.bottom) / 2;
  if (before) {
    const run = (last.left + last.right - before.left - before.right) / 2;
    const rise = expected - (before.top + before.bottom) / 2;
    const ahead = (part.left + part.right - last.left - last.right) / 2;
    expected += clamped(run > 0 ? rise / run : 0, -LINES.STEEPEST, LINES.STEEPEST) * Math.min(ahead, 2 * heightOf(last));
  }
  return Math.abs((part.top + part.bottom) / 2 - expected);
}

/** A piece: parts that are certainly of one digit, their box, and what it costs to begin a digit with them. */
const pieceOf = (members, cut = 0) => ({ members, cut, ...around(members) });

function piecesOf(found, line, small) {
  const height = medianOf(line.map(heightOf)), groups = [], loose = [];
  for (const part of line) {
    const last = groups[groups.length - 1];
    if (last && overlap(last, part) > LINES.ABOVE && !beside(last, part)) last.push(part);
    else groups.push([part]);
  }
  for (const part of small) {
    const near = groups.filter((group) => withinReach(group, part, height));
    const above = near.filter((group) => overlap(group, part) > LINES.PIECE_ABOVE);
    if (above.length) best(above, (group) => overlap(group, part)).push(part);
    else if (near.length && heightOf(part) > LINES.LOW * height) loose.push([part]);
  }
  const leftOf = (group) => least(group, (part) => part.left);
  return [...groups, ...loose].sort((one, other) => leftOf(one) - leftOf(other)).flatMap((group) => {
    const widest = best(group, (part) => part.ink), width = widthOf(widest);
    const wide = width > LINES.WIDE * Math.max(height, heightOf(widest)) || width > LINES.WIDER * height;
    return wide ? cutApart(found, group, widest, Math.max(height, LINES.OWN_HEIGHT * heightOf(widest))) : [pieceOf(group)];
  });
}

function beside(group, part) {
  const { top, bottom } = around(group);
  return Math.min(bottom, part.bottom) - Math.max(top, part.top) > LINES.AS_HIGH * Math.max(bottom - top, heightOf(part));
}

function overlap(group, part) {
  const { left, right } = around(group);
  return (Math.min(right, part.right) - Math.max(left, part.left)) / Math.max(Math.min(right - left, widthOf(part)), 1);
}

function withinReach(group, part, height) {
  if (part.ink < LINES.LITTLE * group.reduce((sum, member) => sum + member.ink, 0)) return false;
  return least(group, (member) => gapOf(part, member)) < LINES.CLOSE * height;
}

/** Pieces of a group of which `part` is wide, cut where a straight line crosses little ink. */
function cutApart(found, group, part, height) {
  const { labels } = found, rows = heightOf(part), columns = widthOf(part);
  const mask = masked(cropped(labels, part.top, part.bottom, part.left, part.right), (number) => number === part.label);
  const stroke = Math.max(found.ink.stroke, 1), cuts = cutsOf(mask, stroke, height);
  if (!cuts.length) return [pieceOf(group)];
  const first = labels.values.reduce((one, other) => Math.max(one, other)) + 1;
  const used = new Set();
  mask.values.forEach((value, at) => {
    if (!value) return;
    const row = at / columns | 0, column = at % columns;
    const section = cuts.filter((cut) => column - cut.lean * (rows / 2 - row) >= cut.x).length;
    labels.values[(part.top + row) * labels.width + part.left + column] = first + section;
    used.add(section);
  });
  const numbers = [...used].sort((one, other) => one - other).map((section) => first + section);
  let others = group.filter((member) => member !== part);
  const costs = [0, ...cuts.map((cut) => LINES.CUT_COST + (LINES.CROSSED_COST * cut.ink) / stroke)];
  const pieces = described(found.ink, labels, first + cuts.length, numbers).map((made) => {
    const amid = others.filter((member) => made.left <= (member.left + member.right) / 2 && (member.left + member.right) / 2 < made.right);
    others = others.filter((member) => !amid.includes(member));
    return pieceOf([made, ...amid], costs[made.label - first]);
  });
  return [...pieces, ...others.map((member) => pieceOf([member]))];
}

/** {x, lean, ink} of the lines to cut a wide part along, from left to right. */
function cutsOf(mask, stroke, height) {
  const { width, values } = mask, found = [];
  for (const lean of LINES.LEANS) {
    const places = [];
    values.forEach((value, at) => {
      if (value) places.push(rounded((at % width) - lean * (mask.height / 2 - (at / width | 0))));
    });
    const shift = Math.min(least(places, (place) => place), 0);
    const counts = new Float64Array(Math.max(most(places, (place) => place) - shift + 1, width));
    places.forEach((place) => counts[place - shift]++);
    // Summed as NumPy's convolve does, to the last bit: which of equal places is taken hangs on it.
    const third = 1 / 3, ink = counts.map((count, at) => (counts[at - 1] || 0) * third + count * third + (counts[at + 1] || 0) * third);
    const margin = Math.max(Math.trunc(LINES.LOWEST * height), 1);
    for (let x = margin; x < ink.length - margin; x++) {
      const low = ink.subarray(x - margin, x + margin + 1).every((value) => value >= ink[x]);
      if (low && ink[x] < Math.min(LINES.MOST_CROSSED[0] * stroke, LINES.MOST_CROSSED[1] * height)) found.push({ x: x + shift, lean, ink: ink[x] });
    }
  }
  const price = (cut) => cut.ink + Math.abs(cut.lean) * LINES.LEAN_COST * stroke, chosen = [];
  for (const cut of found.sort((one, other) => price(one) - price(other))) {
    if (chosen.every((other) => Math.abs(cut.x - other.x) > LINES.APART * height)) chosen.push(cut);
  }
  return chosen.slice(0, LINES.MOST_CUTS).sort((one, other) => one.x - other.x || one.lean - other.lean);
}

/** The most probable way of reading the pieces of a line: of each digit what `read(members)` gave, left to right. */
function readLine(pieces, read) {
  const count = pieces.length, height = quantile(pieces.map(heightOf), 0.75);
  const reached = [0, ...new Array(count).fill(Infinity)], back = new Array(count + 1).fill(null);
  for (let end = 1; end <= count; end++) {
    for (let start = Math.max(end - LINES.MOST_PIECES, 0); start < end; start++) {
      const span = pieces.slice(start, end);
      if (!possible(span, height)) continue;
      const digit = read(span.flatMap((piece) => piece.members));
      const cost = reached[start] + costOf(span, digit.probabilities, height);
      if (cost < reached[end]) [reached[end], back[end]] = [cost, { start, digit }];
    }
  }
  const digits = [];
  for (let end = count; end; end = back[end].start) digits.unshift(back[end].digit);
  return digits;
}

function possible(pieces, height) {
  if (pieces.length === 1) return true;
  const box = around(pieces);
  if (box.right - box.left > LINES.DIGIT_WIDTH * Math.max(height, box.bottom - box.top)) return false;
  return pieces.slice(1).every((piece, at) => piece.left - pieces[at].right < LINES.CLOSE * height);
}

function costOf(pieces, probabilities, height) {
  const box = around(pieces), together = box.bottom - box.top;
  let cost = LINES.DIGIT_COST + pieces[0].cut - LINES.DOUBT * Math.log(Math.max(...probabilities, 1e-4));
  pieces.slice(1).forEach((piece, at) => { cost += (LINES.GAP_COST * Math.max(piece.left - pieces[at].right, 0)) / height; });
  if (together < LINES.TALL * height) cost += LINES.LOW_COST;
  return cost + LINES.WIDE_COST * Math.max((box.right - box.left) / Math.max(together, height) - 1, 0);
}
