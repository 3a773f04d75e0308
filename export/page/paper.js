// keras_classics/recognition/paper.py, step by step: the printed lines of ruled and squared paper are taken out.
// Its constants come from there (PAPER), written in by the exporter.

/** `strength` without ruled or squared paper's lines; strokes that cross them stay. */
function withoutPaperLines(strength) {
  const level = levelLines(strength), upright = levelLines(transposed(strength));
  if (level.lines.length + upright.lines.length < PAPER.LINES) return strength;
  return transposed(takenOut(transposed(takenOut(strength, level)), upright));
}

/** {lines: [{top, end, level}], shift}: level lines at the left border, and how many rows they fall until the right. */
function levelLines(view) {
  const { height, width } = view, { BANDS, NARROWEST, LEAST_CONTRAST } = PAPER, band = Math.floor(width / BANDS);
  if (band < NARROWEST || height < BANDS * NARROWEST) return { lines: [], shift: 0 };
  const first = Math.floor((width - band * BANDS) / 2);
  const thick = 2 * Math.max(Math.trunc((PAPER.THICK * Math.min(height, width)) / 2), 1) + 1;
  const peaksOf = (index) => bandPeaks(view, first + band * index, band, thick);
  const outer = [0, BANDS - 1].map(peaksOf);
  if (outer.some((peaks) => greatest(peaks) < LEAST_CONTRAST)) return { lines: [], shift: 0 };
  const peaks = Array.from({ length: BANDS }, (_, index) => peaksOf(index));
  const reach = Math.trunc(PAPER.LEAN * width), found = [];
  for (let shift = -reach; shift <= reach; shift++) {
    const { few, many } = seenLines(peaks, shift);
    found.push({ few, many, shift, total: few.reduce((sum, value) => sum + value * value, 0) });
  }
  const better = (one, other) => one.total > other.total || (one.total === other.total && Math.abs(one.shift) < Math.abs(other.shift));
  const { few, many, shift } = found.reduce((one, other) => (better(other, one) ? other : one));
  return { lines: evenLines(lineRuns(few, thick), lineRuns(many, thick)), shift };
}

/** What of a band's profile, the means of its rows, is thinner than `thick`. */
function bandPeaks({ height, width, values }, left, band, thick) {
  const profile = new Float32Array(height), reach = (thick - 1) / 2;
  for (let y = 0; y < height; y++) {
    let sum = 0;
    for (let x = left; x < left + band; x++) sum += values[y * width + x];
    profile[y] = sum / band;
  }
  const over = (choose, from) => from.map((_, y) => {
    let found = from[y];
    for (let at = Math.max(y - reach, 0); at <= Math.min(y + reach, height - 1); at++) found = choose(found, from[at]);
    return found;
  });
  const opened = over(Math.max, over(Math.min, profile));
  return profile.map((value, y) => value - opened[y]);
}

/** How strong a line is that begins in each row and falls `shift` rows, if it may be hidden in few bands, and in many. */
function seenLines(peaks, shift) {
  const { BANDS, HIDDEN, OUTER } = PAPER, height = peaks[0].length, few = new Float32Array(height), many = new Float32Array(height);
  const along = new Float32Array(BANDS), falls = peaks.map((_, index) => lineFall(shift, (index + 0.5) / BANDS));
  for (let y = 0; y < height; y++) {
    for (let index = 0; index < BANDS; index++) along[index] = peaks[index][clamped(y + falls[index], 0, height - 1)];
    const ends = Math.min(greatest(along.slice(0, OUTER)), greatest(along.slice(-OUTER)));
    along.sort();
    few[y] = Math.min(along[Math.trunc(HIDDEN[0] * BANDS)], ends);
    many[y] = along[Math.trunc(HIDDEN[1] * BANDS)];
  }
  return { few, many };
}

const lineFall = (shift, share) => Math.floor(shift * share + 0.5);

/** {top, end, level} of each run of rows where a line is seen. */
function lineRuns(seen, thick) {
  const strongest = greatest(seen), runs = [];
  if (strongest < PAPER.LEAST_CONTRAST) return [];
  const least = Math.fround(PAPER.FAINT * strongest);
  for (let top = 0; top < seen.length; top++) {
    if (!(seen[top] > least)) continue;
    let end = top, level = 0;
    for (; end < seen.length && seen[end] > least; end++) level = Math.max(level, seen[end]);
    if (end - top <= thick) runs.push({ top, end, level });
    top = end;
  }
  return runs;
}

/** The lines if their distances are all the same, or multiples of it, and those glimpsed where one is expected. */
function evenLines(lines, glimpsed) {
  if (lines.length < 2) return lines;
  const middle = ({ top, end }) => (top + end) / 2;
  const distance = Math.min(...lines.slice(1).map((line, index) => middle(line) - middle(lines[index])));
  const expected = (line) => {
    const steps = (middle(line) - middle(lines[0])) / distance;
    return Math.abs(steps - Math.floor(steps + 0.5)) <= PAPER.EVEN;
  };
  return lines.every(expected) ? glimpsed.filter(expected) : [];
}

/** Each pixel of a line as the stronger of those above and below it, unless a stroke runs there. */
function takenOut(view, { lines, shift }) {
  const { height, width, values } = view, cleaned = plane(height, width, values.slice());
  const at = (y, x) => values[clamped(y, 0, height - 1) * width + x];
  for (const { top, end, level } of lines) {
    const stroke = Math.fround(PAPER.DARKER * level);
    for (let x = 0; x < width; x++) {
      const fall = lineFall(shift, (x + 0.5) / width), around = Math.max(at(top - 2 + fall, x), at(end + 1 + fall, x));
      for (let y = Math.max(top - 1 + fall, 0); y <= Math.min(end + fall, height - 1); y++) {
        const own = values[y * width + x];
        if (!(own > stroke)) cleaned.values[y * width + x] = Math.min(own, around);
      }
    }
  }
  return cleaned;
}
