"""Fine-tuning for small files, by tensorflow-model-optimization: pruning, weight clustering, quantization-aware.

The three follow one another in this order, each keeping what came before: clustering keeps the zeros of pruning, and
quantization-aware training keeps zeros and clusters. The network learns, from distorted training digits, their labels
and what the network it started from says of them. The last step counts: nothing is selected, and the test split is
not seen.
"""

import contextlib
import dataclasses
import os
import sys
import time

import numpy as np

from keras_classics import runtime
from keras_classics.errors import InputError

_BATCH = 128
_PROOF_IMAGES = 16
_DISTILLED = 0.5  # share of the target that is the first network's answer (Hinton et al. 2015); the rest is the label
_QUANTIZED_ACTIVATIONS = ("linear", "relu", "sigmoid", "softmax", "tanh")
_REPORTS = 5  # lines on progress a stage


@dataclasses.dataclass(frozen=True)
class Stage:
    """One of the three: how much is seen; the rate falls from ``learning_rate`` to 0 along a half cosine."""

    text: str
    images: int
    learning_rate: float

    def steps(self, images=None):
        return max(1, (images or self.images) // _BATCH)


# Chosen by the validation digits of MNIST: of three for pruning and clustering, of eight for quantization.
PRUNING = Stage("Pruning", 600_000, 2e-3)
CLUSTERING = Stage("Clustering", 200_000, 5e-4)
QUANTIZATION = Stage("Quantization-aware training", 400_000, 3e-4)
_PRUNED_BY = 0.6  # share of the steps of pruning after which all weights to be left out are chosen
_PRUNINGS = 100  # times the polynomial schedule chooses anew


def fine_tune(model, preprocessing, dataset, *, qat=False, prune=None, cluster=None, seed=0, images=None, say=print):
    """``model`` pruned, clustered and trained for 8 bits, as requested.

    Args:
        model: a Keras 3 functional model, a chain of layers that ends in class probabilities.
        preprocessing: its ``Preprocessing``.
        dataset: a ``datasets.Dataset`` of ``uint8`` digits of the network's size; its training split is learnt from.
        qat: whether to train with the rounding of 8 bits.
        prune: share of the weights that become 0, in every layer but the first and the last; None leaves all.
        cluster: how many different weights each of these layers keeps; None leaves all.
        seed: of the order of the images, their distortions and the first centres of the clusters.
        images: how many each stage sees; None takes those of ``PRUNING``, ``CLUSTERING`` and ``QUANTIZATION``.
        say: called with lines on progress.

    Returns:
        A ``tf_keras`` model that takes preprocessed images; with ``qat`` its layers carry their rounding (``convert``),
        else it has the weights of ``model`` in their order (``tf_keras_bridge.to_keras``).

    Raises:
        InputError: a layer cannot be rebuilt, or quantization-aware training does not know it; or the network does not
            end in probabilities.
    """
    tfmot = import_tfmot()
    import tf_keras

    from export.finetune import tf_keras_bridge

    proof = preprocessing(dataset.validation.images[:_PROOF_IMAGES], "channels_last")
    network = tf_keras_bridge.to_tf_keras(model, proof)
    if not np.allclose(np.asarray(model(proof)).sum(axis=1), 1, atol=1e-3):
        raise InputError("the network does not end in class probabilities, which fine-tuning needs.")
    if qat:
        _annotated(tfmot, network)  # a layer that it does not know is refused before the others are trained
    tf_keras.utils.set_random_seed(seed)
    teach = _teacher(model, preprocessing, dataset, seed, say)
    if prune is not None:
        network = _prune(tfmot, network, prune, teach, images)
    if cluster is not None:
        network = _cluster(tfmot, network, cluster, prune is not None, teach, images)
    if qat:
        pixels = preprocessing(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1), "channels_last")
        network = _quantize(tfmot, network, prune is not None, cluster is not None, pixels.ravel(), teach, images)
    return network


def convert(network, dtype="uint8"):
    """The bytes of an int8 TFLite model of a ``network`` that quantization-aware training has finished.

    Input ``(1, height, width, 1)`` raw pixels: "uint8" (scale 1, zero point 0), or "int8", pixels less 128; output
    ``(1, classes)`` of the same type: probabilities of scale 1/256.
    """
    import tensorflow as tf
    import tf_keras

    from export.convert import quantize
    from export.convert.raw_pixels import with_raw_pixels
    from export.litert import flatbuffer

    pixels = tf_keras.Input(network.input_shape[1:], batch_size=1, name="pixels")
    converter = tf.lite.TFLiteConverter.from_keras_model(tf_keras.Model(pixels, network(pixels)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = getattr(tf, dtype)
    return flatbuffer.with_short_names(
        with_raw_pixels(quantize.run(converter.convert, needed=quantize.saved_bytes(network)))
    )


def weights_report(network):
    """Of each layer with a kernel: ``{layer: (share of zeros, different weights)}``."""
    kernels = {
        layer.name.removeprefix("quant_"): weight.numpy()
        for layer in network.layers
        for weight in layer.weights
        if weight.name.endswith("kernel:0")
    }
    return {name: (float((kernel == 0).mean()), len(np.unique(kernel))) for name, kernel in kernels.items()}


def import_tfmot():
    """tensorflow-model-optimization, without what its import does to the rest of the process.

    It sets ``TF_USE_LEGACY_KERAS``, which would turn ``tf.keras`` into ``tf_keras`` here and in every child process.

    Raises:
        InputError: Python leaves docstrings out, which ``tf_keras`` edits when it is imported.
    """
    if sys.flags.optimize > 1:
        raise InputError("fine-tuning needs Python with docstrings; run it without -OO or PYTHONOPTIMIZE=2.")
    import tensorflow as tf

    setting = os.environ.get("TF_USE_LEGACY_KERAS")
    _ = tf.keras.layers  # looked up now, so that it stays what it is
    try:
        with runtime.keras_defaults():
            import tensorflow_model_optimization as tfmot
    finally:
        os.environ.pop("TF_USE_LEGACY_KERAS", None)
        if setting is not None:
            os.environ["TF_USE_LEGACY_KERAS"] = setting
    return tfmot


def _teacher(model, preprocessing, dataset, seed, say):
    """``teach(network, stage, images, callbacks)``, which fits ``network`` to distorted training digits."""
    import tensorflow as tf
    import tf_keras

    from keras_classics.datasets import pipeline
    from keras_classics.datasets.augment import AUGMENTATIONS

    size, classes = model.input_shape[1], model.output_shape[-1]
    augmentation = AUGMENTATIONS["digits"]

    def prepare(pixels, draws):
        return preprocessing(augmentation.apply(pixels, draws, size), "channels_last")

    def answered(pictures, labels):
        target = _DISTILLED * model(pictures, training=False) + (1 - _DISTILLED) * tf.one_hot(labels, classes)
        return pictures, target

    def batches(first_step):
        return pipeline.training_batches(
            dataset.train,
            **{"batch": _BATCH, "replicas": 1, "seed": seed, "first_step": first_step, "size": size},
            prepare=prepare,
            draws=augmentation.draws,
        ).map(answered)

    def teach(network, stage, images, callbacks=()):
        steps, began = stage.steps(images), time.monotonic()
        rate = tf_keras.optimizers.schedules.CosineDecay(stage.learning_rate, steps)
        network.compile(tf_keras.optimizers.Adam(rate), "categorical_crossentropy")
        done = 0
        for end in sorted({-(-steps * part // _REPORTS) for part in range(1, _REPORTS + 1)}):
            with _without_tensorflow_messages():
                network.fit(batches(done), steps_per_epoch=end - done, epochs=1, verbose=0, callbacks=list(callbacks))
            done = end
            right, seconds = accuracy(network, preprocessing, dataset.validation), time.monotonic() - began
            say(f"{stage.text}: step {done:,}/{steps:,}, validation {right:.2%}, {seconds:.0f} s")

    return teach


@contextlib.contextmanager
def _without_tensorflow_messages():
    """Without a warning a step that clustered layers learn centres instead of their kernels."""
    import tensorflow as tf

    level = tf.get_logger().level
    tf.get_logger().setLevel("ERROR")
    try:
        yield
    finally:
        tf.get_logger().setLevel(level)


def accuracy(network, preprocessing, split):
    """Share of a split's ``uint8`` images that the ``tf_keras`` network gets right."""
    outputs = network.predict(preprocessing(split.images, "channels_last"), batch_size=500, verbose=0)
    return float((outputs.argmax(axis=1) == split.labels).mean())


def _inner(network):
    """Names of the layers that are pruned and clustered: not the first and the last of those with weights."""
    import tf_keras

    kinds = (tf_keras.layers.Conv2D, tf_keras.layers.Dense)
    return [layer.name for layer in [each for each in network.layers if each.weights][1:-1] if isinstance(layer, kinds)]


def _wrapped(network, wrap):
    """``network`` with ``wrap`` around its inner layers."""
    import tf_keras

    names = _inner(network)
    return tf_keras.models.clone_model(network, None, lambda layer: wrap(layer) if layer.name in names else layer)


def _prune(tfmot, network, share, teach, images):
    sparsity, steps = tfmot.sparsity.keras, PRUNING.steps(images)
    schedule = sparsity.PolynomialDecay(
        0.0, share, 0, max(1, int(steps * _PRUNED_BY)), frequency=max(1, steps // _PRUNINGS)
    )
    pruned = _wrapped(network, lambda layer: sparsity.prune_low_magnitude(layer, schedule))
    teach(pruned, PRUNING, images, [sparsity.UpdatePruningStep()])
    return sparsity.strip_pruning(pruned)


def _cluster(tfmot, network, count, sparse, teach, images):
    # Only here does it take ``preserve_sparsity``; the module has no shorter public name.
    from tensorflow_model_optimization.python.core.clustering.keras.experimental.cluster import cluster_weights

    clustering = tfmot.clustering.keras
    options = {
        "number_of_clusters": count,
        "cluster_centroids_init": clustering.CentroidInitialization.KMEANS_PLUS_PLUS,
        "preserve_sparsity": sparse,
    }
    clustered = _wrapped(network, lambda layer: cluster_weights(layer, **options))
    teach(clustered, CLUSTERING, images)
    return clustering.strip_clustering(clustered)


def _annotated(tfmot, network):
    """``network`` marked for quantization.

    Raises:
        InputError: it has layers of this package, or activations, that cannot be trained with the rounding of int8.
    """
    from export.finetune.tf_keras_bridge import Twin

    for layer in network.layers:
        name = getattr(getattr(layer, "activation", None), "__name__", "linear")
        what = None
        if isinstance(layer, Twin):
            what = f"is a {type(layer.original()).__name__}"
        elif name not in _QUANTIZED_ACTIVATIONS:
            what = f"has the activation {name}"
        if what:
            raise InputError(f"layer {layer.name} {what}, which quantization-aware training does not know.")
    return tfmot.quantization.keras.quantize_annotate_model(network)


def _quantize(tfmot, network, sparse, clustered, pixel_range, teach, images):
    from export.finetune import quantize_scheme

    scheme = quantize_scheme.Scheme(_inner(network), clustered=clustered, sparse=sparse)
    aware = tfmot.quantization.keras.quantize_apply(_annotated(tfmot, network), scheme)
    first = next(layer for layer in aware.layers if type(layer).__name__ == "QuantizeLayer")
    for variable in first.weights:
        # The range of all pixels, so that the 256 steps of the input are the raw pixels.
        if variable.name.endswith(("_min:0", "_max:0")):
            variable.assign(pixel_range[0 if variable.name.endswith("_min:0") else 1])
    teach(aware, QUANTIZATION, images)
    return tfmot.experimental.combine.strip_clustering_cqat(aware) if clustered else aware
