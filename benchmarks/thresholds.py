"""``python -m benchmarks.thresholds``: what a recognizer answers and rejects, by the probability it has to reach.

Measured on nothing that ``benchmarks.photographs`` measures: MNIST digits of the validation split as photographs, and
letters of Debian's Liberation fonts. The default threshold was chosen by an earlier table of this kind.
"""

import pathlib

import numpy as np

import keras_classics
from benchmarks import no_digits, renderings
from keras_classics import cli
from keras_classics.errors import InputError

PROG = "python -m benchmarks.thresholds"
SEED = 15
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.7, 0.9)


def parser():
    parser = cli.Parser(prog=PROG, description="What is answered and what rejected, by threshold, as a Markdown table.")
    parser.add_argument("--model", metavar="FILE.tflite", help="default: the one that comes with the package")
    parser.add_argument(
        "--count",
        type=cli.positive_int,
        default=1200,
        metavar="N",
        help="digits, as many letters, half as many look-alikes",
    )
    parser.add_argument(
        "--fonts",
        default="/usr/share/fonts/truetype/liberation",
        metavar="DIR",
        help="font files (.ttf) of the letters (default: %(default)s)",
    )
    cli.add_data_dir(parser)
    return parser


def _best(reader, images):
    """The best class of each picture and its probability, threshold or not."""
    found = [reader.digit(image) for image in images]
    return [answer.top[0] if answer.top else ("?", 0.0) for answer in found]


def rows(args):
    """Lines of the table, under its head."""
    fonts = sorted(pathlib.Path(args.fonts).glob("*.ttf"))
    if not fonts:
        raise InputError(f"{args.fonts} holds no .ttf files; on Debian: apt-get install fonts-liberation.")
    random = np.random.default_rng(SEED)
    split = keras_classics.datasets.load("mnist", args.data_dir).validation
    chosen = random.choice(len(split), args.count)
    reader = keras_classics.Recognizer(args.model, threshold=0.0)
    digits = _best(reader, (renderings.photograph(split.images[index, ..., 0], random) for index in chosen))
    letters, alike = (
        _best(reader, (no_digits.letter(of, random, fonts) for _ in range(count)))
        for of, count in ((no_digits.LETTERS, args.count), (no_digits.LOOK_ALIKES, args.count // 2))
    )
    for threshold in THRESHOLDS:
        right = np.mean(
            [
                label == str(split.labels[index]) and p >= threshold
                for (label, p), index in zip(digits, chosen, strict=True)
            ]
        )
        answered = [np.mean([p >= threshold for _, p in found]) for found in (digits, letters, alike)]
        yield f"| {threshold} | {right:.1%} | {1 - answered[0]:.1%} | {answered[1]:.1%} | {answered[2]:.1%} |"


def run(args):
    print("| threshold | digits answered rightly | rejected | letters unlike digits, answered | like digits |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for row in rows(args):
        print(row, flush=True)


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: run(args), PROG)


if __name__ == "__main__":
    main()
