"""Fine-tuning on the command line of ``export.tflite``: what is asked for, and what is done before conversion."""

import argparse
import contextlib
import dataclasses

from keras_classics import cli
from keras_classics.errors import InputError


def _share(text):
    with contextlib.suppress(ValueError):
        if 0 < float(text) < 1:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")


def _clusters(text):
    with contextlib.suppress(ValueError):
        if 2 <= int(text) <= 256:
            return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 2 to 256")


def add_arguments(parser):
    """``--aware``, ``--prune``, ``--cluster`` and ``--fine-tune-images``."""
    group = parser.add_argument_group("fine-tuning of LeNet-5 before conversion, by tensorflow-model-optimization")
    group.add_argument("--aware", choices=["qat"], metavar="qat", help="quantization-aware training, for --mode int8")
    group.add_argument("--prune", type=_share, metavar="SHARE", help="share of the weights that become 0, such as 0.8")
    group.add_argument("--cluster", type=_clusters, metavar="N", help="different weights a layer keeps, such as 16")
    group.add_argument(
        "--fine-tune-images",
        type=cli.positive_int,
        metavar="N",
        help="digits that each of them sees (default: 600,000 in pruning, 200,000 in clustering, 400,000 in "
        "quantization-aware training)",
    )


def check(request):
    """Refuse what does not go together in an ``arguments.ExportRequest``, before TensorFlow is imported.

    Raises:
        InputError: fine-tuning of AlexNet, or for a mode, a type of input or a report that it does not have.
    """
    tuning = request.fine_tuning
    if tuning.images and not tuning.requested:
        raise InputError(
            "a number of fine-tuning images goes with quantization-aware training, pruning or clustering.",
            settings=("fine_tune_images", "aware", "prune", "cluster"),
        )
    if tuning.requested:
        _check_network(request.named)
    if not tuning.qat:
        return
    if request.modes != ("int8",):
        raise InputError(
            f"quantization-aware training is for the mode int8, not {','.join(request.modes)}.",
            settings=("aware", "mode"),
        )
    if request.io == "float32":
        raise InputError("quantization-aware training takes pixels of 8 bits, uint8 or int8.", settings=("aware", "io"))
    if request.debug:
        raise InputError(
            "errors of layers are found by comparing with a float network; quantization-aware training has none.",
            settings=("debug", "aware"),
        )


def _check_network(network):
    if network == "alexnet":
        raise InputError(
            "quantization-aware training, pruning and clustering before conversion are for LeNet-5; AlexNet is pruned "
            "and clustered in training, by the recipe pruned of train.alexnet.",
            settings=("aware", "prune", "cluster"),
        )


def suffix(tuning):
    """What the names of the files say of an ``arguments.FineTuning``: ``_prune80_cluster16_qat``."""
    parts = [f"prune{100 * tuning.prune:g}".replace(".", "_")] if tuning.prune else []
    parts += [f"cluster{tuning.cluster}"] if tuning.cluster else []
    parts += ["qat"] if tuning.qat else []
    return "".join(f"_{part}" for part in parts)


def fine_tuned(trained, request):
    """The network after the fine-tuning that was requested.

    Args:
        trained: a ``source.Source``.
        request: an ``arguments.ExportRequest``: its ``fine_tuning`` and ``seed``.

    Returns:
        ``(trained, network, record)``: the source with the weights found, the ``tf_keras`` network to convert instead
        (``tfmot.convert``; None without ``--aware qat``), and what a report says of it. With nothing requested, the
        source as it was, None and None.

    Raises:
        InputError: the network has layers or activations that are not known to what was requested.
    """
    tuning = request.fine_tuning
    if not tuning.requested:
        return trained, None, None
    _check_network(trained.network)
    from export.finetune import tfmot

    steps = {"qat": tuning.qat, "prune": tuning.prune, "cluster": tuning.cluster}
    network = tfmot.fine_tune(
        trained.model,
        trained.preprocessing,
        trained.dataset,
        **steps,
        seed=request.seed,
        images=tuning.images,
        say=lambda line: print(line, flush=True),
    )
    test = trained.dataset.test
    record = {
        **steps,
        "images": tuning.images,
        "seed": request.seed,
        "keras_accuracy": tfmot.accuracy(network, trained.preprocessing, test),
        "layers": tfmot.weights_report(network),
    }
    print(f"Fine-tuned, in Keras: {record['keras_accuracy']:.2%} of {len(test):,} test images")
    for layer, (zeros, values) in record["layers"].items():
        print(f"  {layer}: {zeros:.1%} zeros, {values:,} different weights")
    if tuning.qat:
        return trained, network, record
    from export.finetune import tf_keras_bridge

    return dataclasses.replace(trained, model=tf_keras_bridge.to_keras(network, trained.model)), None, record
