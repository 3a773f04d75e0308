// keras_classics/recognition/parts.py, step by step: ink → its connected parts, without what is no writing.
// Its constants come from there (PARTS), written in by the exporter.

const longerOf = (part) => Math.max(part.bottom - part.top, part.right - part.left);
const heightOf = (part) => part.bottom - part.top;
const widthOf = (part) => part.right - part.left;
const least = (items, value) => items.reduce((found, item) => Math.min(found, value(item)), Infinity);
const most = (items, value) => items.reduce((found, item) => Math.max(found, value(item)), -Infinity);
const around = (parts) => ({
  top: least(parts, (part) => part.top), bottom: most(parts, (part) => part.bottom),
  left: least(parts, (part) => part.left), right: most(parts, (part) => part.right),
});

/** The first of the items whose value is the greatest. */
function best(items, value) {
  return items.reduce((found, item) => (value(item) > value(found) ? item : found));
}

/** {ink, labels, parts} of what inkOf found. */
function partsOf(ink) {
  const { strength, threshold, stroke } = ink;
  if (threshold === null) return { ink, labels: plane(strength.height, strength.width, new Int32Array(strength.values.length)), parts: [] };
  const strong = withoutLines(above(strength, threshold), stroke);
  const faint = withoutLines(above(strength, PARTS.WEAK * threshold), stroke);
  const { labels, count } = labelled(masked(strong, (value, at) => value || faint.values[at]));
  const seen = new Uint8Array(count + 1);
  strong.values.forEach((value, at) => { if (value) seen[labels.values[at]] = 1; });
  const numbers = Array.from({ length: count }, (_, at) => at + 1).filter((number) => seen[number]);
  const parts = withoutFrames(described(ink, labels, count, numbers), labels);
  const total = parts.reduce((sum, part) => sum + part.ink, 0);
  const kept = parts.filter((part) => part.ink > PARTS.SPECK * total && longerOf(part) > PARTS.SPECK_SIDE * stroke);
  return { ink, labels, parts: kept.sort((one, other) => other.ink - one.ink) };
}

function described(ink, labels, count, numbers) {
  const boxes = boxesOf(labels, count), areas = new Float64Array(count + 1), sums = new Float64Array(count + 1);
  labels.values.forEach((number, at) => { areas[number]++; sums[number] += ink.strength.values[at]; });
  return numbers.map((label) => {
    const { top, bottom, left, right } = boxes[label - 1];
    const sides = (top === 0) + (bottom === labels.height) + (left === 0) + (right === labels.width);
    return { label, top, bottom, left, right, area: areas[label], ink: sums[label], sides };
  });
}

function withoutLines(mask, stroke) {
  for (const [turned, fewest] of [[false, 1], [true, 2]]) {
    const view = turned ? transposed(mask) : mask;
    const found = printedLines(view, stroke);
    if (found.length < fewest) continue;
    const runs = uprightRuns(view).values, kept = plane(view.height, view.width, view.values.slice());
    for (const { top, left, strip, thickness } of found) {
      strip.values.forEach((value, at) => {
        const place = (top + (at / strip.width | 0)) * view.width + left + (at % strip.width);
        if (value && runs[place] <= PARTS.LINE_CROSSED * thickness + 1) kept.values[place] = 0;
      });
    }
    mask = turned ? transposed(kept) : kept;
  }
  return mask;
}

/** Level lines from border to border: {top, left, strip, thickness} of each. */
function printedLines(view, stroke) {
  const { height, width, values } = view;
  const piece = Math.max(rounded(PARTS.LINE_PIECE * width), 8);
  const ends = Math.max(Math.trunc(PARTS.LINE_ENDS * width), 1);
  let first = false, last = false, long = false;
  for (let y = 0, at = 0; y < height; y++) {
    let sum = 0;
    for (let x = 0; x < width; x++, at++) {
      if (!values[at]) continue;
      sum++;
      if (x < ends) first = true;
      if (x >= width - ends) last = true;
    }
    if (sum > piece) long = true;
  }
  if (!first || !last || !long) return [];
  const straight = openedByLine(dilated(view, 1, 0), piece);
  const lines = masked(straight, (value, at) => value && values[at]);
  const { labels, count } = labelled(dilated(lines, 1, 1));
  return boxesOf(labels, count).flatMap(({ top, bottom, left, right }, index) => {
    const inside = masked(cropped(labels, top, bottom, left, right), (value) => value === index + 1);
    const within = (one) => cropped(one, top, bottom, left, right).values;
    const onLine = within(lines), written = within(view);
    const thickness = sumOf(inside.values.map((value, at) => value & onLine[at]).filter(Boolean)) / (right - left);
    const reaches = left <= PARTS.LINE_ENDS * width && right >= (1 - PARTS.LINE_ENDS) * width;
    const level = bottom - top <= PARTS.LINE_LEAN * width + 2 * thickness + 2;
    if (!reaches || !level || thickness > Math.max(PARTS.LINE_THICK * stroke, 2)) return [];
    return [{ top, left, strip: masked(inside, (value, at) => value && written[at]), thickness }];
  });
}

/** For each pixel of a mask, how long the upright run of pixels is that it belongs to. */
function uprightRuns({ height, width, values }) {
  const runs = new Int32Array(values.length);
  for (let x = 0; x < width; x++) {
    for (let y = 0, run = 0; y <= height; y++) {
      if (y < height && values[y * width + x]) { run++; continue; }
      for (let back = 1; back <= run; back++) runs[(y - back) * width + x] = run;
      run = 0;
    }
  }
  return plane(height, width, runs);
}

function withoutFrames(parts, { height, width }) {
  return parts.filter((part) => {
    const hollow = part.area < PARTS.FRAME_FILL * heightOf(part) * widthOf(part);
    const large = heightOf(part) > PARTS.FRAME_SIDE * height && widthOf(part) > PARTS.FRAME_SIDE * width;
    const holds = (other) => part.top < other.top && other.bottom < part.bottom && part.left < other.left && other.right < part.right
      && longerOf(other) > PARTS.FRAME_CONTENT * Math.min(heightOf(part), widthOf(part));
    return !(hollow && large && parts.some(holds));
  });
}

/** Whether the edges of some parts are as soft as a shadow's, or they are pale and lie along two borders or more. */
function isShade(found, members) {
  const box = boxWithin(found, members, 3), { threshold } = found.ink;
  const strength = cropped(found.ink.strength, box.top, box.bottom, box.left, box.right);
  const own = masked(ownOf(found, members, box), (value, at) => value && strength.values[at] > threshold);
  const inked = strength.values.filter((_, at) => own.values[at]), mean = sumOf(inked) / inked.length, near = dilated(own, 1, 1).values;
  const slopes = steepness(strength).values.filter((_, at) => near[at]);
  const sharp = (Math.sqrt(sumOf(slopes) / (8 * inked.length)) * strokeWidth(own)) / mean;
  const { top, bottom, left, right } = around(members), { height, width } = found.labels;
  const borders = (top === 0) + (bottom === height) + (left === 0) + (right === width);
  return sharp < PARTS.SHARP || (borders > 1 && mean < PARTS.PALE);
}

/** How far the ink of some parts stands out from the paper around them, in standard deviations. */
function separation(found, members) {
  const { top, bottom, left, right } = boxWithin(found, members, PARTS.BESIDE_LEAST + Math.trunc(PARTS.BESIDE * most(members, longerOf)));
  const strength = cropped(found.ink.strength, top, bottom, left, right).values, { threshold, stroke } = found.ink;
  const own = ownOf(found, members, { top, bottom, left, right }), reach = 1 + Math.trunc(stroke / PARTS.EDGE_REACH);
  const near = dilated(own, reach, reach).values;
  const inks = [], paper = [];
  for (let at = 0; at < strength.length; at++) {
    if (own.values[at] && strength[at] > threshold) inks.push(strength[at]);
    else if (!near[at] && strength[at] < threshold) paper.push(strength[at]);
  }
  const mean = (values) => sumOf(values) / values.length, half = PARTS.STROKE_INK * mean(inks);
  const ink = inks.filter((value) => value > half); // without edges; printed lines lower the threshold
  if (paper.length < PARTS.LEAST_PAPER || !ink.length) return 0;
  const deviation = (values, middle) => Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / values.length);
  const [dark, bright] = [mean(ink), mean(paper)];
  return (dark - bright) / (deviation(ink, dark) + deviation(paper, bright) + 1e-3);
}

/** The box of some parts and `margin` pixels more, where the picture has them. */
function boxWithin({ labels }, members, margin) {
  const { top, bottom, left, right } = around(members);
  return {
    top: Math.max(top - margin, 0), bottom: Math.min(bottom + margin, labels.height),
    left: Math.max(left - margin, 0), right: Math.min(right + margin, labels.width),
  };
}

/** Where, in a box, the pixels of some parts are: a mask. */
function ownOf({ labels }, members, { top, bottom, left, right }) {
  const numbers = new Set(members.map((part) => part.label));
  return masked(cropped(labels, top, bottom, left, right), (number) => number && numbers.has(number));
}

/** The strength of some parts alone, with a margin; what is not theirs counts as paper. */
function cutOut(found, members, margin = 3) {
  const box = boxWithin(found, members, margin), { top, bottom, left, right } = box;
  const labels = cropped(found.labels, top, bottom, left, right), own = ownOf(found, members, box), near = dilated(own, 2, 2).values;
  const strength = cropped(found.ink.strength, top, bottom, left, right);
  for (let at = 0; at < near.length; at++) {
    if (!own.values[at] && !(near[at] && !labels.values[at])) strength.values[at] = 0;
  }
  return strength;
}
