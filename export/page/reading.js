// A picture → what it says: lines of digits, each with its field, every step of the network and the probabilities.

/**
 * What a picture {height, width, data} says: lines of digits {field, results, probabilities, box}, top to bottom and left
 * to right; boxes in pixels of the picture. As Recognizer.numbers, but one digit alone is read as Recognizer.digit does.
 */
function readPicture(network, picture) {
  const ready = readyDigit(network, picture);
  if (ready) return [[ready]];
  const found = partsOf(inkOf(picture)), split = linesOf(found), known = new Map(), seen = new Map();
  const named = (members) => members.map((part) => part.label).sort().join(); // parts that are cut get numbers of their own
  const digit = (members, where) => {
    const name = named(members);
    if (!known.has(name)) known.set(name, digitOf(network, where, members));
    return known.get(name);
  };
  const inked = ({ members }) => {
    const name = named(members);
    if (!seen.has(name)) seen.set(name, standsOut(split.found, members));
    return seen.get(name);
  };
  const written = split.lines.filter((pieces) => pieces.some(inked));
  const lines = written.map((pieces) => readLine(pieces, (members) => digit(members, split.found)));
  if (lines.flat().length === 1) return standsOut(found, oneDigit(found)) ? [[digit(oneDigit(found), found)]] : [];
  return lines.filter((line) => line.some((each) => Math.max(...each.probabilities) >= RECOGNIZER.THRESHOLD));
}

/** The one digit of a picture; null where there is no ink. */
function readDigit(network, picture) {
  const ready = readyDigit(network, picture);
  if (ready) return ready;
  const found = partsOf(inkOf(picture)), members = oneDigit(found);
  return standsOut(found, members) ? digitOf(network, found, members) : null;
}

const standsOut = (found, members) => members.length > 0 && separation(found, members) >= PARTS.SEPARATION && !isShade(found, members);

function readyDigit(network, picture) {
  const ready = asMnist(picture);
  return ready && { ...answered(network, ready), box: { top: 0, bottom: picture.height, left: 0, right: picture.width } };
}

function digitOf(network, found, members) {
  const { threshold, reduction } = found.ink, { top, bottom, left, right } = around(members);
  const box = { top: top * reduction, bottom: bottom * reduction, left: left * reduction, right: right * reduction };
  return { ...answered(network, knownField(cutOut(found, members), threshold)), box, members };
}

/** `fieldOf`, of which the last few are remembered: digits that a stroke leaves as they are. */
function knownField(strength, threshold) {
  const known = fields.find((other) => other.threshold === threshold && other.width === strength.width
    && other.values.length === strength.values.length && other.values.every((value, at) => value === strength.values[at]));
  if (known) return known.field;
  const field = fieldOf(strength, threshold);
  fields.unshift({ ...strength, threshold, field });
  fields.length = Math.min(fields.length, LATEST);
  return field;
}

function answered(network, field) {
  const margin = (network.side - FIELD.SIZE) / 2; // below 0 of a network that takes MNIST's 28×28 pixels
  const fitted = margin ? padded(plane(FIELD.SIZE, FIELD.SIZE, field), margin).values : field;
  const name = fitted.join();
  if (!latest.has(name)) {
    const results = computed(network, fitted);
    latest.set(name, { field: fitted, results, probabilities: probabilitiesOf(network, results) });
    if (latest.size > LATEST) latest.delete(latest.keys().next().value);
  }
  return latest.get(name);
}

const LATEST = 64, latest = new Map(), fields = []; // answers to the last fields, and the last fields

const answerOf = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

/**
 * Why: how much the answer's probability falls where a patch of the field is wiped out, each pixel the mean of the
 * patches over it (keras_classics/recognition/explain.py). A generator, which stops between rows of patches, so that
 * drawing goes on; its value is a plane.
 */
function* occlusion(network, digit) {
  const { side } = network, { PATCH } = EXPLAIN, answer = answerOf(digit.probabilities);
  const falls = new Float32Array(side * side), counts = new Float32Array(side * side);
  for (let top = 0; top <= side - PATCH; top++) {
    for (let left = 0; left <= side - PATCH; left++) {
      const wiped = digit.field.slice(), places = [];
      for (let at = 0; at < PATCH * PATCH; at++) places.push((top + Math.floor(at / PATCH)) * side + left + (at % PATCH));
      const blank = places.every((place) => !wiped[place]);
      places.forEach((place) => { wiped[place] = 0; });
      const fall = blank ? 0 : digit.probabilities[answer] - probabilitiesOf(network, computed(network, wiped))[answer];
      places.forEach((place) => { falls[place] += fall; counts[place]++; });
    }
    yield;
  }
  return plane(side, side, falls.map((fall, place) => fall / counts[place]));
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
