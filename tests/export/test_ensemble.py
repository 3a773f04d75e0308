"""An ensemble is exported, judged and asked for answers like any other network."""

import json

import pytest

import keras_classics


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    path = tmp_path_factory.mktemp("ensemble") / "together.keras"
    pair = [keras_classics.LeNet5(weights="mnist", activation=name) for name in ("tanh", "relu")]
    keras_classics.ensemble(pair).save(path)
    return path


@pytest.mark.parametrize("mode", ["int8", "float32"])
def test_an_ensemble_passes_the_gate(together, mode, called, tmp_path):
    done = called("export.tflite", together, "--dataset", "embedded", "--mode", mode, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / f"together_{mode}.json").read_text())
    assert report["agreement"] > 0.99
    assert report["operators"].count("SOFTMAX") == 2
    done = called("export.verify", tmp_path / f"together_{mode}.tflite")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("module", "arguments"),
    [("export.tflite", ("--prune", "0.5", "--dataset", "embedded")), ("export.demo", ()), ("export.c", ())],
)
def test_what_takes_one_network_refuses_several_in_a_sentence(together, module, arguments, called, tmp_path):
    done = called(module, together, *arguments, "--out", tmp_path / "out")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()[-1]) < 300
