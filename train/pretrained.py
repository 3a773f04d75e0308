"""``python -m train.pretrained``: make the weights that come with the package, and their model cards.

Two larger networks are trained, and what they say teaches each LeNet-5, from several seeds; those of seed 0 are
packaged, whichever score best.
AlexNet for CIFAR-10 is made by ``pretrained_pictures``.
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

TEACHERS = 2  # of seeds 0 and 1

# File, variant, activation as a model has it, and arguments of train.lenet.
NETWORKS = (
    ("lenet5_tanh", "modern", "tanh", ()),
    ("lenet5_relu", "modern", "relu", ("--activation", "relu")),
    ("lenet5_1998", "1998", "scaled_tanh", ("--variant", "1998")),
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
    if "," in str(runs):
        raise InputError(f"{runs} has a comma in its name, which --distil of train.lenet takes to part files.")
    teachers = [
        _history(runs / f"teacher-{seed}", "train.teacher", (), seed, args.data_dir) for seed in range(TEACHERS)
    ]
    learning = (
        *("--recipe", "distilled"),
        *("--distil", ",".join(str(runs / f"teacher-{seed}" / "teacher.keras") for seed in range(TEACHERS))),
    )
    taught_by = [teacher["model_sha256"] for teacher in teachers]
    histories = {
        file: [
            _history(runs / f"{file}-{seed}", "train.lenet", (*learning, *extra), seed, args.data_dir, taught_by)
            for seed in range(args.seeds)
        ]
        for file, _, _, extra in NETWORKS
    }
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    rows = [
        _packaged(file, variant, activation, histories[file], runs / f"{file}-0", out)
        for file, variant, activation, _ in NETWORKS
    ]
    written = card(rows, histories, teachers)
    for name, text in (("mnist.json", json.dumps(rows, indent=2) + "\n"), ("README.md", written)):
        with files.whole_file(out / name) as partial:
            partial.write_text(text, encoding="utf-8")
    for row in rows:
        print(f"{row['file']}: {row['mean']:.2f} ± {row['spread']:.2f} % over {len(row['accuracies'])} seeds")
    print(f"Wrote {len(rows)} files of weights, mnist.json and README.md to {out}/")


def _history(folder, module, arguments, seed, data_dir, taught_by=()):
    """What a run recorded, after training it where there is none yet; ``taught_by`` are digests of other networks."""
    arguments = ("--dataset", "mnist", *arguments, "--seed", str(seed))
    history = finished_runs.history(folder, module, arguments, data_dir)
    try:
        learnt_from = [one["sha256"] for one in history.get("distil", ())]
        known = history["dataset"]["name"], history["recipe"]["seed"], learnt_from
        kinds = [word in history["network"] for word in ("relu", "1998")]
        if known == ("mnist", seed, list(taught_by)) and kinds == [word in arguments for word in ("relu", "1998")]:
            return history
    except (KeyError, TypeError):
        pass
    raise InputError(f"{folder} does not hold what python -m {module} {' '.join(arguments)} would train; remove it.")


def _packaged(file, variant, activation, histories, run, out):
    """Save the weights of the run's model and say what they are."""
    model = finished_runs.model(next(run.glob("*.keras"), run / "lenet5.keras"))
    with files.whole_file(out / f"{file}.weights.h5") as partial:
        model.save_weights(partial)
    accuracies = [100 * history["test"]["accuracy"] for history in histories]
    return {
        "file": f"{file}.weights.h5",
        "variant": variant,
        "activation": activation,
        "sha256": files.digest(out / f"{file}.weights.h5"),
        "accuracies": [round(accuracy, 2) for accuracy in accuracies],
        "mean": round(statistics.mean(accuracies), 3),
        "spread": round(statistics.stdev(accuracies), 3) if len(accuracies) > 1 else 0.0,
    }


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
    right = " and ".join(f"{100 * teacher['test']['accuracy']:.2f} %" for teacher in teachers)
    larger = {"teachers": len(teachers), "larger": teachers[0]["parameters"], "right": right}
    return _CARD.format(table="\n".join(lines), labels=1 - recipe["distil"], **larger, **images, **recipe)


_CARD = """\
# Model card: LeNet-5 trained on MNIST

Weights of `LeNet5(weights="mnist", …)`. Written by `python -m train.pretrained`.

| variant | activation | parameters | test accuracy, mean ± standard deviation | each seed, from 0 | file |
| --- | --- | ---: | --- | --- | --- |
{table}

- **Data.** MNIST as TensorFlow Datasets has it: {train:,} digits to train on, {validation:,} of the training digits to
  watch, {test:,} to test, once, at the end. The 28×28 digits lie in the middle of 32×32 pixels.
- **Recipe.** `python -m train.lenet --recipe distilled`: the networks learn what {teachers} larger ones say of
  {versions} distorted versions of each digit, at temperature {temperature:g}; the labels have {labels:.0%} of the loss.
  {optimizer}, batches of {batch_size}, {epochs} epochs, learning rate up to {learning_rate:g} along a warm-up and a
  half cosine, weight decay {weight_decay:g}; rotation, scale, shear, shift and elastic distortions. The larger ones
  (`python -m train.teacher`, {larger:,} parameters) learnt from the same training digits and their labels; they get
  {right} of the test digits right.
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
