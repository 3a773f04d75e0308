// A picture → what it says: lines of digits, each with its field, every step of the network and the probabilities.

/**
 * What a picture {height, width, data} says: {lines, inverted}. A line is a list of digits {field, results,
 * probabilities, box}, left to right; the box is in pixels of the picture.
 */
function readPicture(network, picture) {
  const ink = inkOf(picture), found = partsOf(ink);
  const digit = (where) => (members) => {
    const field = fieldOf(cutOut(where, members).plane, ink.threshold), results = computed(network, field);
    const { top, bottom, left, right } = around(members);
    const box = { top: top * ink.reduction, bottom: bottom * ink.reduction, left: left * ink.reduction, right: right * ink.reduction };
    return { field, results, probabilities: probabilitiesOf(network, results), box };
  };
  const split = linesOf(found);
  let lines = split.lines.map((pieces) => readLine(pieces, digit(split.found)));
  if (lines.flat().length === 1) lines = [[digit(found)(oneDigit(found))]];
  return { lines, inverted: ink.inverted };
}

const answerOf = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

const WINDOW = 6, STEP = 2; // pixels of the field: side of the square of paper laid on the ink, and how far it moves

/**
 * Why: how much the answer's probability falls where paper covers the ink, the mean of all squares over a pixel. A
 * generator, which stops between rows of squares, so that drawing goes on; its value is {height, width, values}.
 */
function* occlusion(network, digit) {
  const { side } = network, answer = answerOf(digit.probabilities);
  const falls = new Float32Array(side * side), counts = new Float32Array(side * side);
  for (let top = 2 - WINDOW; top < side; top += STEP) {
    for (let left = 2 - WINDOW; left < side; left += STEP) {
      const covered = digit.field.slice(), places = [];
      for (let y = Math.max(top, 0); y < Math.min(top + WINDOW, side); y++) {
        for (let x = Math.max(left, 0); x < Math.min(left + WINDOW, side); x++) places.push(y * side + x);
      }
      const blank = places.every((place) => !covered[place]);
      places.forEach((place) => { covered[place] = 0; counts[place]++; });
      if (blank) continue;
      const fall = digit.probabilities[answer] - probabilitiesOf(network, computed(network, covered))[answer];
      places.forEach((place) => { falls[place] += fall; });
    }
    yield;
  }
  return { height: side, width: side, values: falls.map((fall, place) => fall / Math.max(counts[place], 1)) };
}

/**
 * The bytes of a canvas as the project's decoder gives them: what is transparent is laid on the ground that shows it,
 * dark strokes on white and light strokes on black (keras_classics/datasets/decoding.py).
 */
function onGround({ height, width, data }) {
  const bytes = new Uint8ClampedArray(data), grey = (at) => (bytes[at] * 19595 + bytes[at + 1] * 38470 + bytes[at + 2] * 7471 + 0x8000) >> 16;
  let strongest = 0, weakest = 255;
  for (let at = 3; at < bytes.length; at += 4) {
    strongest = Math.max(strongest, bytes[at]);
    weakest = Math.min(weakest, bytes[at]);
  }
  if (weakest === 255) return { height, width, data: bytes };
  let ground = 255;
  if (strongest) {
    const seen = [];
    for (let at = 0; at < bytes.length; at += 4) if (bytes[at + 3] >= Math.min(DECODING.SOLID, strongest)) seen.push(grey(at));
    const [dark, middle, bright] = [0.05, 0.5, 0.95].map((share) => quantile(seen, share));
    ground = (middle >= 128) === (bright - dark >= DECODING.OWN_GROUND) ? 255 : 0;
  }
  for (let at = 0; at < bytes.length; at++) {
    const alpha = bytes[at | 3] / 255;
    if ((at & 3) !== 3) bytes[at] = bytes[at] * alpha + ground * (1 - alpha);
  }
  for (let at = 3; at < bytes.length; at += 4) bytes[at] = 255;
  return { height, width, data: bytes };
}
