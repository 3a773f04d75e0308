"""``python -m train.pretrained``: make the weights that come with the package, and their model cards.

LeNet-5 with ReLUs is trained with the recipe "best" from three seeds. From the labels and from what those three say
together the networks learn that end in a softmax (``--distil``), the one of 1998 from the labels alone, each from
several seeds; those of seed 0 are packaged, whichever score best. AlexNet for CIFAR-10 is made by
``pretrained_pictures``.
"""

import json
import pathlib
import statistics

from keras_classics import cli, files, locks
from keras_classics.errors import InputError
from train import finished_runs, pretrained_pictures
from train.run_settings import PRECISIONS

PROG = "python -m train.pretrained"
_TARGET = pathlib.Path("keras_classics/weights")

# On validation digits ReLUs err least, also as teachers of networks of tanh.
_TEACHERS = ("teacher", ("--activation", "relu"), 3)  # file, arguments, seeds

# File, variant, activation as a model has it, whether it learns from the teachers too, and arguments of train.lenet.
NETWORKS = (
    ("lenet5_tanh", "modern", "tanh", True, ()),
    ("lenet5_relu", "modern", "relu", True, ("--activation", "relu")),
    ("lenet5_1998", "1998", "scaled_tanh", False, ("--variant", "1998")),
)


def parser():
    parser = cli.Parser(prog=PROG, description="Train the weights that come with the package, and record them.")
    parser.add_argument(
        "weights",
        nargs="?",
        choices=("mnist", "cifar10"),
        default="mnist",
        help="mnist: LeNet-5's three (default); cifar10: AlexNet's, which takes longer",
    )
    cli.add_data_dir(parser)
    parser.add_argument(
        "--seeds", type=cli.positive_int, metavar="N", help="how many (default: 5 for mnist, 1 for cifar10)"
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="of the computation for cifar10 (default: %(default)s)",
    )
    parser.add_argument(
        "--note", default="", metavar="TEXT", help="for cifar10: what the card says of the data besides"
    )
    parser.add_argument(
        "--runs",
        type=cli.path,
        default="saved_models/pretrained",
        metavar="DIR",
        help="folder of the runs; those already there are kept (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=cli.path,
        default=str(_TARGET),
        metavar="DIR",
        help="folder for weights and card (default: %(default)s)",
    )
    return parser


def make(args):
    if args.weights == "mnist" and (args.note or args.precision != "float32"):
        raise InputError("--precision and --note go with cifar10.")
    out, runs = files.output_folder(args.out), files.output_folder(args.runs)
    locks.claim(out, "weights")
    locks.claim(runs, "runs")
    args.seeds = args.seeds or (5 if args.weights == "mnist" else 1)
    if args.weights == "cifar10":
        pretrained_pictures.make(args, out, runs)
    else:
        _make_mnist(args, out, runs)


def _make_mnist(args, out, runs):
    name, extra, count = _TEACHERS
    teachers = [_history(_folder(runs, name, seed), extra, (), seed, args.data_dir) for seed in range(count)]
    said = [_folder(runs, name, seed) / "lenet5.keras" for seed in range(count)]
    histories = {
        file: [
            _history(_folder(runs, file, seed), extra, said if taught else (), seed, args.data_dir)
            for seed in range(args.seeds)
        ]
        for file, _, _, taught, extra in NETWORKS
    }
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    rows = [
        _packaged(file, variant, activation, histories[file], _folder(runs, file, 0), out)
        for file, variant, activation, _, _ in NETWORKS
    ]
    written = {"mnist.json": json.dumps(rows, indent=2) + "\n", "README.md": card(rows, histories, teachers)}
    for name, text in written.items():
        with files.whole_file(out / name) as partial:
            partial.write_text(text, encoding="utf-8")
    for row in rows:
        print(f"{row['file']}: {row['mean']:.2f} ± {row['spread']:.2f} % over {len(row['accuracies'])} seeds")
    print(f"Wrote {len(rows)} files of weights, mnist.json and README.md to {out}/")


def _folder(runs, name, seed):
    return runs / f"{name}-{seed}"


def _history(folder, extra, teachers, seed, data_dir):
    """What a run recorded, after training it where there is none yet."""
    distil = ("--distil", ",".join(map(str, teachers))) if teachers else ()
    arguments = ("--dataset", "mnist", "--recipe", "best", *extra, *distil, "--seed", str(seed))
    history = finished_runs.history(folder, "train.lenet", arguments, data_dir)
    try:
        found = (history["dataset"]["name"], history["recipe"]["seed"], "1998" in history["network"])
        learnt_from = [teacher["sha256"] for teacher in history.get("distil", ())]
        if (
            found == ("mnist", seed, "1998" in extra)
            and ("relu" in history["network"]) == ("relu" in extra)
            and learnt_from == [files.digest(path) for path in teachers]
        ):
            return history
    except (KeyError, TypeError):
        pass
    raise InputError(
        f"{folder} does not hold a run of {' '.join(extra) or 'the default network'}, seed {seed}, on mnist"
        f"{', distilled from the teachers beside it' if teachers else ''}."
    )


def _packaged(file, variant, activation, histories, run, out):
    """Save the weights of the run's model and say what they are."""
    model = finished_runs.model(next(run.glob("*.keras"), run / "lenet5.keras"))
    with files.whole_file(out / f"{file}.weights.h5") as partial:
        model.save_weights(partial)
    mean, spread, accuracies = _accuracies(histories)
    return {
        "file": f"{file}.weights.h5",
        "variant": variant,
        "activation": activation,
        "sha256": files.digest(out / f"{file}.weights.h5"),
        "accuracies": [round(accuracy, 2) for accuracy in accuracies],
        "mean": round(mean, 3),
        "spread": round(spread, 3),
    }


def _accuracies(histories):
    """Mean, standard deviation and each of the accuracies in percent."""
    found = [100 * history["test"]["accuracy"] for history in histories]
    return statistics.mean(found), statistics.stdev(found) if len(found) > 1 else 0.0, found


def card(rows, histories, teachers):
    """The model card, in Markdown."""
    first = next(iter(histories.values()))[0]
    recipe, images = first["recipe"], first["dataset"]["images"]
    lines = []
    for row, runs in zip(rows, histories.values(), strict=True):
        seeds = ", ".join(f"{accuracy:.2f}" for accuracy in row["accuracies"])
        lines.append(
            f"| {row['variant']} | {row['activation']} | {runs[0]['parameters']:,} "
            f"| {row['mean']:.2f} ± {row['spread']:.2f} % | {seeds} | `{row['file']}` |"
        )
    mean, spread, _ = _accuracies(teachers)
    said = {"table": "\n".join(lines), "teachers": len(teachers), "teachers_mean": mean, "teachers_spread": spread}
    return _CARD.format(**said, **images, **recipe)


_CARD = """\
# Model card: LeNet-5 trained on MNIST

Weights of `LeNet5(weights="mnist", …)`. Written by `python -m train.pretrained`.

| variant | activation | parameters | test accuracy, mean ± standard deviation | each seed, from 0 | file |
| --- | --- | ---: | --- | --- | --- |
{table}

- **Data.** MNIST as TensorFlow Datasets has it: {train:,} digits to train on, {validation:,} of the training digits to
  watch, {test:,} to test, once, at the end. The 28×28 digits lie in the middle of 32×32 pixels.
- **Recipe.** `python -m train.lenet --recipe best`: {optimizer}, batches of {batch_size}, {epochs} epochs, learning
  rate up to {learning_rate:g} along a warm-up and a half cosine, weight decay {weight_decay:g}; rotation, scale, shear,
  shift and elastic distortions of the training digits. The 1998 variant minimises the paper's equation 9, the others
  cross-entropy.
- **Distilled.** First {teachers} of these networks with ReLUs were trained by the labels alone ({teachers_mean:.2f} ±
  {teachers_spread:.2f} % of the test digits right). Each modern network of the table then learned, with the same
  recipe, from the labels and from the mean of what those say of the same distorted digits (`--distil`; their share of
  the loss is {distil:g}, at temperature {temperature:g}). What is packaged is one network of the size in the table.
- **Which seed.** The files are of seed 0. Neither recipe, epoch nor seed was chosen by the test digits.
- **Input.** `keras_classics.lenet.preprocess_input` of 0–255 pixels, white strokes on black, in MNIST's manner:
  size-normalised to 20×20 and centred by mass in 28×28.
- **Limits.** Digits of American writers of the 1990s, one to a picture, upright. Anything else, a letter or noise too,
  is classified as a digit, often with confidence. Digits written, scanned or cut out in another way need a test
  of their own.
- **Licence.** Apache-2.0, as the package.
"""


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: make(args), PROG)


if __name__ == "__main__":
    main()
