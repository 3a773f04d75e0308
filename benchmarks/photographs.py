"""``python -m benchmarks.photographs [DIR]``: how well pictures of digits are recognised, with intervals.

``DIR`` holds pictures and ``labels.csv`` with the columns file, kind (single or line), label and medium. Without it,
what is drawn here alone is measured: MNIST's test digits as photographs, lines of them, scikit-learn's digits, and
pictures without digits.
"""

import collections
import csv
import functools
import json
import os
import pathlib
import time

import numpy as np

from benchmarks import no_digits, renderings
from keras_classics import children, cli
from keras_classics.errors import InputError
from keras_classics.shares import interval

PROG = "python -m benchmarks.photographs"
SEED = 14  # of what is drawn here


def parser():
    parser = cli.Parser(prog=PROG, description="Measure how well pictures of digits are recognised.")
    parser.add_argument("folder", nargs="?", metavar="DIR", help="pictures and labels.csv: file, kind, label, medium")
    parser.add_argument("--model", metavar="FILE.tflite", help="default: the one that comes with the package")
    parser.add_argument("--count", type=cli.positive_int, default=2000, metavar="N", help="of drawn pictures")
    parser.add_argument("--data-dir", metavar="DIR", help="where TFDS data lies (or KERAS_CLASSICS_DATA_DIR)")
    parser.add_argument("--photographs", metavar="DIR", help="photographs without digits")
    parser.add_argument("--errors", action="store_true", help="also name each picture of DIR that is read wrongly")
    parser.add_argument("--json", action="store_true", help="print one object at the end")
    return parser


def edits(read, label):
    """Digits to change, add or drop to make one text the other (Levenshtein)."""
    before = list(range(len(label) + 1))
    for row, mine in enumerate(read, 1):
        now = [row]
        for column, other in enumerate(label, 1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (mine != other)))
        before = now
    return before[-1]


@functools.cache
def _recognizer(model):
    import keras_classics

    return keras_classics.Recognizer(model)


def _read(job):
    """``(text, text without a threshold, seconds)`` of one picture."""
    model, how, image = job
    recognizer, start = _recognizer(model), time.process_time()
    found = getattr(recognizer, how)(image)
    seconds = time.process_time() - start
    if how == "digit":
        return found.label, found.top[0][0] if found.top else "?", seconds
    return found.text, "".join(digit.top[0][0] for digit in found.digits), seconds


def _all(pool, model, how, images):
    return list(pool.map(_read, [(model, how, image) for image in images], chunksize=8))


def _line(name, right, total, note=""):
    low, high = interval(right, total)
    print(f"{name}: {right / total:.1%} of {total:,} ({low:.1%} to {high:.1%}){note}", flush=True)
    return {"name": name, "right": int(right), "total": int(total), "share": right / total, "interval": [low, high]}


def of_folder(pool, model, folder, errors):
    """Single digits read as one digit and as a line, whole lines, and errors among the digits of lines."""
    path = folder / "labels.csv"
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}.") from error
    singles, lines = ([row for row in rows if row["kind"] == kind] for kind in ("single", "line"))
    found = []
    for what, how, chosen in (
        ("single digits", "digit", singles),
        ("single digits, read as lines", "number", singles),
        ("whole lines", "number", lines),
    ):
        if not chosen:
            continue
        read = _all(pool, model, how, [str(folder / row["file"]) for row in chosen])
        right = [text == row["label"] for (text, _, _), row in zip(read, chosen, strict=True)]
        unsure = sum("?" in text or not text for text, _, _ in read)
        anyway = sum(best == row["label"] for (_, best, _), row in zip(read, chosen, strict=True))
        note = f"; ? in {unsure}; without a threshold {anyway / len(chosen):.1%}"
        found.append(_line(what, sum(right), len(chosen), note))
        media = collections.defaultdict(list)
        for row, good in zip(chosen, right, strict=True):
            media[row["medium"]].append(good)
        if how == "digit":
            both = media.get("photo", []) + media.get("scan", [])
            if both:
                found.append(_line("… photographs and scans", sum(both), len(both)))
        for medium, goods in sorted(media.items()):
            found.append(_line(f"  {what}, {medium}", sum(goods), len(goods)))
        if chosen is lines:
            wrong = sum(edits(text, row["label"]) for (text, _, _), row in zip(read, chosen, strict=True))
            found.append(_line("errors among the digits of lines", wrong, sum(len(row["label"]) for row in chosen)))
        if errors:
            for (text, best, _), row in zip(read, chosen, strict=True):
                if text != row["label"]:
                    print(f"    {row['file']}: {row['label']} read as {text or 'nothing'} (best {best})")
    return found


def of_renderings(pool, model, data_dir, count):
    """MNIST's test digits as they are, as photographs, and in lines of five."""
    from keras_classics import datasets

    test = datasets.load("mnist", data_dir).test
    digits, labels = test.images[..., 0], test.labels
    random = np.random.default_rng(SEED)
    found = [_digits(pool, model, "MNIST's test digits as they are", digits, labels)]
    chosen = random.integers(len(digits), size=count)
    images = [renderings.photograph(digits[index], random) for index in chosen]
    found.append(_digits(pool, model, "MNIST's test digits as photographs", images, labels[chosen]))
    chosen = random.integers(len(digits), size=(max(count // 4, 1), 5))
    texts = ["".join(map(str, labels[row])) for row in chosen]
    read = _all(pool, model, "number", [renderings.line(list(digits[row]), random) for row in chosen])
    right = sum(text == expected for (text, _, _), expected in zip(read, texts, strict=True))
    found.append(_line("lines of five of them", right, len(texts)))
    wrong = sum(edits(text, expected) for (text, _, _), expected in zip(read, texts, strict=True))
    return [*found, _line("errors among the digits of those lines", wrong, 5 * len(texts))]


def _digits(pool, model, name, images, labels):
    read = _all(pool, model, "digit", list(images))
    right = sum(text == str(label) for (text, _, _), label in zip(read, labels, strict=True))
    unsure = sum(text == "?" for text, _, _ in read)
    return _line(name, right, len(labels), f"; ? for {unsure}")


def of_scikit_learn(pool, model):
    """Its 1,797 digits of 8×8 pixels, enlarged to 32×32."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        print("scikit-learn's digits: not measured, scikit-learn is not installed")
        return []
    from PIL import Image

    digits = load_digits()
    images = [
        np.asarray(Image.fromarray((image * (255 / 16)).astype(np.uint8)).resize((32, 32), Image.Resampling.BICUBIC))
        for image in digits.images
    ]
    return [_digits(pool, model, "scikit-learn's 8×8 digits", images, digits.target)]


def of_no_digits(pool, model, photographs, count):
    """How many pictures without digits get a digit for an answer."""
    found, totals = [], [0, 0]
    for name, images in no_digits.pictures(np.random.default_rng(SEED), count // 10, photographs).items():
        read = _all(pool, model, "digit", images)
        wrong = sum(text != "?" for text, _, _ in read)
        found.append(_line(f"  {name} answered with a digit", wrong, len(images)))
        if name != no_digits.ALIKE:
            totals = [totals[0] + wrong, totals[1] + len(images)]
    return [_line("pictures without digits answered with a digit", *totals), *found]


def of_time(model, rounds=7):
    """Seconds of one processor for a picture of a megapixel, as an array and as a JPEG file."""
    import io

    from PIL import Image

    random = np.random.default_rng(SEED)
    page = Image.fromarray(renderings.photograph(no_digits.a_stroke(), random, scales=(14, 14)))
    page = page.resize((1000, 1000), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    page.save(file, "JPEG", quality=85)
    rows = []
    for name, image in (("an array", np.asarray(page)), ("a JPEG file", file.getvalue())):
        seconds = sorted(_read((model, "digit", image))[2] for _ in range(rounds))[rounds // 2]
        print(f"a picture of a megapixel, {name}, one core: {1000 * seconds:.1f} ms (median of {rounds})", flush=True)
        rows.append({"name": f"megapixel, {name}", "seconds": seconds})
    return rows


def run(args):
    data_dir = args.data_dir or os.environ.get("KERAS_CLASSICS_DATA_DIR")
    rows = of_time(args.model)
    with children.pool() as pool:
        if args.folder:
            rows += of_folder(pool, args.model, pathlib.Path(args.folder), args.errors)
        if data_dir:
            rows += of_renderings(pool, args.model, data_dir, args.count)
        else:
            print("MNIST's digits: not measured, no --data-dir and no KERAS_CLASSICS_DATA_DIR")
        rows += of_scikit_learn(pool, args.model)
        rows += of_no_digits(pool, args.model, args.photographs, args.count)
    if args.json:
        print(json.dumps(rows, ensure_ascii=False))


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: run(args), PROG)


if __name__ == "__main__":
    main()
