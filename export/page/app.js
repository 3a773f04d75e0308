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
const percent = (share) => (share > 0.9995 ? ">\u00a099.9\u00a0%" : `${(100 * share).toFixed(share < 0.1 ? 0 : 1)}\u00a0%`);
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
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { takeColours(); schedule(); });
takeColours();
speak(view.language);

// For the console and for tests.
globalThis.lenet5 = { network, computed, probabilitiesOf, mapsOf, readDigit, readPicture, occlusion, pictureFrom, state, view };
