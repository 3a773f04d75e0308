"""``python -m train.pretrained``: make the weights of LeNet-5 that come with the package, and their model card.

Each network is trained with the recipe "best" from several seeds; where it ends in a softmax, once more from each seed,
by the labels and by what those of ReLUs say together (``--distil``). Those of seed 0 are packaged, whatever they score.
"""

import json
import pathlib
import statistics

from keras_classics import cli, files, locks
from keras_classics.errors import InputError
from train import finished_runs

PROG = "python -m train.pretrained"
_TARGET = pathlib.Path("keras_classics/weights")

_AGAIN = "-distilled"  # in the names of the folders of second runs

_TEACHERS = "lenet5_relu"  # of the networks with a softmax these err least on validation digits

# File, variant, activation as a model has it, whether it is trained once more, and arguments of train.lenet.
NETWORKS = (
    ("lenet5_tanh", "modern", "tanh", True, ()),
    ("lenet5_relu", "modern", "relu", True, ("--activation", "relu")),
    ("lenet5_1998", "1998", "scaled_tanh", False, ("--variant", "1998")),
)


def parser():
    parser = cli.Parser(prog=PROG, description="Train the weights that LeNet5(weights='mnist') takes, and record them.")
    cli.add_data_dir(parser)
    parser.add_argument(
        "--seeds", type=cli.positive_int, default=5, metavar="N", help="how many (default: %(default)s)"
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
    out, runs = files.output_folder(args.out), files.output_folder(args.runs)
    locks.claim(out, "weights")
    locks.claim(runs, "runs")
    alone = {file: _seeds(runs / file, extra, args) for file, *_, extra in NETWORKS}
    said = ",".join(str(_folder(runs / _TEACHERS, seed) / "lenet5.keras") for seed in range(args.seeds))
    starts = {file: runs / f"{file}{_AGAIN * again}" for file, _, _, again, _ in NETWORKS}
    packaged = {
        file: _seeds(starts[file], (*extra, "--distil", said), args) if again else alone[file]
        for file, _, _, again, extra in NETWORKS
    }
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    rows = [
        _packaged(file, variant, activation, packaged[file], _folder(starts[file], 0), out)
        for file, variant, activation, _, _ in NETWORKS
    ]
    for name, text in (("mnist.json", json.dumps(rows, indent=2) + "\n"), ("README.md", card(rows, [*alone.values()]))):
        with files.whole_file(out / name) as partial:
            partial.write_text(text, encoding="utf-8")
    for row in rows:
        print(f"{row['file']}: {row['mean']:.2f} ± {row['spread']:.2f} % over {len(row['accuracies'])} seeds")
    print(f"Wrote {len(rows)} files of weights, mnist.json and README.md to {out}/")


def _seeds(start, extra, args):
    """The records of runs from all seeds."""
    return [_history(_folder(start, seed), extra, seed, args.data_dir) for seed in range(args.seeds)]


def _folder(start, seed):
    return start.with_name(f"{start.name}-{seed}")


def _history(folder, extra, seed, data_dir):
    """What a run recorded, after training it where there is none yet."""
    arguments = ("--dataset", "mnist", "--recipe", "best", *extra, "--seed", str(seed))
    history = finished_runs.history(folder, "train.lenet", arguments, data_dir)
    teachers = extra[-1].split(",") if "--distil" in extra else ()
    try:
        network = history["network"]
        found = (history["dataset"]["name"], history["recipe"]["seed"], "1998" in network, "relu" in network)
        learnt_from = [one["sha256"] for one in history.get("distil", ())]
        if found == ("mnist", seed, "1998" in extra, "relu" in extra) and learnt_from == [
            files.digest(pathlib.Path(path)) for path in teachers
        ]:
            return history
    except (KeyError, TypeError):
        pass
    raise InputError(
        f"{folder} does not hold a run of {' '.join(extra) or 'the default network'}, seed {seed}, on mnist."
    )


def _packaged(file, variant, activation, histories, run, out):
    """Save the weights of the run's model and say what they are."""
    import keras

    path = next(run.glob("*.keras"), run / "lenet5.keras")
    try:
        model = keras.models.load_model(path, compile=False)
    except (OSError, ValueError) as error:
        raise InputError(f"there is no model {path} that Keras can read.") from error
    with files.whole_file(out / f"{file}.weights.h5") as partial:
        model.save_weights(partial)
    accuracies = [100 * history["test"]["accuracy"] for history in histories]
    mean, spread = _mean_and_spread(accuracies)
    return {
        "file": f"{file}.weights.h5",
        "variant": variant,
        "activation": activation,
        "sha256": files.digest(out / f"{file}.weights.h5"),
        "accuracies": [round(accuracy, 2) for accuracy in accuracies],
        "mean": round(mean, 3),
        "spread": round(spread, 3),
    }


def card(rows, first):
    """The model card, in Markdown; ``first``: of each row the histories of the networks trained by labels alone."""
    recipe, images = first[0][0]["recipe"], first[0][0]["dataset"]["images"]
    lines = []
    for row, runs in zip(rows, first, strict=True):
        seeds = ", ".join(f"{accuracy:.2f}" for accuracy in row["accuracies"])
        mean, spread = _mean_and_spread([100 * history["test"]["accuracy"] for history in runs])
        lines.append(
            f"| {row['variant']} | {row['activation']} | {runs[0]['parameters']:,} | {mean:.2f} ± {spread:.2f} % "
            f"| **{row['mean']:.2f} ± {row['spread']:.2f} %** | {seeds} | `{row['file']}` |"
        )
    return _CARD.format(table="\n".join(lines), **images, **recipe)


def _mean_and_spread(accuracies):
    return statistics.mean(accuracies), statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0


_CARD = """\
# Model card: LeNet-5 trained on MNIST

Weights of `LeNet5(weights="mnist", …)`. Written by `python -m train.pretrained`.

Accuracy on the test digits, mean ± standard deviation over the seeds:

| variant | activation | parameters | by the labels alone | as packaged | each seed, from 0 | file |
| --- | --- | ---: | --- | --- | --- | --- |
{table}

- **Data.** MNIST as TensorFlow Datasets has it: {train:,} digits to train on, {validation:,} of the training digits to
  watch, {test:,} to test, once, at the end. The 28×28 digits lie in the middle of 32×32 pixels.
- **Recipe.** `python -m train.lenet --recipe best`: {optimizer}, batches of {batch_size}, {epochs} epochs, learning
  rate up to {learning_rate:g} along a warm-up and a half cosine, weight decay {weight_decay:g}; rotation, scale, shear,
  shift and elastic distortions of the training digits, {distortion:g} of the largest. The 1998 variant minimises the
  paper's equation 9, the others cross-entropy.
- **Distilled.** The others were then trained once more, with the same recipe, from the labels and from the mean of
  what the networks of ReLUs, of the first training, say of the same distorted digits (`--distil`; share {distil:g},
  temperature {temperature:g}). What is packaged is one network of 61,706 parameters.
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
