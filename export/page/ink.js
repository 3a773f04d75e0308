// keras_classics/recognition/ink.py and field.py, step by step: a picture → ink on paper; one digit's ink → the field.
// Their constants come from there (INK, FIELD), written in by the exporter.

/** The ink of a picture, {height, width, data}: four bytes a pixel, red first, as a canvas gives them. */
function inkOf({ height, width, data }) {
  const reduction = Math.ceil(Math.sqrt((height * width) / INK.WORK_PIXELS));
  let channels = [0, 1, 2].map((channel) => {
    const values = new Uint8Array(height * width);
    for (let at = 0, from = channel; at < values.length; at++, from += 4) values[at] = data[from];
    return plane(height, width, values);
  });
  if (reduction > 1) channels = channels.map((one) => reduced(one, reduction));
  const least = Math.max(1, rounded(Math.min(channels[0].height, channels[0].width) / INK.LIGHT_SIDE));
  const few = least > 1 ? channels.map((one) => reduced(one, least)) : channels;
  const weights = colourWeights(few);
  let grey = mixed(channels, weights), small = mixed(few, weights);
  const inverted = lightOnDark(small);
  if (inverted) [grey, small] = [grey, small].map((one) => mapped(one, (value) => 255 - value));
  let window = odd(INK.WIDE_WINDOW * Math.min(small.height, small.width) + 1);
  const guess = darkness(small, light(small, window));
  const [first] = edgeThreshold(guess);
  if (first !== null) {
    const stroke = strokeWidth(above(guess, first));
    window = Math.min(window, odd(INK.STROKES_WIDE * stroke + 2));
  }
  const paper = resized(light(small, window), grey.height, grey.width, "bilinear");
  let strength = withoutPaperLines(limited(darkness(grey, paper), 0, 1));
  let [threshold, noise] = edgeThreshold(strength);
  if (threshold === null) return { strength, threshold, stroke: 0, reduction, inverted };
  const stroke = strokeWidth(above(strength, threshold));
  if (noise && stroke > INK.SMOOTHED_FROM) {
    strength = gaussianFilter(strength, Math.min(stroke / INK.SMOOTHING, INK.MOST_SMOOTHING));
    threshold = edgeThreshold(strength)[0] || threshold;
  }
  return { strength, threshold, stroke, reduction, inverted };
}

const odd = (length) => Math.max(3, Math.floor(Math.trunc(length) / 2) * 2 + 1);

function colourWeights(channels) {
  const start = INK.LUMA, { height, width } = channels[0];
  const spread = [0, 1, 2].map((one) => [0, 1, 2].map((other) => {
    const a = channels[one].values, b = channels[other].values;
    let sum = 0;
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        if (y + 1 < height) sum += (a[at + width] - a[at]) * (b[at + width] - b[at]);
        if (x + 1 < width) sum += (a[at + 1] - a[at]) * (b[at + 1] - b[at]);
      }
    }
    return sum;
  }));
  let weights = start;
  for (let turn = 0; turn < INK.POWER_TURNS; turn++) {
    weights = spread.map((row) => row.reduce((sum, value, at) => sum + value * weights[at], 0));
    const length = Math.hypot(...weights);
    if (length < 1e-6) return start.map(Math.fround);
    weights = weights.map((value) => value / length);
  }
  const sign = Math.sign(sumOf(weights));
  weights = weights.map((value) => Math.max(value * sign, 0));
  return weights.map((value) => Math.fround(value / sumOf(weights)));
}

function mixed([red, green, blue], [first, second, third]) {
  const result = plane(red.height, red.width);
  for (let at = 0; at < result.values.length; at++) {
    result.values[at] = red.values[at] * first + green.values[at] * second + blue.values[at] * third;
  }
  return result;
}

function lightOnDark(small) {
  const { height, width, values } = small, slope = steepness(small).values;
  const band = rounded(INK.BORDER_BAND * Math.min(height, width));
  const around = uniformFilter(small, odd(INK.PAPER_WINDOW * Math.min(height, width) + 1), "nearest").values;
  const median = medianOf(values);
  let every = 0, inner = 0, edges = 0;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const share = slope[at] * (around[at] + INK.MEDIAN_COUNTS * median - (1 + INK.MEDIAN_COUNTS) * values[at]);
      every += share;
      if (y < band || y >= height - band || x < band || x >= width - band) continue;
      inner += share;
      edges += slope[at];
    }
  }
  return (edges > 0 ? inner : every) < 0;
}

function light(small, window) {
  return limited(uniformFilter(greyClosing(small, window), odd(window / INK.LIGHT_SMOOTHED), "nearest"), 1, Infinity);
}

/** [threshold, noise]: threshold null where no edge rises above the noise. */
function edgeThreshold(strength) {
  const slope = steepness(strength).values, noise = grain(strength);
  const least = Math.max((INK.EDGE_NOISE * noise) ** 2, (INK.LEAST_CONTRAST / INK.EDGE_CONTRAST) ** 2);
  let total = 0, weighted = 0;
  for (let at = 0; at < slope.length; at++) {
    if (slope[at] < least) continue;
    total += slope[at];
    weighted += slope[at] * strength.values[at];
  }
  const threshold = weighted / total;
  return total <= 0 || 2 * threshold < Math.max(INK.LEAST_CONTRAST, INK.NOISE * noise) ? [null, noise] : [threshold, noise];
}

function grain({ height, width, values }) {
  if (height < 3 || width < 3) return 0;
  const rows = (height - 1) >> 1, columns = (width - 1) >> 1, bends = new Float32Array(rows * columns); // every other place
  const bend = (at) => values[at - width] - 2 * values[at] + values[at + width];
  for (let row = 0, to = 0; row < rows; row++) {
    for (let column = 0, at = (2 * row + 1) * width + 1; column < columns; column++, at += 2) {
      bends[to++] = Math.abs(bend(at - 1) - 2 * bend(at) + bend(at + 1));
    }
  }
  return medianOf(bends) / (6 * 0.6745);
}

function steepness({ height, width, values }) {
  const result = new Float32Array(values.length);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const down = y && y < height - 1 ? values[at + width] - values[at - width] : 0;
      const across = x && x < width - 1 ? values[at + 1] - values[at - 1] : 0;
      result[at] = down * down + across * across;
    }
  }
  return plane(height, width, result);
}

function strokeWidth(mask) {
  const area = sumOf(mask.values); // outside of it, distances are 0
  if (!area) return 0;
  const { top, bottom, left, right } = boxOf(mask);
  return 4 * (sumOf(distanceTransform(cropped(mask, top - 1, bottom + 1, left - 1, right + 1)).values) / area - 0.5);
}

/** The field of one digit's ink: side × side pixels, 0 paper to 255 stroke; some paper around the ink. */
function fieldOf(strength, threshold) {
  return centred(drawn(evened(strength, threshold)));
}

function evened(strength, threshold) {
  const window = 2 * Math.trunc(FIELD.EVENED * Math.max(strength.height, strength.width)) + 3;
  const peak = uniformFilter(maximumFilter(strength, window), window).values;
  return mapped(strength, (value, at) => value / Math.max(peak[at], threshold));
}

function drawn(level) {
  const longest = FIELD.BOX * FIELD.FINE, box = boxOf(above(level, FIELD.SHARE));
  const longer = Math.max(box.bottom - box.top, box.right - box.left);
  const margin = 2 + Math.ceil(FIELD.ROOM * longer);
  level = cropped(level, box.top - margin, box.bottom + margin, box.left - margin, box.right + margin);
  const fine = brought(level, longest / longer);
  const inside = above(fine, Math.min(FIELD.SHARE, greatest(fine.values) / 2)); // a hair that scaling made faint is a stroke
  const inward = distanceTransform(inside).values;
  const [faint, full] = FIELD.BETWEEN, [edged, blurred] = FIELD.SOFT;
  let area = 0, depth = 0, between = 0;
  for (let at = 0; at < inward.length; at++) {
    if (inward[at]) { area++; depth += inward[at] - 0.5; } // distance to the edge
    if (fine.values[at] > faint && fine.values[at] < full) between++;
  }
  const share = (4 * depth) / area / longest, soft = between / area;
  const inWidth = FIELD.STROKE[0] <= share * FIELD.BOX && share * FIELD.BOX < FIELD.WIDEST;
  if (edged < soft && soft < blurred && inWidth) return boxed(fine, inside, FIELD.GREY_EDGE * FIELD.FINE);
  const wanted = clamped(share, ...FIELD.STROKE.map((side) => side / FIELD.BOX));
  let grow = ((wanted - share) * longest) / (2 * (1 - wanted));
  grow = Math.max(grow, FIELD.THINNEST - (greatest(inward) - 0.5));
  const outward = distanceTransform(masked(inside, (value) => !value)).values, strokes = plane(fine.height, fine.width);
  for (let at = 0; at < inward.length; at++) { // above 0 within
    strokes.values[at] = Math.fround(inside.values[at] ? inward[at] - 0.5 : 0.5 - outward[at]) + grow + 0.5;
  }
  const core = above(limited(strokes, 0, 1), 0.5);
  const { top, bottom, left, right } = boxOf(core);
  return brought(boxed(strokes, core, 1), longest / Math.max(bottom - top, right - left));
}

/** The part of `one` in the box of a mask and at most `margin` pixels around it. */
function boxed(one, mask, margin) {
  const { top, bottom, left, right } = boxOf(mask);
  return cropped(one, Math.max(top - margin, 0), Math.min(bottom + margin, one.height), Math.max(left - margin, 0), Math.min(right + margin, one.width));
}

/** `one` scaled, 0 to 1. */
function brought(one, scale) {
  const [height, width] = [one.height, one.width].map((side) => Math.max(1, rounded(side * scale)));
  return limited(resized(one, height, width, "bicubic"), 0, 1);
}

function centred({ height, width, values }) {
  const { FINE, MIDDLE, MNIST_SIZE, SIZE } = FIELD;
  let total = 0, down = 0, across = 0;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      total += values[at];
      down += values[at] * (y + 0.5);
      across += values[at] * (x + 0.5);
    }
  }
  const middle = (MIDDLE + (SIZE - MNIST_SIZE) / 2) * FINE;
  const top = rounded(middle - down / total), left = rounded(middle - across / total);
  const page = cropped(plane(height, width, values), -top, SIZE * FINE - top, -left, SIZE * FINE - left);
  return reduced(page, FINE).values.map((value) => rounded(value * 255));
}

/** The field of a picture that is already as MNIST has it, unchanged but for inversion; null of any other. */
function asMnist({ height, width, data }) {
  const { BOX, MIDDLE, MNIST_SIZE, OFF_MIDDLE, SIZE } = FIELD, ground = data[0];
  if (height !== width || ![MNIST_SIZE, SIZE].includes(height) || ![0, 255].includes(ground)) return null;
  const grey = mapped(plane(height, width, new Uint8Array(height * width)), (_, at) => data[4 * at], Uint8Array);
  if ([width - 1, width * (width - 1), width * width - 1].some((corner) => grey.values[corner] !== ground)) return null;
  if (!grey.values.every((value, at) => data[4 * at + 1] === value && data[4 * at + 2] === value)) return null;
  const digit = ground ? mapped(grey, (value) => 255 - value, Uint8Array) : grey, { top, bottom, left, right } = boxOf(digit);
  if (right <= left || ![BOX - 1, BOX].includes(Math.max(right - left, bottom - top))) return null;
  let total = 0, down = 0, across = 0;
  digit.values.forEach((value, at) => { total += value; down += value * Math.floor(at / width); across += value * (at % width); });
  const middle = MIDDLE + (height - MNIST_SIZE) / 2 - 0.5;
  if ([down, across].some((sum) => Math.abs(sum / total - middle) >= OFF_MIDDLE)) return null;
  return padded(digit, (SIZE - height) / 2).values;
}

function boxOf({ height, width, values }) {
  const rows = (y) => values.subarray(y * width, (y + 1) * width).some(Boolean);
  let top = 0, bottom = height, left = width, right = 0;
  while (top < height && !rows(top)) top++;
  while (bottom > top && !rows(bottom - 1)) bottom--;
  for (let y = top; y < bottom; y++) {
    const row = values.subarray(y * width, (y + 1) * width), first = row.findIndex(Boolean);
    if (first < 0) continue;
    left = Math.min(left, first);
    right = Math.max(right, row.findLastIndex(Boolean) + 1);
  }
  return { top, bottom, left, right };
}
