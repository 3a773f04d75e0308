"""What a model has to be before it is exported: a graph that devices can compute, and that computes what Keras does."""

import numpy as np

from export.convert.device_model import PLAIN, TINY, device_model
from export.convert.operations import Softmax
from export.convert.reading import read_steps
from keras_classics import averaging
from keras_classics.errors import InputError

_PROOF_IMAGES = 4
_TOLERANCE = 1e-3  # of the largest logit; float rounding stays far below


def check_layers(model):
    """Refuse a model that has no device graph, by the name of a layer, before anything is computed.

    Raises:
        InputError: it has a layer, or an option of a layer, that no step computes.
    """
    for member in averaging.members(model):
        read_steps(member)


def check_outputs(trained, reference):
    """Refuse a ``source.Source`` whose outputs are not probabilities: a device could not tell logits from them.

    Args:
        trained: the source.
        reference: what its model says of some images (``metrics.keras_reference``).

    Raises:
        InputError: the model does not end in a softmax (or in distances), or gives outputs that are no numbers.
    """
    if not all(isinstance(read_steps(member)[-1], Softmax) for member in averaging.members(trained.model)):
        raise InputError(
            f"{trained.origin} does not end in class probabilities; build it with classifier_activation='softmax'."
        )
    if not np.isfinite(reference.logits).all():
        raise InputError(f"{trained.origin} gives outputs that are no numbers; train it anew.")


def check_answers(trained, reference):
    """Refuse a model that computes something that its device graph does not, before anything is converted.

    Args:
        trained, reference: as ``check_outputs`` takes them; the first images are those of the test split.

    Raises:
        InputError: as ``check_outputs``; or the graph in float32 gives other answers than Keras.
    """
    check_outputs(trained, reference)
    images = trained.dataset.test.images[:_PROOF_IMAGES]
    expected = reference.logits[: len(images)]
    graph = device_model(trained.model, trained.preprocessing, "uint8", PLAIN, logits=True, batch=None)
    found = np.asarray(graph(images))
    found = found - found.mean(axis=1, keepdims=True)
    unclipped = reference.probabilities[: len(images)].min(axis=1) > TINY
    difference = np.abs(found - expected)[unclipped].max(initial=0)
    if not difference <= _TOLERANCE * max(1.0, np.abs(expected).max()):
        raise InputError(
            f"{trained.origin} has a layer that works otherwise than its kind: the logits of its device graph are "
            f"{difference:.2g} apart from its own."
        )
