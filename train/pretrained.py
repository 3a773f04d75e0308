"""``python -m train.pretrained``: make the weights that come with the package, and their model cards.

Each LeNet-5 is trained from several seeds, those with the recipe "distilled" on what two larger networks say, which are
trained first. The weights of seed 0 are packaged, whichever score best.
AlexNet for CIFAR-10 is made by ``pretrained_pictures``.
"""

import dataclasses
import json
import pathlib
import statistics

from keras_classics import cli, files, locks
from keras_classics.errors import InputError
from train import finished_runs, pretrained_pictures, recipes
from train.run_settings import PRECISIONS

PROG = "python -m train.pretrained"
_TARGET = pathlib.Path("keras_classics/weights")

_ENDING = ".weights.h5"
TEACHERS = 2  # of seeds 0 and 1


@dataclasses.dataclass(frozen=True)
class Network:
    file: str  # without its ending
    variant: str
    activation: str  # as a model has it
    recipe: str  # a name in ``recipes.LENET5``
    arguments: tuple  # of train.lenet, beside dataset, recipe and seed


NETWORKS = {
    network.file: network
    for network in (
        Network("lenet5_tanh", "modern", "tanh", "distilled", ()),
        Network("lenet5_relu", "modern", "relu", "distilled", ("--activation", "relu")),
        Network("lenet5_1998", "1998", "scaled_tanh", "best", ("--variant", "1998")),
    )
}


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
        "--network",
        choices=NETWORKS,
        action="append",
        help="of mnist: only this one, or several, each with --network; --out keeps its others (default: all)",
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
    if args.weights == "cifar10" and args.network:
        raise InputError("--network goes with mnist.")
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
    chosen = [NETWORKS[file] for file in args.network or NETWORKS]
    kept = _rows(out / "mnist.json") if args.network else {}
    teachers = []
    if any(network.recipe == "distilled" for network in chosen):
        teachers = [_teacher(runs, seed, args.data_dir) for seed in range(TEACHERS)]
    histories = [
        [_learnt(network, seed, runs, teachers, args.data_dir) for seed in range(args.seeds)] for network in chosen
    ]
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    made = {
        network.file: _packaged(network, found, teachers, runs, out)
        for network, found in zip(chosen, histories, strict=True)
    }
    rows = [{**kept, **made}[file] for file in NETWORKS if file in {**kept, **made}]
    written = card(rows, histories[0][0]["dataset"]["images"])
    for name, text in (("mnist.json", json.dumps(rows, indent=2) + "\n"), ("README.md", written)):
        with files.whole_file(out / name) as partial:
            partial.write_text(text, encoding="utf-8")
    for row in made.values():
        print(f"{row['file']}: {row['mean']:.2f} ± {row['spread']:.2f} % over {len(row['accuracies'])} seeds")
    print(f"Wrote {', '.join(row['file'] for row in made.values())}, mnist.json and README.md to {out}/")


def _rows(path):
    """What ``mnist.json`` says of the networks in a folder, ``{file without its ending: row}``."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        found = {row["file"].removesuffix(_ENDING): row for row in rows}
        card(rows, {"train": 0, "validation": 0, "test": 0})
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is not what this command writes; leave out --network.") from error
    return found


def _teacher(runs, seed, data_dir):
    recipe = dataclasses.replace(recipes.TEACHER, seed=seed)
    return _history(runs / f"teacher-{seed}", "train.teacher", (), recipe, data_dir)


def _learnt(network, seed, runs, teachers, data_dir):
    """What the run of a ``Network`` from a seed recorded."""
    folder, given = runs / f"{network.file}-{seed}", ("--recipe", network.recipe, *network.arguments)
    recipe = dataclasses.replace(recipes.LENET5[network.recipe], seed=seed)
    if network.recipe != "distilled":
        return _history(folder, "train.lenet", given, recipe, data_dir)
    given += ("--distil", ",".join(str(runs / f"teacher-{number}" / "teacher.keras") for number in range(TEACHERS)))
    return _history(folder, "train.lenet", given, recipe, data_dir, [teacher["model_sha256"] for teacher in teachers])


def _history(folder, module, arguments, recipe, data_dir, taught_by=()):
    """What a run recorded, after training it where there is none yet; ``taught_by`` are digests of other networks."""
    arguments = ("--dataset", "mnist", *arguments, "--seed", str(recipe.seed))
    history = finished_runs.history(folder, module, arguments, data_dir)
    try:
        recorded, kinds = history["recipe"], [word in history["network"] for word in ("relu", "1998")]
        same = all(recorded.get(name, value) == value for name, value in dataclasses.asdict(recipe).items())
        learnt_from = [one["sha256"] for one in history.get("distil", ())]
        if (same, history["dataset"]["name"], learnt_from) == (True, "mnist", list(taught_by)) and kinds == [
            word in arguments for word in ("relu", "1998")
        ]:
            return history
    except (KeyError, TypeError, AttributeError):
        pass
    raise InputError(f"{folder} does not hold what python -m {module} {' '.join(arguments)} would train; remove it.")


def _packaged(network, histories, teachers, runs, out):
    """Save the weights of the first seed's model and say what they are."""
    run = runs / f"{network.file}-0"
    model = finished_runs.model(next(run.glob("*.keras"), run / "lenet5.keras"))
    path = out / (network.file + _ENDING)
    with files.whole_file(path) as partial:
        model.save_weights(partial)
    accuracies = [_percent(history) for history in histories]
    taught = {"taught_by": [_percent(teacher) for teacher in teachers]} if network.recipe == "distilled" else {}
    return {
        "file": path.name,
        "variant": network.variant,
        "activation": network.activation,
        "parameters": histories[0]["parameters"],
        "recipe": network.recipe,
        **taught,
        "sha256": files.digest(path),
        "accuracies": [round(accuracy, 2) for accuracy in accuracies],
        "mean": round(statistics.mean(accuracies), 3),
        "spread": round(statistics.stdev(accuracies), 3) if len(accuracies) > 1 else 0.0,
    }


def _percent(history):
    return 100 * history["test"]["accuracy"]


def card(rows, images):
    """The model card, in Markdown, of the rows of ``mnist.json``; ``images`` is how many each split has."""
    lines, texts = [], []
    for row in rows:
        seeds = ", ".join(f"{accuracy:.2f}" for accuracy in row["accuracies"])
        lines.append(
            f"| {row['variant']} | {row['activation']} | {row['parameters']:,} | `{row['recipe']}` "
            f"| {row['mean']:.2f} ± {row['spread']:.2f} % | {seeds} | `{row['file']}` |"
        )
    for name, text in _RECIPES.items():
        (row, *_) = [row for row in rows if row["recipe"] == name] or [None]
        if row:
            right = " and ".join(f"{accuracy:.2f} %" for accuracy in row.get("taught_by", ()))
            recipe = recipes.LENET5[name]
            texts.append(text.format(right=right, labels=1 - recipe.distil, **dataclasses.asdict(recipe)))
    return _CARD.format(table="\n".join(lines), recipes="\n".join(texts), **images)


_RECIPES = {
    "distilled": """\
- **Recipe `distilled`.** `python -m train.lenet --recipe distilled`: the networks learn what two larger ones say of
  {versions} distorted versions of each digit, at temperature {temperature:g}; the labels have {labels:.0%} of the loss.
  {optimizer}, batches of {batch_size}, {epochs} epochs, learning rate up to {learning_rate:g} along a warm-up and a
  half cosine, weight decay {weight_decay:g}; rotation, scale, shear, shift and elastic distortions. The larger ones
  (`python -m train.teacher`) learnt from the same training digits and their labels; they get {right} of the test
  digits right.""",
    "best": """\
- **Recipe `best`.** `python -m train.lenet --recipe best`: {optimizer}, batches of {batch_size}, {epochs} epochs,
  learning rate up to {learning_rate:g} along a warm-up and a half cosine, weight decay {weight_decay:g}; rotation,
  scale, shear, shift and elastic distortions of the training digits. The network of 1998 minimises the paper's
  equation 9.""",
}

_CARD = """\
# Model card: LeNet-5 trained on MNIST

Weights of `LeNet5(weights="mnist", …)`. Written by `python -m train.pretrained`.

| variant | activation | parameters | recipe | test accuracy, mean ± standard deviation | each seed, from 0 | file |
| --- | --- | ---: | --- | --- | --- | --- |
{table}

- **Data.** MNIST as TensorFlow Datasets has it: {train:,} digits to train on, {validation:,} of the training digits to
  watch, {test:,} to test, once, at the end. The 28×28 digits lie in the middle of 32×32 pixels.
{recipes}
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
