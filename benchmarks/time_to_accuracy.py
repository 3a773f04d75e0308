"""``python -m benchmarks.time_to_accuracy``: seconds of training to 98.5 % and 99.0 % of MNIST's test digits.

Both sides are looked at on all 10,000 test digits, equally often, and the clock stands still meanwhile. The test set
only says when to stop the clock: "quick" was chosen on validation digits, eight epochs of "default" are a first guess.
"""

import dataclasses
import functools
import statistics
import time

from benchmarks import measure
from train import recipes

PROG = "python -m benchmarks.time_to_accuracy"


@dataclasses.dataclass(frozen=True)
class Race:
    target: float  # share of the test digits, 0–1
    recipe: recipes.Recipe  # ours
    peer: str
    peer_epochs: int  # the peer gives up after so many
    same_recipe: bool  # whether the peer has our recipe, or Adam at 0.001 on batches of 64, digits as they are


RACES = {
    "98.5": Race(0.985, recipes.LENET5["quick"], "PyTorch, Adam 0.001", 18, False),
    "99.0": Race(0.990, dataclasses.replace(recipes.LENET5["default"], epochs=8), "PyTorch, same recipe", 8, True),
}


def parser():
    parser = measure.parser(PROG, "Seconds of training to 98.5 % and 99.0 % of MNIST's test digits.", rounds=5)
    parser.add_argument("--data-dir", metavar="DIR", help="where TFDS data lies (or KERAS_CLASSICS_DATA_DIR)")
    parser.add_argument(
        "--dataset", choices=("mnist", "embedded"), default="mnist", help="embedded: only to try it out"
    )
    parser.add_argument("--targets", default="98.5,99.0", metavar="X,…", help="which of 98.5 and 99.0")
    parser.add_argument("--looks", type=measure.positive_int, default=2, metavar="N", help="at the accuracy, an epoch")
    parser.add_argument("--limit", type=measure.positive_int, default=None, metavar="N", help="epochs at most")
    return parser


def seconds_to(target, advance, accuracy, looks):
    """Seconds spent in ``advance()`` until ``accuracy()`` reaches ``target``; infinite if ``looks`` do not suffice."""
    spent = 0.0
    for _ in range(looks):
        start = time.perf_counter()
        advance()
        spent += time.perf_counter() - start
        if accuracy() >= target:
            return spent
    return float("inf")


def ours(race, dataset, args, seed):
    from benchmarks.train_lenet import engine

    recipe = {**dataclasses.asdict(race.recipe), "seed": seed}
    if args.limit:
        recipe |= {"epochs": args.limit, "min_images": 0}
    trainer = engine(recipe.pop("batch_size"), dataset, **recipe)
    part = max(1, trainer.total_steps // (trainer.recipe.epochs * args.looks))

    def advance():
        for _ in trainer.train(min(trainer.total_steps, trainer.step + part)):
            pass

    looks = -(-trainer.total_steps // part)
    return seconds_to(race.target, advance, lambda: trainer.evaluate(dataset.test).accuracy, looks)


def theirs(race, dataset, args, seed):
    import torch

    from benchmarks import peers, torch_training
    from keras_classics import lenet

    torch.manual_seed(seed)
    epochs = args.limit or race.peer_epochs
    images, labels = torch_training.digits(dataset.train, lenet.PREPROCESSING)
    network, data = peers.torch_lenet5(), (images, labels)
    if race.same_recipe:
        recipe, batch = race.recipe, race.recipe.batch_size
        total = -(-epochs * len(labels) // batch)
        optimizer = functools.partial(torch.optim.AdamW, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
        schedule = torch_training.warmup_and_cosine(total, round(recipe.warmup * total))
        more = {"schedule": schedule, "prepare": torch_training.distort}
    else:
        batch, optimizer, more = 64, functools.partial(torch.optim.Adam, lr=1e-3), {}
    training = torch_training.Training(network, optimizer, *data, batch, seed=seed, **more)
    part = max(1, len(labels) // (batch * args.looks))
    test = torch_training.digits(dataset.test, lenet.PREPROCESSING)
    return seconds_to(race.target, lambda: training.run(part), lambda: training.accuracy(*test), epochs * args.looks)


def rows(args):
    from benchmarks.train_lenet import start
    from keras_classics import datasets
    from keras_classics.errors import InputError

    wanted = args.targets.split(",")
    if not set(wanted) <= set(RACES):
        raise InputError(f"--targets {args.targets}: expected some of {', '.join(RACES)}.")
    torch, found = measure.start("torch"), []
    start()
    dataset = datasets.load(args.dataset, args.data_dir).padded(32)
    for name in wanted:
        race, values = RACES[name], {}
        for seed in range(args.rounds):
            for side, run in {"ours": ours, **({race.peer: theirs} if torch else {})}.items():
                values.setdefault(side, []).append(run(race, dataset, args, seed))
                print(f"{name} %, seed {seed}, {side}: {values[side][-1]:.1f} s", flush=True)
        row = measure.row_of(f"LeNet-5 to {name} % of the test digits", values, unit="s")
        spread = "; ".join(f"{side}: {', '.join(f'{v:.1f}' for v in each)} s" for side, each in values.items())
        # Seeds are no rounds: the ratio is that of the medians.
        if row.peer is not None:
            row = dataclasses.replace(row, ratio=row.peer / row.ours, spread=None)
        found.append(dataclasses.replace(row, note=f"{spread}; median {statistics.median(values['ours']):.1f} s ours"))
    return found


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
