"""What is measured of an exported model: size, answers beside those of Keras, operators, speed."""

import dataclasses
import gzip
import statistics
import time

import numpy as np

from export.litert import flatbuffer
from export.litert.classifier import Classifier, as_input, logits
from keras_classics.shares import interval

THREADS = (1, 2)
UNLABELLED = -1  # label of a picture without a known class
_BATCH = 250
_SLACK = 0.01  # by which probabilities of a quantized softmax may be outside 0 to 1
_LOGIT_IMAGES = 500  # logits are compared on the first so many images
_ROUNDS = 5
_ROUND_SECONDS = 0.1


@dataclasses.dataclass(frozen=True)
class Reference:
    """What Keras says of ``n`` images: ``logits`` and ``probabilities``, ``float32 (n, classes)``.

    Logits are centred, each row's mean taken away: a softmax takes no notice of it, and networks of 1998 have none.
    """

    logits: np.ndarray
    probabilities: np.ndarray


def keras_reference(model, preprocessing, images):
    """What ``model`` says of raw ``uint8`` images, whether it ends in a softmax, in logits, or in distances (1998)."""
    import keras

    from export.convert import activations
    from keras_classics import averaging
    from keras_classics.layers import EuclideanRBF

    last = model.layers[-1]
    softmax = activations.of_layer(last) is activations.SOFTMAX
    before = keras.Model(model.input, last.input) if softmax else model
    parts = np.array_split(images, max(1, -(-len(images) // _BATCH)))
    values = np.concatenate([before.predict_on_batch(preprocessing(part, "channels_last")) for part in parts])
    of_dense = activations.known(getattr(last, "activation", None)) is activations.SOFTMAX and not softmax
    if of_dense or len(averaging.members(model)) > 1:
        return Reference(centred(np.log(np.maximum(values, np.finfo(np.float32).tiny))), values)
    if isinstance(last, EuclideanRBF):
        values = -values
    return Reference(centred(values), _softmax(values))


def centred(values):
    return values - values.mean(axis=1, keepdims=True)


def measure(tflite, path, split, reference=None, *, timed=True):
    """Every figure of an exported model that the gate and the reports need.

    Args:
        tflite: its bytes.
        path: where it is going to be, for messages.
        split: images and labels to judge by; pictures without labels are ``UNLABELLED``.
        reference: what Keras says of them (``keras_reference``); None leaves comparisons out.
        timed: whether to measure latency too.

    Returns:
        A dict: ``size_bytes``, ``gzip_bytes``; ``test_images``; ``probabilities``, whether outputs are some;
        ``accuracy`` (0–1) and its 95 % ``interval_95`` (Wilson); of a comparison ``keras_accuracy``, ``drop``
        (percentage points), ``agreement`` (share of images with the same most probable class),
        ``largest_probability_difference``, and on ``logit_images`` images ``largest_logit_difference``,
        ``rms_logit_difference`` and ``logit_spread`` (root mean square of Keras' own); ``operators`` in order;
        ``delegate_partitions``; ``latency_us`` for each number of threads, one image, median; ``input`` and ``output``
        as LiteRT has them. What is unknown is None.
    """
    classifier = Classifier(tflite, path)
    ours = classifier.probabilities(split.images)
    return {
        "size_bytes": len(tflite),
        "gzip_bytes": len(gzip.compress(tflite, 9, mtime=0)),
        "test_images": len(split),
        **answers(ours, split, reference),
        **_logit_differences(tflite, path, split, reference),
        "operators": flatbuffer.operators(tflite),
        "delegate_partitions": classifier.delegate_partitions(),
        "latency_us": latency(tflite, path, split.images[0]) if timed else None,
        "input": _tensor(classifier.input),
        "output": _tensor(classifier.output),
    }


def answers(probabilities, split, reference):
    """Accuracy and agreement of any form of a model, from its ``probabilities (n, classes)`` for ``split``."""
    chosen = probabilities.argmax(axis=1)
    within = bool(np.all((probabilities >= -_SLACK) & (probabilities <= 1 + _SLACK)))  # False for what is no number
    labelled = bool((split.labels != UNLABELLED).all())
    right = int((chosen == split.labels).sum())
    found = {
        "probabilities": within,
        "accuracy": right / len(split) if labelled else None,
        "interval_95": list(interval(right, len(split))) if labelled else None,
        **dict.fromkeys(("keras_accuracy", "drop", "agreement", "largest_probability_difference")),
    }
    if reference is None:
        return found
    expected = reference.probabilities.argmax(axis=1)
    found["agreement"] = float((chosen == expected).mean())
    found["largest_probability_difference"] = float(np.abs(probabilities - reference.probabilities).max())
    if labelled:
        found["keras_accuracy"] = float((expected == split.labels).mean())
        found["drop"] = round(100 * (found["keras_accuracy"] - found["accuracy"]), 6)
    return found


def _logit_differences(tflite, path, split, reference):
    names = ("logit_images", "largest_logit_difference", "rms_logit_difference", "logit_spread")
    ours = reference and logits(tflite, path, split.images[:_LOGIT_IMAGES])
    if ours is None:
        return dict.fromkeys(names)
    theirs = reference.logits[:_LOGIT_IMAGES]
    differences = np.abs(centred(ours) - theirs)
    return dict(zip(names, (len(ours), float(differences.max()), _rms(differences), _rms(theirs)), strict=True))


def latency(tflite, path, image):
    """Microseconds for one image, pixels in to probabilities out: ``{threads: median of five rounds}``."""
    found = {}
    for threads in THREADS:
        classifier = Classifier(tflite, path, threads)
        pixels = as_input(image[None], classifier.dtype)
        found[str(threads)] = 1e6 * statistics.median(seconds_a_call(lambda: classifier.run(pixels), _ROUNDS))  # noqa: B023
    return found


def seconds_a_call(call, rounds, round_seconds=_ROUND_SECONDS):
    """Seconds a ``call()`` takes, in each of ``rounds`` rounds of ``round_seconds``; warm-up does not count."""
    start = time.perf_counter()
    call()
    calls = max(1, int(round_seconds / (time.perf_counter() - start)))
    for _ in range(calls // 2):
        call()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        seconds.append((time.perf_counter() - start) / calls)
    return seconds


def _rms(values):
    return float(np.sqrt(np.square(values, dtype=np.float64).mean()))


def _softmax(values):
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _tensor(details):
    scale, zero_point = details["quantization"]
    return {
        "shape": [int(side) for side in details["shape"]],
        "dtype": np.dtype(details["dtype"]).name,
        "scale": scale or None,
        "zero_point": zero_point if scale else None,
    }
