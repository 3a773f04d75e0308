"""Packaging of trained weights, from runs that are already there."""

import json
import shutil

import numpy as np
import pytest

from keras_classics import files, lenet
from train import pretrained


@pytest.fixture
def runs(run_folder, tmp_path):
    """Two seeds of each network, and of those that learn from them; all with one history, but for the accuracy."""
    history = json.loads((run_folder / "lenet5_history.json").read_text())
    history["dataset"]["name"] = "mnist"

    def put(name, seed, accuracy, model, network, **more):
        folder = tmp_path / "runs" / f"{name}-{seed}"
        folder.mkdir(parents=True)
        shutil.copy(model, folder / "lenet5.keras")
        recipe = {**history["recipe"], "seed": seed}
        record = {**history, "test": {**history["test"], "accuracy": accuracy}, "recipe": recipe, "network": network}
        record["model_sha256"] = files.digest(folder / "lenet5.keras")
        (folder / "lenet5_history.json").write_text(json.dumps({**record, **more}))
        return {"file": str(folder / "lenet5.keras"), "sha256": record["model_sha256"]}

    found = {}
    for file, variant, activation, *_ in pretrained.NETWORKS:
        network = {"relu": "LeNet-5 (relu)", "1998": "LeNet-5 (1998)"}.get(file[7:], "LeNet-5")
        model = run_folder / "lenet5.keras"
        if file != "lenet5_tanh":
            model = tmp_path / f"{file}.keras"
            lenet.LeNet5(variant=variant, activation=activation, classifier_activation="softmax").save(model)
        found[file] = model, network
    alone = {file: [put(file, seed, 0.97 - seed / 100, *model) for seed in range(2)] for file, model in found.items()}
    for file, _, _, again, _ in pretrained.NETWORKS:
        for seed in range(2 * again):
            put(f"{file}-distilled", seed, 0.99 - seed / 100, *found[file], distil=alone["lenet5_relu"])
    return tmp_path / "runs"


def test_weights_of_the_first_seed_are_kept_and_all_seeds_reported(runs, model, tmp_path):
    with pytest.raises(SystemExit) as done:
        pretrained.main(["--runs", str(runs), "--seeds", "2", "--out", str(tmp_path / "out")])
    assert done.value.code == 0
    rows = json.loads((tmp_path / "out" / "mnist.json").read_text())
    assert [row["accuracies"] for row in rows] == [[99.0, 98.0], [99.0, 98.0], [97.0, 96.0]]
    assert [(row["mean"], row["spread"]) for row in rows] == [(98.5, 0.707), (98.5, 0.707), (96.5, 0.707)]
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| 96.50 ± 0.71 % | **98.50 ± 0.71 %** | 99.00, 98.00 | `lenet5_tanh.weights.h5`" in card
    assert "| 96.50 ± 0.71 % | **96.50 ± 0.71 %** | 97.00, 96.00 | `lenet5_1998.weights.h5`" in card
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


def test_a_run_that_learnt_from_other_networks_is_refused(runs, tmp_path, capsys):
    path = runs / "lenet5_relu-distilled-1" / "lenet5_history.json"
    record = json.loads(path.read_text())
    record["distil"] = record["distil"][:1]
    path.write_text(json.dumps(record))
    with pytest.raises(SystemExit) as done:
        pretrained.main(["--runs", str(runs), "--seeds", "2", "--out", str(tmp_path / "out")])
    assert done.value.code == 2
    assert "lenet5_relu-distilled-1 does not hold a run of" in capsys.readouterr().err
