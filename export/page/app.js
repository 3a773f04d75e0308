// The page itself: what is drawn or shown, and everything that follows from it.

const one = (selector) => document.querySelector(selector);
const network = withWeights(JSON.parse(one("#network").textContent), await unpacked(one("#weights").textContent));
const pad = one("#pad"), hidden = document.createElement("canvas");
const LAYERS = ["C1", "C3", "F6"].filter((layer) => network.views[layer]);
const QUIET = 700; // milliseconds without a stroke, after which the answer is spoken

const state = { strokes: [], picture: null }; // what is on the pad: strokes, or a picture {height, width, data, image}
const earlier = []; // states before, for undo
const view = { language: /^zh/i.test(navigator.language) ? "zh" : "en", picked: null, chosen: 0, reading: null, milliseconds: null, message: "nothing", why: null };
const pen = { stroke: null, pointer: null, x: 0.5, y: 0.5, down: false, shown: false };

const say = (name, ...values) => inWords(view.language, name, ...values);
const percent = (share) => (share > 0.9995 ? "> 99.9 %" : `${(100 * share).toFixed(share < 0.1 ? 0 : 1)} %`);
const digitsOf = () => view.reading?.flat() ?? [];
const bestOf = (digit) => network.labels[answerOf(digit.probabilities)];
const labelOf = (digit) => (isSure(digit) ? bestOf(digit) : RECOGNIZER.UNKNOWN);
const isSure = (digit) => Math.max(...digit.probabilities) >= RECOGNIZER.THRESHOLD;

/** The bytes of compressed base64. */
async function unpacked(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// What is on the pad

function change(next) {
  earlier.push({ ...state });
  Object.assign(state, next);
  view.picked = null;
  schedule();
}

const clear = () => (state.strokes.length || state.picture) && change({ strokes: [], picture: null });

function undo() {
  if (!earlier.length) return;
  Object.assign(state, earlier.pop());
  schedule();
}

function beginStroke(point) {
  change({ strokes: [...(state.picture ? [] : state.strokes), [point]], picture: null });
  pen.stroke = state.strokes[state.strokes.length - 1];
}

async function show(file) {
  let picture;
  try {
    picture = await pictureFrom(file);
    picture.image = await createImageBitmap(new ImageData(picture.data, picture.width, picture.height));
  } catch {
    return fail("unreadable");
  }
  change({ strokes: [], picture });
}

/** The pixels of a picture file, upright, on the ground that shows them: {height, width, data}. */
async function pictureFrom(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image", premultiplyAlpha: "none", colorSpaceConversion: "none" });
  const shrink = Math.min(1, Math.sqrt(MOST_PIXELS / (bitmap.width * bitmap.height))), canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * shrink));
  canvas.height = Math.max(1, Math.round(bitmap.height * shrink));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return onGround(context.getImageData(0, 0, canvas.width, canvas.height));
}

const MOST_PIXELS = 16e6; // of a picture; a canvas of some phones holds no more

function fail(message) {
  view.message = message;
  one("#sure").textContent = one("#spoken").textContent = say(message);
}

// From the pad to the answer

let scheduled = false, finished = 0;

function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    if (pen.stroke && performance.now() - finished < (view.milliseconds ?? 0)) { // a slow device: the line goes first
      drawPad();
      return schedule();
    }
    refresh();
  });
}

function refresh() {
  const start = performance.now();
  const picture = state.picture ?? (state.strokes.length ? pictureOf(state.strokes, hidden) : null);
  view.reading = picture && readPicture(network, picture);
  view.place = picture && (picture.place ?? fitted(picture));
  view.message = picture ? "none" : "nothing";
  display();
  finished = performance.now();
  if (picture) view.milliseconds = finished - start;
  one("#facts").textContent = say("facts", network.network, network.mode, view.milliseconds === null ? "–" : view.milliseconds.toFixed(view.milliseconds < 10 ? 1 : 0));
  clearTimeout(refresh.timer);
  refresh.timer = setTimeout(settle, QUIET);
}

/** Where a picture lies on the pad, in units of its height. */
function fitted({ height, width }) {
  const across = pad.clientWidth / pad.clientHeight, scale = Math.min(1 / height, across / width);
  return { left: (across - width * scale) / 2, top: (1 - height * scale) / 2, scale };
}

function settle() {
  const digits = digitsOf();
  one("#spoken").textContent = digits.length ? say("spoken", view.reading.map((line) => line.map(labelOf).join(" ")).join(", "), sureness()) : say(view.message);
}

const sureness = () => percent(digitsOf().reduce((product, digit) => product * Math.max(...digit.probabilities), 1));

// Showing it

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

/** A colour of the style sheet, "#rrggbb", as three numbers. */
const colour = (name) => [1, 3, 5].map((at) => parseInt(getComputedStyle(document.documentElement).getPropertyValue(name).trim().slice(at, at + 2), 16));

function showLayers(digit) {
  const [low, high, ink] = ["--low", "--high", "--ink"].map(colour);
  const field = digit ? { height: network.side, width: network.side, values: digit.field } : blank(network.side, network.side);
  paint(canvasesOf("field", 1)[0], field, (value) => between(low, ink, value / 255));
  for (const layer of LAYERS) {
    const maps = mapsShown(digit, layer);
    const from = least(maps, (map) => least(Array.from(map.values), Number)), to = most(maps, (map) => most(Array.from(map.values), Number));
    canvasesOf(layer, maps.length).forEach((canvas, index) => paint(canvas, maps[index], (value) => between(low, high, (value - from) / (to - from || 1))));
  }
}

const blank = (height, width) => ({ height, width, values: new Float32Array(height * width) });

/** The maps of a layer; F6 as 12 rows of 7 units, the shape of the drawings that the paper compares it with. */
function mapsShown(digit, layer) {
  const { step, phases, maps } = network.views[layer], [height, width] = network.steps[step].shape;
  const found = digit ? mapsOf(network, digit.results, layer) : Array.from({ length: maps }, () => blank(height * phases, width * phases));
  return layer === "F6" ? [{ height: 12, width: 7, values: Float32Array.from(found, (unit) => unit.values[0]) }] : found;
}

function canvasesOf(figure, count) {
  const grid = one(`#${figure} .maps`);
  if (!grid.children.length) {
    grid.replaceChildren(...Array.from({ length: count }, () => document.createElement("canvas")));
    grid.role = "img";
  }
  return [...grid.children];
}

function between(low, high, share) {
  return low.map((value, channel) => value + (high[channel] - value) * share);
}

function paint(canvas, { height, width, values }, colouring) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  for (let at = 0; at < values.length; at++) {
    image.data.set(colouring(values[at], at), 4 * at);
    image.data[4 * at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function drawPad() {
  const ratio = devicePixelRatio || 1, height = Math.round(pad.clientHeight * ratio), width = Math.round(pad.clientWidth * ratio);
  if (pad.width !== width || pad.height !== height) Object.assign(pad, { width, height });
  const context = pad.getContext("2d"), ink = getComputedStyle(document.documentElement).getPropertyValue("--ink");
  context.clearRect(0, 0, width, height);
  if (state.picture) {
    const { left, top, scale } = fitted(state.picture);
    context.drawImage(state.picture.image, left * height, top * height, state.picture.width * scale * height, state.picture.height * scale * height);
  }
  drawStrokes(context, state.strokes, height, ink);
  drawBoxes(context, height, ratio);
  if (pen.shown) drawCross(context, height, ratio);
}

/** Boxes around the digits, where there are several or a picture is shown. */
function drawBoxes(context, height, ratio) {
  const digits = digitsOf(), { place } = view;
  if (!place || pen.stroke || (digits.length < 2 && !state.picture)) return;
  const accent = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  digits.forEach(({ box }, index) => {
    const room = 0.03, x = place.left + box.left * place.scale - room, y = place.top + box.top * place.scale - room;
    context.strokeStyle = accent;
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
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue(pen.down ? "--warm" : "--accent");
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
  const [low, ink, warm, cool] = ["--low", "--ink", "--warm", "--cool"].map(colour);
  const strongest = most(Array.from(map.values), Math.abs);
  paint(canvasesOf("field", 1)[0], { ...map, values: digit.field }, (value, at) => {
    const heat = strongest > 0.01 ? map.values[at] / strongest : 0;
    return between(between(low, ink, (value / 255) * 0.75), heat > 0 ? warm : cool, Math.min(Math.abs(heat), 1) * 0.85);
  });
  one("#reason").textContent = say(strongest > 0.01 ? "reason" : "reasonFlat", bestOf(digit));
  one("#reason").hidden = false;
}

// Words

function speak(language) {
  view.language = language;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = `${say("title")} · LeNet-5`;
  document.querySelectorAll("[data-word]").forEach((element) => { element.textContent = say(element.dataset.word); });
  document.querySelectorAll("[data-label]").forEach((element) => { element.ariaLabel = say(element.dataset.label); });
  one("#language").textContent = say("other");
  one("#language").lang = say("otherTag");
  one("#number").dataset.shape = "anew";
  refresh();
  for (const layer of ["field", ...LAYERS]) {
    const { length, 0: { height, width } } = canvasesOf(layer);
    one(`#${layer} .maps`).ariaLabel = say("maps", layer === "field" ? say("field") : layer, length, height, width);
  }
}

// Hands: mouse, finger, pen, keyboard; files

function pointOf(event) {
  const { left, top, height } = pad.getBoundingClientRect();
  const pressure = event.pointerType === "pen" && event.pressure ? 0.5 + event.pressure : 1;
  return { x: (event.clientX - left) / height, y: (event.clientY - top) / height, width: PEN * pressure };
}

pad.addEventListener("pointerdown", (event) => {
  if (pen.pointer !== null || event.button > 0) return;
  event.preventDefault();
  one("#paper").classList.add("pointed");
  pad.focus({ preventScroll: true });
  pad.setPointerCapture(event.pointerId);
  Object.assign(pen, { pointer: event.pointerId, shown: false, down: false });
  beginStroke(pointOf(event));
});
pad.addEventListener("pointermove", (event) => {
  if (event.pointerId !== pen.pointer) return;
  const events = event.getCoalescedEvents?.() ?? [];
  pen.stroke.push(...(events.length ? events : [event]).map(pointOf));
  schedule();
});
for (const kind of ["pointerup", "pointercancel"]) {
  pad.addEventListener(kind, (event) => {
    if (event.pointerId !== pen.pointer) return;
    Object.assign(pen, { pointer: null, stroke: null });
    schedule();
  });
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
pad.addEventListener("keydown", (event) => {
  one("#paper").classList.remove("pointed");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (ARROWS[event.key]) {
    const far = event.shiftKey ? 0.01 : 0.04;
    pen.x = clamped(pen.x + ARROWS[event.key][0] * far, 0, pad.clientWidth / pad.clientHeight);
    pen.y = clamped(pen.y + ARROWS[event.key][1] * far, 0, 1);
    pen.shown = true;
    if (pen.down) state.strokes[state.strokes.length - 1].push({ x: pen.x, y: pen.y, width: PEN });
  } else if (event.key === " ") {
    Object.assign(pen, { down: !pen.down, shown: true });
    if (pen.down) {
      beginStroke({ x: pen.x, y: pen.y, width: PEN });
      pen.stroke = null;
    }
  } else {
    return;
  }
  event.preventDefault();
  schedule();
});
pad.addEventListener("blur", () => {
  one("#paper").classList.remove("pointed");   Object.assign(pen, { shown: false, down: false });
  drawPad();
});

document.addEventListener("keydown", (event) => {
  const command = event.ctrlKey || event.metaKey;
  if ((command && event.key.toLowerCase() === "z") || (event.key === "Backspace" && !command)) {
    event.preventDefault();
    pen.down = false;
    undo();
  } else if (event.key === "Escape") {
    pen.down = false;
    clear();
  }
});

one("#undo").addEventListener("click", undo);
one("#clear").addEventListener("click", clear);
one("#language").addEventListener("click", () => speak(view.language === "en" ? "zh" : "en"));
one("#why").addEventListener("click", () => {
  one("#why").ariaPressed = String(one("#why").ariaPressed !== "true");
  display();
});
for (const [button, input] of [["#open", "#file"], ["#photograph", "#camera"]]) {
  one(button).addEventListener("click", () => one(input).click());
  one(input).addEventListener("change", (event) => {
    if (event.target.files[0]) show(event.target.files[0]);
    event.target.value = "";
  });
}
const picturesIn = (transfer) => [...(transfer?.files ?? [])];
document.addEventListener("paste", (event) => picturesIn(event.clipboardData).slice(0, 1).forEach(show));
document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  picturesIn(event.dataTransfer).slice(0, 1).forEach(show);
});

one("#example").addEventListener("click", async () => {
  const quick = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const strokes = exampleStrokes(pad.clientWidth / pad.clientHeight);
  change({ strokes: [], picture: null });
  for (const stroke of quick ? [] : strokes) {
    const own = [...state.strokes, [stroke[0]]];
    state.strokes = own;
    for (const point of stroke.slice(1)) {
      await new Promise((done) => setTimeout(done, 28));
      if (state.strokes !== own) return; // somebody else writes
      own[own.length - 1].push(point);
      schedule();
    }
  }
  state.strokes = strokes;
  schedule();
});

new ResizeObserver(schedule).observe(pad);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", schedule);
speak(view.language);

// For the console and for tests.
globalThis.lenet5 = { network, computed, probabilitiesOf, mapsOf, readDigit, readPicture, occlusion, pictureFrom, state, view };
