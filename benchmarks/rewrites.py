"""``python -m benchmarks.rewrites``: what each rewrite of a device graph gains, in LiteRT, one image at a time."""

import dataclasses

import numpy as np

from benchmarks import measure
from benchmarks.device import NETWORKS, litert, timed

PROG = "python -m benchmarks.rewrites"
_PICTURES = 50  # to calibrate with, of a digit's size; AlexNet takes a twelfth


def parser():
    parser = measure.parser(PROG, "Device graphs with each rewrite and without it, in LiteRT.", rounds=7)
    parser.add_argument("--only", choices=NETWORKS, metavar="NETWORK", help=f"{' or '.join(NETWORKS)} (default: both)")
    return parser


def pairs(network, model, preprocessing, pictures):
    """``(what, threads, with it, without it)`` of each rewrite, the last two as bytes of TFLite files."""
    from export.convert import quantize

    def converted(mode, **changes):
        forms = dataclasses.replace(quantize.best_forms(mode), **changes)
        return quantize.convert(model, preprocessing, mode, pictures, forms=forms)

    exact, small = converted("float32"), converted("int8")
    if network == "lenet5":
        yield "static batch of one, float32", 1, exact, dynamic_batch(model, preprocessing)
        yield "C5 as a matrix product, float32", 1, exact, converted("float32", products=False)
        yield "C5 as a matrix product, int8", 1, small, converted("int8", products=False)
        yield "averages as convolutions, float32", 1, exact, converted("float32", pooling="average")
        yield "averages as convolutions, int8", 1, small, converted("int8", pooling="average")
    else:
        yield "normalization as a banded product, float32", 2, exact, converted("float32", lrn="native")
        yield "normalization as a banded product, int8", 2, small, converted("int8", lrn="native")
        yield "groups in one convolution, float32", 2, exact, converted("float32", towers=True)


def dynamic_batch(model, preprocessing):
    """The float32 file of a graph for any number of images, as a converter gives it by default."""
    import tensorflow as tf

    from export.convert import quantize
    from export.convert.device_model import device_model

    graph = device_model(model, preprocessing, "uint8", quantize.best_forms("float32"), batch=None)
    return quantize.run(tf.lite.TFLiteConverter.from_keras_model(graph).convert)


def rows_of(network, rounds):
    from export.contract import RANDOM, TITLES
    from export.inputs import networks
    from keras_classics import description

    variant = networks.usual_variant(network, None, None)
    weights = {"weights": "mnist"} if network == "lenet5" else {RANDOM: 0}
    model = networks.build(network, variant, weights)
    preprocessing, shape = description.of(model).preprocessing, model.input_shape[1:]
    count = _PICTURES if network == "lenet5" else _PICTURES // 12
    pictures = np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)  # time asks for no more
    scale, unit = (1, "µs") if network == "lenet5" else (1e-3, "ms")
    for what, threads, *files in pairs(network, model, preprocessing, pictures):
        sides = (timed(litert(file, pictures[:1], threads)) for file in files)
        found = measure.alternate(dict(zip(("with", "without"), sides, strict=True)), rounds)
        found = {side: [scale * value for value in values] for side, values in found.items()}
        yield measure.row_of(f"{TITLES[network]}: {what}", found, unit=unit)


def rows(args):
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    chosen = [args.only] if args.only else NETWORKS
    return [row for network in chosen for row in rows_of(network, args.rounds)]


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
