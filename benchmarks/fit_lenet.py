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


def fitting(batch, images, labels):
    """Images a second of a user's ``model.fit`` on one epoch, with the batches that Keras makes by itself."""
    import keras

    from keras_classics import LeNet5, lenet

    model = LeNet5()
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    count = len(images) // batch * batch
    images = lenet.preprocess_input(images)

    def run():
        start = time.perf_counter()
        model.fit(images[:count], labels[:count], batch_size=batch, verbose=0)
        return count / (time.perf_counter() - start)

    return run


def rows(args):
    from benchmarks.train_lenet import torch_sides
    from keras_classics import datasets

    peers, found = measure.start("torch"), []
    dataset = datasets.load("embedded").padded(32)
    again = np.arange(args.images) % len(dataset.train)  # as often as it takes
    images, labels = dataset.train.images[again], dataset.train.labels[again]
    for batch in args.batches:
        fit = fitting(batch, images, labels)
        fit()
        others = torch_sides(batch, dataset, args.images // batch) if peers else {}
        name = f"LeNet-5, a user's model.fit, batch {batch}"
        found.append(measure.compare(name, {"ours": fit, **others}, unit="images/s", rounds=args.rounds))
    return found


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
