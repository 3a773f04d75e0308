// Strokes on the pad. A stroke is a list of points {x, y, width}, in units of the pad's height.

const PEN = 0.055; // width of a pen, of the pad's height
const RESOLUTION = 96; // pixels of the picture that is read to a unit
const MARGIN = 0.15; // of paper around the ink

/** Draw strokes on a canvas' context, `scale` pixels to a unit. */
function drawStrokes(context, strokes, scale, colour) {
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = colour;
  for (const stroke of strokes) {
    const at = (point) => [point.x * scale, point.y * scale];
    const between = (one, other) => [((one.x + other.x) / 2) * scale, ((one.y + other.y) / 2) * scale];
    let from = at(stroke[0]);
    stroke.forEach((point, index) => { // a curve from middle to middle, bent towards the point
      const next = stroke[index + 1], to = next ? between(point, next) : at(point);
      context.beginPath();
      context.lineWidth = point.width * scale;
      context.moveTo(...from);
      context.quadraticCurveTo(...at(point), to[0] + (next || index ? 0 : 0.01), to[1]);
      context.stroke();
      from = to;
    });
  }
}

/** The picture of strokes that is read, dark on white, cut close to the ink; and where it lies. */
function pictureOf(strokes, canvas) {
  const points = strokes.flat();
  const [left, top] = [least(points, (point) => point.x) - MARGIN, least(points, (point) => point.y) - MARGIN];
  const [right, bottom] = [most(points, (point) => point.x) + MARGIN, most(points, (point) => point.y) + MARGIN];
  canvas.width = Math.ceil((right - left) * RESOLUTION);
  canvas.height = Math.ceil((bottom - top) * RESOLUTION);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(-left * RESOLUTION, -top * RESOLUTION);
  drawStrokes(context, strokes, RESOLUTION, "#000");
  const { height, width, data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return { height, width, data, place: { left, top, scale: 1 / RESOLUTION } };
}

const EXAMPLE = "1998"; // the year of LeNet-5
const SHAPES = { // strokes of digits, points in percent of a box of 60 × 100
  1: [[25, 14, 35, 2, 34, 30, 32, 62, 31, 98]],
  9: [[54, 18, 44, 4, 26, 2, 10, 14, 8, 32, 18, 46, 34, 47, 48, 36, 54, 18, 54, 40, 50, 70, 42, 99]],
  8: [[50, 14, 38, 2, 20, 4, 11, 17, 18, 33, 36, 46, 50, 60, 53, 78, 42, 95, 24, 98, 9, 88, 8, 70, 20, 55, 38, 40, 50, 26, 50, 13]],
};

/** The example's strokes, in the middle of a pad of `width` units. */
function exampleStrokes(width) {
  const size = Math.min(0.62, (width - 0.2) / (EXAMPLE.length * 0.82)), left = (width - EXAMPLE.length * 0.82 * size) / 2;
  return [...EXAMPLE].flatMap((digit, index) => SHAPES[digit].map((numbers) => {
    const points = [];
    for (let at = 0; at < numbers.length; at += 2) {
      const lean = (50 - numbers[at + 1]) * 0.08;
      points.push({ x: left + (index * 0.82 + 0.11 + (numbers[at] + lean) / 100) * size, y: 0.5 + ((numbers[at + 1] - 50) / 100) * size, width: PEN });
    }
    return points;
  }));
}
