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


def asked_for(args):
    return bool(args.aware or args.prune or args.cluster)


def check(args):
    """Refuse arguments that do not go together, before TensorFlow is imported.

    Raises:
        InputError: so it is.
    """
    if args.fine_tune_images and not asked_for(args):
        raise InputError("--fine-tune-images is for --aware qat, --prune or --cluster.")
    if asked_for(args):
        _check_network(args.network)
    if not args.aware:
        return
    if args.mode != ("int8",):
        raise InputError(f"--aware qat is for --mode int8, not {','.join(args.mode)}.")
    if args.io == "float32":
        raise InputError("--aware qat takes pixels of 8 bits: --io uint8 or int8.")
    if args.debug:
        raise InputError("--debug compares with a float network; --aware qat has none.")


def _check_network(network):
    if network == "alexnet":
        raise InputError("--aware, --prune and --cluster are for LeNet-5; there is no recipe for AlexNet.")


def suffix(args):
    """What the names of the files say of it: ``_prune80_cluster16_qat``."""
    parts = [f"prune{100 * args.prune:g}".replace(".", "_")] if args.prune else []
    parts += [f"cluster{args.cluster}"] if args.cluster else []
    parts += ["qat"] if args.aware else []
    return "".join(f"_{part}" for part in parts)


def fine_tuned(trained, args):
    """The network after what was asked for.

    Args:
        trained: a ``source.Source``.
        args: of a parser with ``add_arguments``.

    Returns:
        ``(trained, network, record)``: the source with the weights found, the ``tf_keras`` network to convert instead
        (``tfmot.convert``; None without ``--aware qat``), and what a report says of it. With nothing asked for, the
        source as it was, None and None.

    Raises:
        InputError: the network has layers or activations that are not known to what was asked for.
    """
    if not asked_for(args):
        return trained, None, None
    _check_network(trained.network)
    from export.finetune import tfmot

    steps = {"qat": bool(args.aware), "prune": args.prune, "cluster": args.cluster}
    network = tfmot.fine_tune(
        trained.model,
        trained.preprocessing,
        trained.dataset,
        **steps,
        seed=args.seed,
        images=args.fine_tune_images,
        say=lambda line: print(line, flush=True),
    )
    test = trained.dataset.test
    record = {
        **steps,
        "images": args.fine_tune_images,
        "seed": args.seed,
        "keras_accuracy": tfmot.accuracy(network, trained.preprocessing, test),
        "layers": tfmot.weights_report(network),
    }
    print(f"Fine-tuned, in Keras: {record['keras_accuracy']:.2%} of {len(test):,} test images")
    for layer, (zeros, values) in record["layers"].items():
        print(f"  {layer}: {zeros:.1%} zeros, {values:,} different weights")
    if args.aware:
        return trained, network, record
    from export.finetune import tf_keras_bridge

    return dataclasses.replace(trained, model=tf_keras_bridge.to_keras(network, trained.model)), None, record
