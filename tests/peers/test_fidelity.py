"""Our networks and layers against those of PyTorch, ONNX Runtime and ``tf.nn``: same weights, same inputs."""

import pytest

from benchmarks import fidelity

pytestmark = pytest.mark.needs_extras(*fidelity.PEERS)


@pytest.mark.parametrize("row", fidelity.comparisons(), ids=lambda row: f"{row.what}, {row.peer}, {row.quantity}")
def test_error_is_within_its_bound(row):
    assert row.error() <= row.bound


def test_a_wrong_network_would_be_noticed(monkeypatch):
    """Caffe's normalization in place of the paper's, the commonest mistake, is far out of bounds."""
    from benchmarks import peers

    right = peers.nn.LocalResponseNorm
    monkeypatch.setattr(peers.nn, "LocalResponseNorm", lambda size, alpha, **others: right(size, alpha / 5, **others))
    row = next(row for row in fidelity.comparisons() if row.what == "AlexNet, paper")
    assert row.error() > 10 * row.bound
