"""``python -m benchmarks.fidelity``: the same weights and inputs through our networks and other libraries'.

Writes ``docs/fidelity.md``. The same comparisons are tests (``tests/peers``).
"""

import dataclasses
import importlib.metadata
import importlib.util
import pathlib
import platform
from functools import partial

from benchmarks import fidelity_errors as errors
from keras_classics import cli, files

PROG = "python -m benchmarks.fidelity"
PEERS = ("torch", "onnx", "onnxruntime")  # the extra `peers`
_TARGET = pathlib.Path("docs/fidelity.md")


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One computation of ours against a peer's."""

    what: str
    peer: str
    quantity: str  # what is compared
    bound: float  # on the error
    error: object  # () -> the largest difference found
    relative: bool = True  # to the largest value of the peer's; else absolute


def comparisons():
    """All ``Comparison``s, in the order of the table."""
    return [
        Comparison("LeNet-5, tanh", "PyTorch", "logits", 1e-4, partial(errors.lenet_logits, "tanh")),
        Comparison("LeNet-5, relu", "PyTorch", "logits", 1e-4, partial(errors.lenet_logits, "relu")),
        *(
            Comparison(f"AlexNet, {variant}", "PyTorch", "logits", 1e-4, partial(errors.alexnet_logits, variant))
            for variant in ("paper", "torchvision", "cifar10")
        ),
        Comparison("AlexNet, caffe", "ONNX Runtime", "logits", 1e-4, errors.caffe_logits),
        *(
            Comparison(
                f"normalization, {form}", peer, quantity, 1e-5, partial(errors.normalization, form, peer, quantity)
            )
            for form in ("fused", "native", "window", "banded")
            for peer, quantity in (
                ("PyTorch", "output"),
                ("PyTorch", "gradient"),
                ("tf.nn", "output"),
                ("ONNX Runtime", "output"),
            )
        ),
        *(
            Comparison(f"two towers, {form}", "PyTorch", quantity, 1e-5, partial(errors.towers, form, quantity))
            for form in ("as two convolutions", "as one grouped")
            for quantity in ("output", "gradient")
        ),
        Comparison("LeNet-5, 20 steps of SGD", "PyTorch", "loss", 1e-3, errors.lenet_steps, relative=False),
        Comparison("AlexNet, paper, 20 steps of SGD", "PyTorch", "loss", 1e-3, errors.alexnet_steps, relative=False),
    ]


def report(rows):
    """``docs/fidelity.md`` from pairs of a ``Comparison`` and the error found."""
    table = "\n".join(
        f"| {row.what} | {row.peer} | {row.quantity} | {error:.1e}{'' if row.relative else ' absolute'} "
        f"| {row.bound:.0e} |"
        for row, error in rows
    )
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("tensorflow", "keras", *PEERS))
    return _REPORT.format(table=table, versions=versions, python=platform.python_version(), machine=platform.machine())


_REPORT = """\
# Fidelity: the same weights and inputs in other libraries

Written by `python -m benchmarks.fidelity` (needs `pip install 'keras-classics[peers]'`); the comparisons are tests
too (`tests/peers`). The peers' networks are written from their own descriptions (`benchmarks/peers.py`). Weights are
random, and go to ours through the importers of `.pth` and `.onnx` files. An error is the largest difference of any
value, relative to the largest value of the peer's unless it says absolute; all in float32 on a CPU.

| what | peer | compared | error | bound |
| --- | --- | --- | ---: | ---: |
{table}

With {versions}, Python {python}, {machine}.
"""


def parser():
    parser = cli.Parser(prog=PROG, description="Compare our networks with PyTorch's, ONNX Runtime's and tf.nn's.")
    parser.add_argument("--out", default=str(_TARGET), metavar="FILE", help="the report (default: %(default)s)")
    return parser


def compare(args):
    """Run all comparisons and write the report; 1 where one is out of bounds."""
    from keras_classics import torch_first
    from keras_classics.errors import InputError
    from keras_classics.runtime import start_tensorflow

    missing = [name for name in PEERS if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"not installed: {', '.join(missing)}; pip install 'keras-classics[peers]'.")
    target = pathlib.Path(args.out)
    files.output_folder(target.parent)
    files.check_targets(target)
    torch_first.load()
    start_tensorflow()
    rows = []
    for row in comparisons():
        rows.append((row, row.error()))
        verdict = "" if rows[-1][1] <= row.bound else "  OUT OF BOUNDS"
        print(f"{row.what}, {row.peer}, {row.quantity}: {rows[-1][1]:.1e} of {row.bound:.0e}{verdict}", flush=True)
    with files.whole_file(target) as partial:
        partial.write_text(report(rows), encoding="utf-8")
    print(f"Wrote {target}")
    return 0 if all(error <= row.bound for row, error in rows) else 1


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: compare(args), PROG)


if __name__ == "__main__":
    main()
