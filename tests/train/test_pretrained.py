"""Packaging of trained weights, from runs that are already there."""

import json
import shutil

import numpy as np
import pytest

from keras_classics import files, lenet
from train import pretrained


@pytest.fixture
def runs(run_folder, tmp_path):
    """Two seeds of each network; all with the history of one run, but for the accuracy."""
    history = json.loads((run_folder / "lenet5_history.json").read_text())
    for file, variant, activation, _ in pretrained.NETWORKS:
        for seed, accuracy in enumerate((0.99, 0.98)):
            folder = tmp_path / "runs" / f"{file}-{seed}"
            folder.mkdir(parents=True)
            history["test"]["accuracy"] = accuracy
            history["dataset"]["name"], history["recipe"]["seed"] = "mnist", seed
            history["network"] = {"relu": "LeNet-5 (relu)", "1998": "LeNet-5 (1998)"}.get(file[7:], "LeNet-5")
            if file == "lenet5_tanh":
                shutil.copy(run_folder / "lenet5.keras", folder)
            else:
                model = lenet.LeNet5(variant=variant, activation=activation, classifier_activation="softmax")
                model.save(folder / "lenet5.keras")
            history["model_sha256"] = files.digest(folder / "lenet5.keras")
            (folder / "lenet5_history.json").write_text(json.dumps(history))
    return tmp_path / "runs"


def test_weights_of_the_first_seed_are_kept_and_all_seeds_reported(runs, model, tmp_path):
    with pytest.raises(SystemExit) as done:
        pretrained.main(["--runs", str(runs), "--seeds", "2", "--out", str(tmp_path / "out")])
    assert done.value.code == 0
    rows = json.loads((tmp_path / "out" / "mnist.json").read_text())
    assert [row["accuracies"] for row in rows] == [[99.0, 98.0]] * 3
    assert [(row["mean"], row["spread"]) for row in rows] == [(98.5, 0.707)] * 3
    card = (tmp_path / "out" / "README.md").read_text()
    assert "98.50 ± 0.71 % | 99.00, 98.00 | `lenet5_tanh.weights.h5`" in card
    kept = lenet.LeNet5(weights=tmp_path / "out" / "lenet5_tanh.weights.h5")
    for ours, theirs in zip(kept.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    lenet.LeNet5(weights=tmp_path / "out" / "lenet5_1998.weights.h5", variant="1998")


def test_a_history_of_another_model_than_the_one_beside_it_is_refused(runs, tmp_path, capsys):
    """As a process leaves them that is killed between two renames."""
    shutil.copy(runs / "lenet5_relu-0" / "lenet5.keras", runs / "lenet5_tanh-0")
    with pytest.raises(SystemExit) as done:
        pretrained.main(["--runs", str(runs), "--seeds", "2", "--out", str(tmp_path / "out")])
    assert done.value.code == 2
    assert "lenet5_history.json is not of the model lenet5.keras beside it; remove both." in capsys.readouterr().err
