"""``python -m benchmarks.fit_lenet``: images a second of a user's ``model.fit`` of LeNet-5."""

import time

import numpy as np

from benchmarks import measure

PROG = "python -m benchmarks.fit_lenet"


def parser():
    parser = measure.parser(PROG, "A user's model.fit of LeNet-5 with Adam on digits in memory, against PyTorch.")
    parser.add_argument("--images", type=measure.positive_int, default=40_000, metavar="N", help="an epoch and round")
    parser.add_argument("--batches", type=measure.numbers, default=[64, 256], metavar="N,…", help="batch sizes")
    return parser


def fitting(batch, split, *, arrays):
    """Images a second of a user's ``model.fit`` on one epoch: of arrays, or as docs/training.md shows it."""
    import keras

    from keras_classics import LeNet5, lenet

    model = LeNet5()
    how = {} if arrays else {"steps_per_execution": 32, "jit_compile": False}
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", **how)
    count = len(split) // batch * batch
    split = split.take(np.arange(count))
    images = lenet.preprocess_input(split.images) if arrays else None
    batches = None if arrays else split.batches(batch, prepare=lenet.preprocess_input)

    def run():
        start = time.perf_counter()
        if arrays:
            model.fit(images, split.labels, batch_size=batch, verbose=0)
        else:
            model.fit(batches, shuffle=False, verbose=0)  # the batches are shuffled
        return count / (time.perf_counter() - start)

    return run


def rows(args):
    from benchmarks.train_lenet import torch_sides
    from keras_classics import datasets

    peers, found = measure.start("torch"), []
    dataset = datasets.load("embedded").padded(32)
    again = np.arange(args.images) % len(dataset.train)  # as often as it takes
    split = dataset.train.take(again)
    for batch in args.batches:
        others = torch_sides(batch, dataset, args.images // batch) if peers else {}
        for how, arrays in (("Split.batches", False), ("arrays", True)):
            fit = fitting(batch, split, arrays=arrays)
            fit()
            name = f"LeNet-5, a user's model.fit of {how}, batch {batch}"
            found.append(measure.compare(name, {"ours": fit, **others}, unit="images/s", rounds=args.rounds))
    return found


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
