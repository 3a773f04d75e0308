// What is seen: the number, the probabilities, the maps of the network, the pad, and why.

function display() {
  const digits = digitsOf();
  view.chosen = Math.min(view.picked ?? written(digits), digits.length - 1);
  const chosen = digits[view.chosen];
  document.body.classList.toggle("written", Boolean(state.strokes.length || state.picture));
  one("#undo").disabled = !earlier.length;
  one("#clear").disabled = !state.strokes.length && !state.picture;
  one("#why").disabled = !chosen;
  drawPad();
  showNumber(digits);
  showBars(chosen);
  showLayers(chosen);
  explain(chosen);
}

/** Which digit is being written: the one that the last stroke ends nearest to; of a picture the first. */
function written(digits) {
  const stroke = state.strokes[state.strokes.length - 1], { left, top, scale } = view.place ?? {};
  if (!stroke || !digits.length) return 0;
  const { x, y } = stroke[stroke.length - 1], place = { x: (x - left) / scale, y: (y - top) / scale };
  const gap = ({ box }) => Math.hypot(Math.max(box.left - place.x, place.x - box.right, 0), Math.max(box.top - place.y, place.y - box.bottom, 0));
  return digits.indexOf(best(digits, (digit) => -gap(digit)));
}

function showNumber(digits) {
  const row = one("#number");
  const shape = view.reading ? view.reading.map((line) => line.length).join() : "";
  if (row.dataset.shape !== shape) {
    row.dataset.shape = shape;
    row.replaceChildren(...(view.reading ?? []).flatMap((line, index) => [...(index ? [document.createElement("hr")] : []), ...line.map(() => document.createElement("button"))]));
    row.querySelectorAll("button").forEach((button, index) => {
      button.type = "button";
      button.addEventListener("click", () => { view.picked = index; display(); });
    });
  }
  row.classList.toggle("long", digits.length > 12 || network.labels.some((label) => label.length > 2));
  row.querySelectorAll("button").forEach((button, index) => {
    const digit = digits[index], sure = Math.max(...digit.probabilities);
    button.textContent = labelOf(digit);
    button.ariaPressed = String(index === view.chosen);
    button.ariaLabel = say("digit", index + 1, digits.length, labelOf(digit), percent(sure));
    button.classList.toggle("doubtful", !isSure(digit));
  });
  const chosen = digits[view.chosen], sure = chosen && Math.max(...chosen.probabilities);
  one("#sure").textContent = !chosen ? say(view.message)
    : digits.length > 1 ? say("sureOf", sureness(), digits.length, bestOf(chosen), percent(sure))
    : isSure(chosen) ? say("sure", percent(sure)) : say("unsure", bestOf(chosen), percent(sure));
}

function showBars(digit) {
  const bars = one("#bars");
  if (!bars.children.length) {
    bars.classList.toggle("rows", network.labels.length > 12 || network.labels.some((label) => label.length > 2));
    bars.replaceChildren(...network.labels.map((label) => {
      const item = document.createElement("li"), name = document.createElement("b");
      name.textContent = label;
      item.append(document.createElement("i"), name, document.createElement("span"));
      return item;
    }));
  }
  const answer = digit ? answerOf(digit.probabilities) : -1;
  [...bars.children].forEach((item, index) => {
    const share = digit ? digit.probabilities[index] : 0;
    item.firstChild.style.setProperty("--share", share);
    item.lastChild.textContent = digit ? Math.round(100 * share) : "";
    item.classList.toggle("first", index === answer);
  });
}

const NAMES = ["--low", "--high", "--ink", "--accent", "--warm", "--cool"];
let colours = {}; // of the style sheet, light or dark: "#rrggbb"

function takeColours() {
  const style = getComputedStyle(document.documentElement);
  colours = Object.fromEntries(NAMES.map((name) => [name.slice(2), style.getPropertyValue(name).trim()]));
}

const channelsOf = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
const between = (low, high, share) => low.map((value, channel) => value + (high[channel] - value) * share);

/** 256 colours from one to another, four bytes each; an exponent below 1 shows small values more. */
function ramp(from, to, exponent = 1) {
  const ends = [from, to].map(channelsOf);
  const shades = Array.from({ length: 256 }, (_, at) => [...between(...ends, (at / 255) ** exponent), 255]);
  return Uint8ClampedArray.from(shades.flat());
}

function showLayers(digit) {
  const field = digit ? plane(network.side, network.side, digit.field) : plane(network.side, network.side);
  paint(canvasesOf("field", 1)[0], field, 0, 255, ramp(colours.low, colours.ink));
  for (const layer of LAYERS) {
    const maps = mapsShown(digit, layer), from = -most(maps, (map) => greatest(map.values, -1)), to = most(maps, (map) => greatest(map.values));
    const shades = ramp(colours.low, colours.high, from < 0 ? 1 : 0.6); // of ReLU most values are small
    canvasesOf(layer, maps.length).forEach((canvas, index) => paint(canvas, maps[index], from, to, shades));
  }
}

/** The maps of a layer; F6 as 12 rows of 7 units, the shape of the drawings that the paper compares it with. */
function mapsShown(digit, layer) {
  const { step, phases, maps } = network.views[layer], [height, width] = network.steps[step].shape;
  const found = digit ? mapsOf(network, digit.results, layer) : Array.from({ length: maps }, () => plane(height * phases, width * phases));
  return layer === "F6" ? [plane(12, 7, Float32Array.from(found, (unit) => unit.values[0]))] : found;
}

function canvasesOf(figure, count) {
  const grid = one(`#${figure} .maps`);
  if (!grid.children.length) {
    grid.replaceChildren(...Array.from({ length: count }, () => document.createElement("canvas")));
    grid.role = "img";
  }
  return [...grid.children];
}

/** A plane on a canvas, the numbers `from` to `to` as the colours of a ramp. */
function paint(canvas, { height, width, values }, from, to, shades) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const image = new ImageData(width, height), scale = 255 / (to - from || 1);
  for (let at = 0; at < values.length; at++) {
    const shade = 4 * Math.round((values[at] - from) * scale);
    for (let channel = 0; channel < 4; channel++) image.data[4 * at + channel] = shades[shade + channel];
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function drawPad() {
  const ratio = devicePixelRatio || 1, height = Math.round(pad.clientHeight * ratio), width = Math.round(pad.clientWidth * ratio);
  if (pad.width !== width || pad.height !== height) Object.assign(pad, { width, height });
  const context = pad.getContext("2d");
  context.clearRect(0, 0, width, height);
  if (state.picture) {
    const { left, top, scale } = fitted(state.picture);
    context.drawImage(state.picture.image, left * height, top * height, state.picture.width * scale * height, state.picture.height * scale * height);
  }
  drawStrokes(context, state.strokes, height, colours.ink);
  drawBoxes(context, height, ratio);
  if (pen.shown) drawCross(context, height, ratio);
}

/** Boxes around the digits, where there are several or a picture is shown. */
function drawBoxes(context, height, ratio) {
  const digits = digitsOf(), { place } = view;
  if (!place || pen.stroke || (digits.length < 2 && !state.picture)) return;
  digits.forEach(({ box }, index) => {
    const room = 0.03, x = place.left + box.left * place.scale - room, y = place.top + box.top * place.scale - room;
    context.strokeStyle = colours.accent;
    context.globalAlpha = index === view.chosen ? 1 : 0.3;
    context.lineWidth = (index === view.chosen ? 2 : 1.5) * ratio;
    context.beginPath();
    context.roundRect(x * height, y * height, ((box.right - box.left) * place.scale + 2 * room) * height, ((box.bottom - box.top) * place.scale + 2 * room) * height, 6 * ratio);
    context.stroke();
  });
  context.globalAlpha = 1;
}

function drawCross(context, height, ratio) {
  const [x, y, arm] = [pen.x * height, pen.y * height, 9 * ratio];
  context.strokeStyle = pen.down ? colours.warm : colours.accent;
  context.lineWidth = 2 * ratio;
  context.beginPath();
  context.moveTo(x - arm, y); context.lineTo(x + arm, y);
  context.moveTo(x, y - arm); context.lineTo(x, y + arm);
  context.stroke();
}

// Why

/** Show why, if asked to: computed between frames, anew for each digit. */
function explain(digit) {
  const asked = one("#why").ariaPressed === "true" && digit;
  one("#why").textContent = say(one("#why").ariaPressed === "true" ? "whyNot" : "why");
  one("#reason").hidden = !asked || view.why?.digit !== digit || !view.why.map;
  if (!asked || pen.stroke) return;
  if (view.why?.digit !== digit) {
    view.why = { digit, map: null, work: occlusion(network, digit) };
    goOn(view.why);
  } else if (view.why.map) {
    showWhy(view.why);
  }
}

function goOn(why) {
  setTimeout(() => {
    if (view.why !== why) return;
    const end = performance.now() + 8;
    let step = why.work.next();
    while (!step.done && performance.now() < end) step = why.work.next();
    if (!step.done) return goOn(why);
    why.map = step.value;
    if (one("#why").ariaPressed === "true" && digitsOf()[view.chosen] === why.digit) showWhy(why);
  });
}

function showWhy({ digit, map }) {
  const strongest = Math.max(greatest(map.values), greatest(map.values, -1));
  const [low, ink, warm, cool] = ["low", "ink", "warm", "cool"].map((name) => channelsOf(colours[name]));
  const shown = new ImageData(map.width, map.height);
  map.values.forEach((fall, at) => {
    const heat = strongest > 0.01 ? fall / strongest : 0;
    shown.data.set(between(between(low, ink, (digit.field[at] / 255) * 0.75), heat > 0 ? warm : cool, Math.abs(heat) * 0.85), 4 * at);
    shown.data[4 * at + 3] = 255;
  });
  canvasesOf("field", 1)[0].getContext("2d").putImageData(shown, 0, 0);
  one("#reason").textContent = say(strongest > 0.01 ? "reason" : "reasonFlat", bestOf(digit));
  one("#reason").hidden = false;
}
