"""The comparison of exported models: sides that compute the same, alone where no peer is installed."""

import json

import numpy as np
import pytest

from benchmarks import device, measure, rewrites


def printed(capsys, *arguments, module=device):
    with pytest.raises(SystemExit) as end:
        module.main(["--json", "--rounds", "2", "--only", "lenet5", *arguments])
    assert end.value.code == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]


@pytest.mark.needs_extras("onnx", "onnxruntime", "torch")
def test_lenet5_is_measured_beside_every_peer(monkeypatch, capsys):
    monkeypatch.setattr(device, "_ROUND_SECONDS", 0.02)
    rows = printed(capsys)
    assert len(rows) == 4
    for row, against in zip(rows, ["ONNX Runtime", "PyTorch", "ONNX Runtime", "our float32"], strict=True):
        assert row["against"].startswith(against)
        assert row["ours"] > 0
        assert row["unit"] == "µs"


def test_without_peers_our_side_is_measured_alone(monkeypatch, capsys):
    monkeypatch.setattr(device, "_ROUND_SECONDS", 0.02)
    monkeypatch.setattr(measure, "has", lambda library: False)
    rows = printed(capsys)
    assert [row["peer"] is None for row in rows] == [True, True, False]


def test_sides_that_compute_something_else_are_not_compared():
    sides = {"LiteRT": lambda: np.zeros((1, 10)), "another": lambda: np.full((1, 10), 0.01)}
    with pytest.raises(RuntimeError, match=r"differ by 0\.01"):
        device.check_alike(sides)


def test_every_rewrite_of_lenet5_is_measured_with_it_and_without(monkeypatch, capsys):
    monkeypatch.setattr(device, "_ROUND_SECONDS", 0.02)
    rows = printed(capsys, module=rewrites)
    assert len(rows) == 5
    assert all(row["against"] == "without" and row["ratio"] > 0 for row in rows)
