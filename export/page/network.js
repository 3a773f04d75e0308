// LeNet-5 on one field of pixels, step by step as its .tflite says (steps.py reads it): float arithmetic for float files,
// integers for integer files, rounded as LiteRT's kernels round. Results are arrays in the order height, width, channel.

/** `network` with its weights as typed arrays, out of `bytes` (Uint8Array), where its steps say. */
function withWeights(network, bytes) {
  const kinds = { float32: Float32Array, float64: Float64Array, int8: Int8Array, int32: Int32Array };
  const taken = (place) => {
    if (!place) return null;
    const values = new kinds[place.type](place.length), raw = new Uint8Array(values.buffer), size = values.BYTES_PER_ELEMENT;
    for (let at = 0; at < raw.length; at++) raw[at] = bytes[place.at + (at % size) * place.length + Math.floor(at / size)];
    return values;
  };
  const steps = network.steps.map((step) => ({ ...step, weights: taken(step.weights), bias: taken(step.bias) }));
  return { ...network, steps };
}

/** The results of all steps on `field` (side × side pixels, 0 paper to 255 stroke); the last are the probabilities. */
function computed(network, field) {
  let values = Float32Array.from(field, (pixel) => pixel - network.offset);
  return network.steps.map((step) => (values = OPERATIONS[step.op](step, values)));
}

/** Probability of each label, Float32Array. */
function probabilitiesOf(network, results) {
  const last = network.steps.length - 1;
  return real(results[last], network.steps[last].to);
}

/** The maps of layer "C1", "C3" or "F6": a list of {height, width, values}. */
function mapsOf(network, results, layer) {
  const { step, phases, maps } = network.views[layer];
  const [height, width, channels] = network.steps[step].shape;
  const values = real(results[step], network.steps[step].to);
  return Array.from({ length: maps }, (_, map) => {
    const plane = new Float32Array(height * width * phases * phases);
    for (let y = 0; y < height * phases; y++) {
      for (let x = 0; x < width * phases; x++) {
        const channel = ((y % phases) * phases + (x % phases)) * maps + map;
        const place = (y / phases | 0) * width + (x / phases | 0);
        plane[y * width * phases + x] = values[place * channels + channel];
      }
    }
    return { height: height * phases, width: width * phases, values: plane };
  });
}

const OPERATIONS = { convert, convolution, average, tanh, relu, softmax };

function convert(step, values) {
  if (!step.to) return real(values, step.from);
  const known = step.from ? real(values, step.from) : values;
  return known.map((value) => whole(value / step.to.scale, step.to));
}

function convolution(step, values) {
  const [height, width, filters] = step.shape;
  const [, across, channels] = step.input;
  const [rows, columns] = step.kernel;
  const { weights, bias, stride, depthwise } = step;
  const input = step.from ? values.map((value) => value - step.from.zero) : values;
  const result = new Float32Array(height * width * filters);
  const offsets = []; // of the inputs under a kernel, from its corner
  for (let row = 0; row < rows; row++) {
    const run = columns * (depthwise ? 1 : channels);
    for (let i = 0; i < run; i++) offsets.push(row * across * channels + i * (depthwise ? channels : 1));
  }
  const under = new Float32Array(offsets.length);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const corner = (y * stride * across + x * stride) * channels;
      if (!depthwise) for (let i = 0; i < offsets.length; i++) under[i] = input[corner + offsets[i]];
      for (let filter = 0; filter < filters; filter++, at++) {
        let sum = bias ? bias[filter] : 0;
        if (depthwise) {
          for (let i = 0; i < offsets.length; i++) sum += weights[i * filters + filter] * input[corner + filter + offsets[i]];
        } else {
          for (let i = 0, weight = filter * offsets.length; i < offsets.length; i++) sum += weights[weight + i] * under[i];
        }
        result[at] = sum;
      }
    }
  }
  if (step.from) return scaled(step, result);
  return step.activation === "relu" ? relu(step, result) : result;
}

/** Sums of products as the integers of the result. */
function scaled(step, sums) {
  const { from, to, scale } = step;
  const factors = Float32Array.from(scale, (each) => Math.fround(from.scale * each) / to.scale);
  const least = step.activation === "relu" ? { ...to, least: Math.max(to.least, to.zero) } : to;
  return sums.map((sum, index) => whole(Math.fround(sum * factors[factors.length > 1 ? index % factors.length : 0]), least));
}

function average(step, values) {
  const [height, width, channels] = step.shape;
  const { size, stride } = step;
  const across = (width - 1) * stride + size;
  const result = new Float32Array(height * width * channels);
  for (let at = 0; at < result.length; at++) {
    const channel = at % channels;
    const place = (at - channel) / channels;
    const corner = ((place / width | 0) * across + (place % width)) * stride;
    let sum = 0;
    for (let i = 0; i < size * size; i++) sum += values[(corner + (i / size | 0) * across + (i % size)) * channels + channel];
    const mean = sum / (size * size);
    result[at] = step.to ? Math.sign(mean) * Math.floor(Math.abs(mean) + 0.5) : mean;
  }
  return result;
}

function tanh(step, values) {
  if (!step.from) return values.map(Math.tanh);
  const { scale, zero } = step.from;
  return values.map((value) => whole(Math.tanh((value - zero) * scale) / step.to.scale, step.to));
}

function relu(step, values) {
  const zero = step.from && step.to ? step.to.zero : 0;
  return values.map((value) => Math.max(value, zero));
}

function softmax(step, values) {
  const logits = real(values, step.from);
  const most = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return Float32Array.from(powers, (power) => (step.to ? whole(power / total / step.to.scale, step.to) : power / total));
}

/** The numbers that integers stand for. */
function real(values, numbers) {
  return numbers ? values.map((value) => (value - numbers.zero) * numbers.scale) : values;
}

/** The integer of a quotient, halves to even. */
function whole(quotient, { zero, least, most }) {
  const floor = Math.floor(quotient);
  const up = quotient - floor > 0.5 || (quotient - floor === 0.5 && floor % 2 !== 0);
  return Math.min(Math.max(floor + (up ? 1 : 0) + zero, least), most);
}
