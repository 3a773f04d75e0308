"""Fine-tuning for small files, by tensorflow-model-optimization: pruning, weight clustering, quantization-aware training.

The three follow one another in this order, each keeping what came before: clusters keep the zeros of pruning, and
quantization-aware training keeps zeros and clusters. The network learns from training digits, distorted as in training,
what the network it started from says of them; the last step counts, nothing is selected, and the test split is not seen.
"""

import argparse
import contextlib
import dataclasses
import os
import time

import numpy as np

from keras_classics import cli
from keras_classics.errors import InputError
from keras_classics.runtime import quiet

_BATCH = 128
_PROOF_IMAGES = 16
_DISTILLED = 0.5  # share of the loss that follows the first network's probabilities; the rest follows the labels


@dataclasses.dataclass(frozen=True)
class Stage:
    """How long and how fast one of the three is trained; the rate falls from ``learning_rate`` to 0 along a half cosine."""

    images: int  # seen in all, before ``effort``
    learning_rate: float

    def steps(self, images=None):
        return max(1, (images or self.images) // _BATCH)


PRUNING = Stage(400_000, 1e-3)
CLUSTERING = Stage(200_000, 2e-4)
QUANTIZATION = Stage(200_000, 1e-4)
_PRUNED_BY = 0.6  # share of the steps of pruning after which the weights to be left out are all chosen
_PRUNINGS = 100  # times the schedule chooses anew


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
    """``--aware``, ``--prune``, ``--cluster`` and ``--fine-tune-images`` for a command that exports."""
    group = parser.add_argument_group("fine-tuning before conversion, by tensorflow-model-optimization")
    group.add_argument("--aware", choices=["qat"], metavar="qat", help="quantization-aware training (int8 only)")
    group.add_argument("--prune", type=_share, metavar="SHARE", help="share of the weights to leave out, such as 0.8")
    group.add_argument("--cluster", type=_clusters, metavar="N", help="different weights a layer may have, such as 16")
    group.add_argument(
        "--fine-tune-images",
        type=cli.positive_int,
        metavar="N",
        help=f"digits each of these shows (default: {PRUNING.images:,} pruning, {CLUSTERING.images:,} clustering, "
        f"{QUANTIZATION.images:,} quantization)",
    )


def fine_tune(model, preprocessing, dataset, *, qat=False, prune=None, cluster=None, seed=0, images=None, say=print):
    """``model`` pruned, clustered and made ready for 8 bits, as asked for.

    Args:
        model: a Keras 3 functional model, a chain of layers that ends in class probabilities.
        preprocessing: its ``Preprocessing``.
        dataset: a ``datasets.Dataset`` of ``uint8`` digits of the network's size; its training split is learnt from.
        qat: whether to train with the rounding of 8 bits.
        prune: share of the weights that become 0, in every layer but the first and the last; None leaves all.
        cluster: how many different weights each of these layers keeps; None leaves all.
        seed: of the order of the images, their distortions and the first centres of the clusters.
        images: how many each stage sees; None takes ``PRUNING``, ``CLUSTERING`` and ``QUANTIZATION``.
        say: called with lines on progress.

    Returns:
        A ``tf_keras`` model that takes preprocessed images; with ``qat`` its layers carry their rounding.

    Raises:
        InputError: a layer cannot be rebuilt, or quantization-aware training does not know it.
    """
    tfmot = _import_tfmot()
    from export import rebuild

    proof = preprocessing(dataset.validation.images[:_PROOF_IMAGES], "channels_last")
    network = rebuild.to_tf_keras(model, proof)
    teach = _teacher(model, preprocessing, dataset, seed, say)
    if prune is not None:
        network = _prune(tfmot, network, prune, teach, images)
    if cluster is not None:
        network = _cluster(tfmot, network, cluster, prune is not None, teach, images)
    if qat:
        network = _quantize(tfmot, network, prune is not None, cluster is not None, teach, images)
    return network


def _import_tfmot():
    """tensorflow-model-optimization, without what its import does to the rest of the process.

    It sets ``TF_USE_LEGACY_KERAS``, which would turn ``tf.keras`` into ``tf_keras`` here and in every child process.
    """
    import tensorflow as tf

    kept = os.environ.get("TF_USE_LEGACY_KERAS")
    tf.keras.layers  # noqa: B018 (looked up now, so that it stays Keras 3)
    try:
        import tensorflow_model_optimization as tfmot
    finally:
        os.environ.pop("TF_USE_LEGACY_KERAS", None)
        if kept is not None:
            os.environ["TF_USE_LEGACY_KERAS"] = kept
    return tfmot


def _teacher(model, preprocessing, dataset, seed, say):
    """``teach(network, name, stage, images, callbacks)``, which fits ``network`` to digits and their first answers."""
    import tensorflow as tf
    import tf_keras

    from keras_classics import pipeline
    from train.augment import AUGMENTATIONS

    size = model.input_shape[1]
    augmentation = AUGMENTATIONS["digits"]

    def prepare(pixels, draws):
        return preprocessing(augmentation.apply(pixels, draws, size), "channels_last")

    def answered(pictures, labels):
        known = tf.one_hot(labels, model.output_shape[-1])
        return pictures, _DISTILLED * model(pictures, training=False) + (1 - _DISTILLED) * known

    def teach(network, name, stage, images, callbacks=()):
        steps = stage.steps(images)
        batches = pipeline.training_batches(
            dataset.train,
            batch=_BATCH,
            replicas=1,
            seed=seed,
            first_step=0,
            prepare=prepare,
            draws=augmentation.draws,
            size=size,
        ).map(answered)
        rate = tf_keras.optimizers.schedules.CosineDecay(stage.learning_rate, steps)
        network.compile(tf_keras.optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
        began = time.monotonic()
        parts = min(5, steps)
        for part in range(parts):
            first, last = steps * part // parts, steps * (part + 1) // parts
            network.fit(
                batches, initial_epoch=part, epochs=part + 1, steps_per_epoch=last - first, verbose=0, callbacks=list(callbacks)
            )
            right = _accuracy(network, preprocessing, dataset.validation)
            say(f"{name}: step {last:,}/{steps:,}, validation {right:.2%}, {time.monotonic() - began:.0f} s")
    return teach


def _accuracy(network, preprocessing, split):
    outputs = network.predict(preprocessing(split.images, "channels_last"), batch_size=500, verbose=0)
    return float((outputs.argmax(axis=1) == split.labels).mean())


def _wrapped(network, wrap):
    """``network`` with ``wrap`` around its layers of weights, but for the first and the last, which hold few."""
    import tf_keras

    kinds = (tf_keras.layers.Conv2D, tf_keras.layers.Dense)
    names = [layer.name for layer in network.layers if isinstance(layer, kinds)][1:-1]
    return tf_keras.models.clone_model(network, None, lambda layer: wrap(layer) if layer.name in names else layer)


def _prune(tfmot, network, share, teach, images):
    sparsity = tfmot.sparsity.keras
    steps = PRUNING.steps(images)
    schedule = sparsity.PolynomialDecay(
        0.0, share, 0, max(1, int(steps * _PRUNED_BY)), frequency=max(1, steps // _PRUNINGS)
    )
    pruned = _wrapped(network, lambda layer: sparsity.prune_low_magnitude(layer, schedule))
    teach(pruned, f"Pruning to {share:.0%}", PRUNING, images, [sparsity.UpdatePruningStep()])
    return sparsity.strip_pruning(pruned)


def _cluster(tfmot, network, count, sparse, teach, images):
    clustering = tfmot.clustering.keras
    options = {
        "number_of_clusters": count,
        "cluster_centroids_init": clustering.CentroidInitialization.KMEANS_PLUS_PLUS,
        "preserve_sparsity": sparse,
    }
    clustered = _wrapped(network, lambda layer: clustering.experimental.cluster_weights(layer, **options))
    teach(clustered, f"Clustering to {count}", CLUSTERING, images)
    return clustering.strip_clustering(clustered)


def _quantize(tfmot, network, sparse, clustered, teach, images):
    combine = tfmot.experimental.combine
    if clustered:
        scheme = combine.Default8BitClusterPreserveQuantizeScheme(preserve_sparsity=sparse)
    elif sparse:
        scheme = combine.Default8BitPrunePreserveQuantizeScheme()
    else:
        scheme = combine.Default8BitQuantizeScheme() if hasattr(combine, "Default8BitQuantizeScheme") else None
    aware = tfmot.quantization.keras.quantize_apply(tfmot.quantization.keras.quantize_annotate_model(network), *([scheme] if scheme else []))
    teach(aware, "Quantization-aware", QUANTIZATION, images)
    return aware
