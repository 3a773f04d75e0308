"""``python -m benchmarks.batch_norm``: a training step of batch normalization alone, on maps of 32×32 pixels."""

import functools

import numpy as np

from benchmarks import lrn, measure

PROG = "python -m benchmarks.batch_norm"
MAPS = (32, 32, 64)  # of conv1 of AlexNet "cifar10_convolutional"


def parser():
    parser = measure.parser(PROG, "Batch normalization in training, against Keras' own and PyTorch's.")
    parser.add_argument("--batch", type=measure.positive_int, default=128, metavar="N", help="default: %(default)s")
    return parser


def tensorflow_sides(maps, weights, dtype):
    import keras
    import tensorflow as tf

    from keras_classics.layers import BatchNormalization

    x, g = (tf.cast(values, dtype) for values in (maps, weights))
    policy = dtype if dtype == "float32" else f"mixed_{dtype}"
    kinds = {"ours": BatchNormalization, "Keras": keras.layers.BatchNormalization}
    return {
        name: lrn.tensorflow_pair(functools.partial(kind(dtype=policy), training=True), x, g)
        for name, kind in kinds.items()
    }


def torch_sides(maps, weights, dtype):
    import torch

    return lrn.torch_pairs(torch.nn.BatchNorm2d(maps.shape[-1]), maps, weights, dtype)


def rows(args):
    peers, found, random = measure.start("torch"), [], np.random.default_rng(0)
    maps, weights = (random.normal(size=(args.batch, *MAPS)).astype("float32") for _ in range(2))
    for dtype in ("float32", "bfloat16"):
        sides = tensorflow_sides(maps, weights, dtype) | (torch_sides(maps, weights, dtype) if peers else {})
        both = {name: pair[1] for name, pair in sides.items()}
        measure.alternate(both, 1)
        values = measure.alternate(both, args.rounds)
        row = measure.row_of(f"batch normalization, {dtype}, forward and backward", values, unit="s")
        found.append(measure.dataclasses.replace(row, note=lrn.in_milliseconds(values)))
    return found


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
