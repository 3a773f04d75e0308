"""What losses say of outputs that can be reckoned by hand."""

import numpy as np
import pytest

from train.engine.losses import LOSSES

LOGITS = np.array([[2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [9.0, 0.0, 0.0, 0.0]], np.float32)


def of_images(name, labels, smoothing=0.0):
    return np.asarray(LOSSES[name].of_images(np.array(labels), LOGITS, smoothing))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_or_none_is_cross_entropy_for_images_of_a_class(smoothing):
    np.testing.assert_allclose(
        of_images("cross_entropy_or_none", [0, 3, 1], smoothing), of_images("cross_entropy", [0, 3, 1], smoothing), 1e-5
    )


def test_an_image_of_no_class_wants_all_classes_equally_probable():
    """Cross-entropy to the even distribution: least, log 4, where the outputs are equal; more the surer they are."""
    found = of_images("cross_entropy_or_none", [4, 4, 4])
    log_softmax = LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found, -log_softmax.mean(axis=1), 1e-5)
    assert found[1] == pytest.approx(np.log(4), abs=1e-5)
    assert found[1] < found[0] < found[2]
