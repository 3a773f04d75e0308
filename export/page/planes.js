// Operations on whole planes, {height, width, values}, as SciPy's ndimage and Pillow compute them, borders included.

const plane = (height, width, values) => ({ height, width, values: values || new Float32Array(height * width) });
const clamped = (value, least, most) => Math.min(Math.max(value, least), most);

/** A plane of floats, or with `Kind` of other numbers, of what `value(number, place)` makes of each number. */
function mapped({ height, width, values }, value, Kind = Float32Array) {
  const result = new Kind(values.length);
  for (let at = 0; at < result.length; at++) result[at] = value(values[at], at);
  return plane(height, width, result);
}

/** Where a plane is above a number: a mask. */
function above({ height, width, values }, number) {
  const result = new Uint8Array(values.length);
  for (let at = 0; at < result.length; at++) if (values[at] > number) result[at] = 1;
  return plane(height, width, result);
}

/** `one` itself, its numbers brought between two. (A loop: these run over all pixels at every move of the pen.) */
function limited(one, lowest, highest) {
  const { values } = one;
  for (let at = 0; at < values.length; at++) {
    if (values[at] < lowest) values[at] = lowest;
    else if (values[at] > highest) values[at] = highest;
  }
  return one;
}

/** How much darker each number is than its `paper`: 0 as bright, 1 black, below 0 brighter. */
function darkness({ height, width, values }, paper) {
  const result = new Float32Array(values.length);
  for (let at = 0; at < result.length; at++) result[at] = 1 - Math.fround(values[at] / paper.values[at]);
  return plane(height, width, result);
}

const masked = (one, test) => mapped(one, (value, at) => (test(value, at) ? 1 : 0), Uint8Array);

function sumOf(values) {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at];
  return sum;
}

/** The greatest of some numbers, or with `sign` -1 of their opposites. */
function greatest(values, sign = 1) {
  let found = -Infinity;
  for (let at = 0; at < values.length; at++) if (sign * values[at] > found) found = sign * values[at];
  return found;
}

/** The whole number nearest to `value`, halves to even, as Python's round. */
function rounded(value) {
  const floor = Math.floor(value);
  return value - floor > 0.5 || (value - floor === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** `one` turned about its diagonal. */
function transposed({ height, width, values }) {
  const result = new values.constructor(values.length);
  for (let y = 0, at = 0; y < height; y++) for (let x = 0; x < width; x++, at++) result[x * height + y] = values[at];
  return plane(width, height, result);
}

/** The rectangle of `one` from (top, left) up to (bottom, right); what lies outside of it is `outside`. */
function cropped({ height, width, values }, top, bottom, left, right, outside = 0) {
  const result = new values.constructor((bottom - top) * (right - left)).fill(outside);
  for (let y = Math.max(top, 0); y < Math.min(bottom, height); y++) {
    const row = values.subarray(y * width + Math.max(left, 0), y * width + Math.max(Math.min(right, width), left, 0));
    result.set(row, (y - top) * (right - left) + Math.max(-left, 0));
  }
  return plane(bottom - top, right - left, result);
}

const padded = (one, margin) => cropped(one, -margin, one.height + margin, -margin, one.width + margin);

/**
 * `one` with `filter(line, result, length)` run along each column and then each row. A line goes on beyond both ends by
 * `margin` values, its ends repeated ("nearest") or mirrored ("reflect"): line[margin] is its first own value.
 */
function separably({ height, width, values }, margin, mode, filter) {
  const longest = Math.max(height, width), result = new values.constructor(values.length);
  const line = new values.constructor(longest + 2 * margin), filtered = new values.constructor(longest);
  const along = (source, start, step, length) => {
    for (let at = 0, from = start; at < length; at++, from += step) line[margin + at] = source[from];
    for (let at = 0; at < margin; at++) {
      line[at] = line[margin + beyond(at - margin, length, mode)];
      line[margin + length + at] = line[margin + beyond(length + at, length, mode)];
    }
    filter(line, filtered, length);
    for (let at = 0, to = start; at < length; at++, to += step) result[to] = filtered[at];
  };
  for (let x = 0; x < width; x++) along(values, x, width, height);
  for (let y = 0; y < height; y++) along(result, y * width, 1, width);
  return plane(height, width, result);
}

/** Where place `at` beyond the ends of a line of `length` lies on it. */
function beyond(at, length, mode) {
  if (mode === "nearest") return clamped(at, 0, length - 1);
  const place = ((at % (2 * length)) + 2 * length) % (2 * length);
  return place < length ? place : 2 * length - 1 - place;
}

/** Mean of a window of `size` × `size` pixels. */
function uniformFilter(one, size, mode = "reflect") {
  const before = size >> 1; // of an even window there is one more pixel before the middle
  return separably(one, before, mode, (line, result, length) => {
    let sum = 0;
    for (let at = 0; at < size; at++) sum += line[at];
    for (let at = 0; at < length; at++) {
      result[at] = sum / size;
      sum += line[at + size] - line[at];
    }
  });
}

/** Greatest value of a window of odd `size`, or with `sign` -1 the least; values beyond the border do not count. */
function maximumFilter(one, size, sign = 1) {
  const radius = size >> 1;
  const queue = new Int32Array(Math.max(one.height, one.width)); // places of falling values
  return separably(one, 0, "nearest", (line, result, length) => {
    let head = 0, tail = 0;
    for (let at = 0; at < length + radius; at++) {
      if (at < length) {
        while (tail > head && sign * line[queue[tail - 1]] <= sign * line[at]) tail--;
        queue[tail++] = at;
      }
      if (at < radius) continue;
      if (queue[head] < at - 2 * radius) head++;
      result[at - radius] = line[queue[head]];
    }
  });
}

const greyClosing = (one, size) => maximumFilter(maximumFilter(one, size), size, -1);

/** Gaussian blur, its window four standard deviations to each side, the border repeated. */
function gaussianFilter(one, sigma) {
  const radius = Math.floor(4 * sigma + 0.5);
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, at) => Math.exp(-0.5 * ((at - radius) / sigma) ** 2));
  const total = sumOf(weights);
  for (let at = 0; at < weights.length; at++) weights[at] /= total;
  return separably(one, radius, "nearest", (line, result, length) => {
    for (let at = 0; at < length; at++) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i] * line[at + i];
      result[at] = sum;
    }
  });
}

/** Distance of each pixel that is not 0 to the nearest one that is (Felzenszwalb and Huttenlocher, 2012). */
function distanceTransform({ height, width, values }) {
  const longest = Math.max(height, width);
  const squares = Float64Array.from(values); // 1 for pixels whose distance is sought
  const line = new Float64Array(longest), places = new Int32Array(longest), bounds = new Float64Array(longest + 1);
  const along = (start, length) => {
    for (let i = 0; i < length; i++) line[i] = squares[start + i];
    let last = 0;
    places[0] = 0; bounds[0] = -Infinity; bounds[1] = Infinity;
    const meeting = (a, b) => (line[b] + b * b - line[a] - a * a) / (2 * (b - a));
    for (let i = 1; i < length; i++) {
      let bound = meeting(places[last], i);
      while (bound <= bounds[last]) bound = meeting(places[--last], i);
      places[++last] = i; bounds[last] = bound; bounds[last + 1] = Infinity;
    }
    for (let i = 0, k = 0; i < length; i++) {
      while (bounds[k + 1] < i) k++;
      squares[start + i] = line[places[k]] + (i - places[k]) ** 2;
    }
  };
  for (let x = 0; x < width; x++) { // distances along columns by a sweep down and one up
    for (let y = 0, run = 1e6, at = x; y < height; y++, at += width) squares[at] = run = squares[at] ? run + 1 : 0;
    for (let y = height - 1, run = 1e6, at = x + y * width; y >= 0; y--, at -= width) {
      run = squares[at] ? run + 1 : 0;
      squares[at] = Math.min(squares[at], run) ** 2;
    }
  }
  for (let y = 0; y < height; y++) {
    let any = false;
    for (let x = 0; x < width && !any; x++) any = squares[y * width + x] > 0;
    if (any) along(y * width, width);
  }
  return mapped(plane(height, width, squares), Math.sqrt, Float64Array);
}

/** Connected parts (eight neighbours) of a mask, numbered from 1 as a reader meets them: {labels, count}. */
function labelled({ height, width, values }) {
  const labels = new Int32Array(values.length), stack = [];
  let count = 0;
  for (let start = 0; start < values.length; start++) {
    if (!values[start] || labels[start]) continue;
    labels[start] = ++count;
    stack.push(start);
    while (stack.length) {
      const at = stack.pop(), y = at / width | 0, x = at - y * width;
      for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1); row++) {
        for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column++) {
          const near = row * width + column;
          if (values[near] && !labels[near]) { labels[near] = count; stack.push(near); }
        }
      }
    }
  }
  return { labels: plane(height, width, labels), count };
}

/** Boxes of the numbers 1 … count in `labels`: {top, bottom, left, right}, the ends exclusive; null where absent. */
function boxesOf({ height, width, values }, count) {
  const boxes = new Array(count).fill(null);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const number = values[at];
      if (!number) continue;
      const box = (boxes[number - 1] ||= { top: y, bottom: y + 1, left: x, right: x + 1 });
      box.bottom = y + 1;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
    }
  }
  return boxes;
}

/** A mask grown by its neighbours, `rows` pixels up and down and `columns` to each side. */
function dilated({ height, width, values }, rows, columns) {
  const wide = new Uint8Array(values.length), result = new Uint8Array(values.length);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (values[at]) wide.fill(1, at - Math.min(x, columns), at + Math.min(columns, width - 1 - x) + 1);
    }
  }
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (!wide[at]) continue;
      for (let row = Math.max(y - rows, 0); row <= Math.min(y + rows, height - 1); row++) result[row * width + x] = 1;
    }
  }
  return plane(height, width, result);
}

/** A mask opened by a level line of `length` pixels: what is left of its rows are runs at least as long. */
function openedByLine({ height, width, values }, length) {
  const result = new Uint8Array(values.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0, run = 0; x <= width; x++) {
      if (x < width && values[y * width + x]) { run++; continue; }
      if (run >= length) result.fill(1, y * width + x - run, y * width + x);
      run = 0;
    }
  }
  return plane(height, width, result);
}

/** Means of boxes of `factor` × `factor` pixels, those at the far edges smaller (Pillow's reduce), of one channel. */
function reduced({ height, width, values }, factor) {
  const rows = Math.ceil(height / factor), columns = Math.ceil(width / factor);
  const result = new values.constructor(rows * columns);
  const whole = values instanceof Uint8Array;
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const bottom = Math.min((row + 1) * factor, height), right = Math.min((column + 1) * factor, width);
      let sum = 0;
      for (let y = row * factor; y < bottom; y++) for (let x = column * factor; x < right; x++) sum += values[y * width + x];
      const count = (bottom - row * factor) * (right - column * factor);
      // Pillow divides whole numbers by a factor of 24 bits, cut off.
      result[at] = whole ? Math.floor(((sum + (count >> 1)) * Math.trunc(2 ** 24 / count)) / 2 ** 24) : sum / count;
    }
  }
  return plane(rows, columns, result);
}

const KERNELS = { // of Pillow's resize, and how far each reaches
  bilinear: [1, (x) => Math.max(1 - Math.abs(x), 0)],
  bicubic: [2, (x) => {
    const a = -0.5, far = Math.abs(x);
    if (far < 1) return ((a + 2) * far - (a + 3)) * far * far + 1;
    return far < 2 ? (((far - 5) * far + 8) * far - 4) * a : 0;
  }],
};

/** A plane of floats brought to `height` × `width`; smaller ones are averages (Pillow's resize). */
function resized(one, height, width, kernel) {
  return transposed(resizedAcross(transposed(resizedAcross(one, width, kernel)), height, kernel));
}

function resizedAcross(one, width, kernel) {
  if (width === one.width) return one;
  const [reach, weigh] = KERNELS[kernel];
  const scale = one.width / width, spread = Math.max(scale, 1), most = 2 * Math.ceil(reach * spread) + 1;
  const firsts = new Int32Array(width), counts = new Int32Array(width), weights = new Float64Array(width * most);
  for (let x = 0; x < width; x++) {
    const centre = (x + 0.5) * scale;
    firsts[x] = Math.max(Math.trunc(centre - reach * spread + 0.5), 0);
    counts[x] = Math.min(Math.trunc(centre + reach * spread + 0.5), one.width) - firsts[x];
    let total = 0;
    for (let i = 0; i < counts[x]; i++) total += weights[x * most + i] = weigh((i + firsts[x] - centre + 0.5) / spread);
    for (let i = 0; i < counts[x]; i++) weights[x * most + i] /= total;
  }
  const result = new Float32Array(one.height * width), { values } = one;
  for (let y = 0, at = 0; y < one.height; y++) {
    for (let x = 0; x < width; x++, at++) {
      let sum = 0;
      for (let i = 0, from = y * one.width + firsts[x], by = x * most; i < counts[x]; i++) sum += values[from + i] * weights[by + i];
      result[at] = sum;
    }
  }
  return plane(one.height, width, result);
}

/** The value at `share` of the way through the values in order, between neighbours in proportion (NumPy's percentile). */
function quantile(values, share) {
  const numbers = Float64Array.from(values), place = share * (numbers.length - 1), below = Math.floor(place);
  const low = ordered(numbers, below), high = place > below ? ordered(numbers, below + 1) : low;
  return low + (place - below) * (high - low);
}

const medianOf = (values) => quantile(values, 0.5);

/** The value that is number `place`, from 0 up, in order; changes the order of `numbers` (Hoare's selection). */
function ordered(numbers, place) {
  let left = 0, right = numbers.length - 1;
  while (left < right) {
    const pivot = numbers[(left + right) >> 1];
    let i = left, j = right;
    while (i <= j) {
      while (numbers[i] < pivot) i++;
      while (numbers[j] > pivot) j--;
      if (i <= j) { const swapped = numbers[i]; numbers[i++] = numbers[j]; numbers[j--] = swapped; }
    }
    if (place <= j) right = j;
    else if (place >= i) left = i;
    else break;
  }
  return numbers[place];
}
