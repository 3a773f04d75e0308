"""``python -m benchmarks.lrn``: local response normalization alone, on the maps of AlexNet's conv1 and conv2."""

import functools

import numpy as np

from benchmarks import measure

PROG = "python -m benchmarks.lrn"
MAPS = {"conv1": (55, 55, 96), "conv2": (27, 27, 256)}


def parser():
    parser = measure.parser(PROG, "Normalization alone, against PyTorch's and TensorFlow's own operator.")
    parser.add_argument("--batch", type=measure.positive_int, default=32, metavar="N", help="default: %(default)s")
    return parser


def tensorflow_pair(layer, x, g):
    """``(forward, forward and backward)`` of a function of tensors, where ``g`` is the gradient of its result."""
    import tensorflow as tf

    forward = tf.function(layer)

    @tf.function
    def backward(x, g):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return y, tape.gradient(y, x, g)

    return lambda: forward(x)[0, 0, 0, 0].numpy() and None, lambda: backward(x, g)[1][0, 0, 0, 0].numpy() and None


def torch_pairs(layer, maps, weights, dtype="float32"):
    """The same of a PyTorch layer, for maps that lie first and last in memory, by the name of the side."""
    import torch

    pairs = {}
    for name, layout in (("PyTorch", torch.contiguous_format), ("PyTorch, channels last", torch.channels_last)):
        x, g = (
            torch.from_numpy(values.transpose(0, 3, 1, 2).copy()).to(getattr(torch, dtype), memory_format=layout)
            for values in (maps, weights)
        )

        def forward(x=x):
            with torch.no_grad():
                layer(x)

        def both(x=x, g=g):
            layer(x.detach().requires_grad_()).backward(g)

        pairs[name] = (forward, both)
    return pairs


def tensorflow_sides(maps, weights):
    """Our layer and TensorFlow's operator."""
    import tensorflow as tf

    from keras_classics.layers import LocalResponseNormalization

    def native(x):
        return tf.nn.local_response_normalization(x, 2, bias=2.0, alpha=1e-4, beta=0.75)

    x, g = tf.constant(maps), tf.constant(weights)
    ours = functools.partial(LocalResponseNormalization(), training=True)
    return {"ours": tensorflow_pair(ours, x, g), "tf.nn": tensorflow_pair(native, x, g)}


def torch_sides(maps, weights):
    import torch

    return torch_pairs(torch.nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0), maps, weights)


def copying(maps):
    """Seconds of one read and one write of as many bytes as ``maps``, by all cores."""
    import tensorflow as tf

    x, add = tf.constant(maps), tf.function(lambda x: x + 1.0)
    return lambda: add(x)[0, 0, 0, 0].numpy() and None


def in_milliseconds(values):
    """The median of each side's seconds, as a note says it."""
    return ", ".join(f"{side} {sorted(each)[len(each) // 2] * 1e3:.1f} ms" for side, each in values.items())


def rows(args):
    peers, found = measure.start("torch"), []
    for name, shape in MAPS.items():
        random = np.random.default_rng(0)
        maps = random.normal(scale=30.0, size=(args.batch, *shape)).astype("float32")
        weights = random.normal(size=maps.shape).astype("float32")
        sides = {**tensorflow_sides(maps, weights), **(torch_sides(maps, weights) if peers else {})}
        copy = copying(maps)
        # Tensors read and written, at least: x and y; and for the gradient x, g and dx once more.
        for turn, (what, tensors) in enumerate((("forward", 2), ("forward and backward", 5))):
            chosen = {side: pair[turn] for side, pair in sides.items()}
            measure.alternate({**chosen, "copy": copy}, 1)
            values = measure.alternate({**chosen, "copy": copy}, args.rounds)
            moved = 2 * maps.nbytes / sorted(values.pop("copy"))[args.rounds // 2] / 1e9
            label = f"normalization of {name}'s maps, {what}"
            row = measure.row_of(label, values, unit="s")
            own = tensors * maps.nbytes / row.ours / 1e9
            note = f"{own:.1f} GB/s of at least {tensors} tensors, where a copy moves {moved:.1f} GB/s; "
            note += in_milliseconds(values)
            found.append(measure.dataclasses.replace(row, note=note))
    return found


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
