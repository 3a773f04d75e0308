"""Packaging of trained weights, from runs that are already there."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from keras_classics import alexnet, files, lenet
from train import pretrained, pretrained_pictures, recipes


@pytest.fixture
def runs(run_folder, tmp_path):
    """Two teachers, and two seeds of each network; all with the history of one run, but for the accuracy."""
    history = json.loads((run_folder / "lenet5_history.json").read_text())
    history["dataset"]["name"], history["network"] = "mnist", "teacher"
    taught_by = []
    for seed in range(2):
        folder = tmp_path / "runs" / f"teacher-{seed}"
        folder.mkdir(parents=True)
        (folder / "teacher.keras").write_bytes(bytes([seed]))
        history["model_sha256"] = files.digest(folder / "teacher.keras")
        taught_by.append({"sha256": history["model_sha256"]})
        history["recipe"] = dataclasses.asdict(dataclasses.replace(recipes.TEACHER, seed=seed))
        (folder / "teacher_history.json").write_text(json.dumps(history))
    for network in pretrained.NETWORKS.values():
        file, variant, activation = network.file, network.variant, network.activation
        history["distil"] = taught_by if network.recipe == "distilled" else []
        for seed, accuracy in enumerate((0.99, 0.98)):
            folder = tmp_path / "runs" / f"{file}-{seed}"
            folder.mkdir(parents=True)
            history["test"]["accuracy"] = accuracy
            history["recipe"] = dataclasses.asdict(dataclasses.replace(recipes.LENET5[network.recipe], seed=seed))
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


def test_one_network_can_be_made_anew_and_the_others_stay(runs, tmp_path, called):
    given = ("--runs", runs, "--out", tmp_path / "out")
    called("train.pretrained", *given, "--seeds", 2)
    before = json.loads((tmp_path / "out" / "mnist.json").read_text())
    shutil.rmtree(runs / "lenet5_tanh-0")
    done = called("train.pretrained", *given, "--seeds", 1, "--network", "lenet5_1998")
    assert done.returncode == 0, done.stderr
    assert "Wrote lenet5_1998.weights.h5, mnist.json" in done.stdout
    after = json.loads((tmp_path / "out" / "mnist.json").read_text())
    assert after[:2] == before[:2]
    assert after[2]["accuracies"] == [99.0]
    card = (tmp_path / "out" / "README.md").read_text()
    assert "Recipe `distilled`" in card and "Recipe `best`" in card
    (tmp_path / "out" / "mnist.json").write_text('[{"file": 1}]')
    done = called("train.pretrained", *given, "--network", "lenet5_1998")
    assert (done.returncode, "is not what this command writes" in done.stderr) == (2, True)


def test_runs_of_another_recipe_are_not_packaged(runs, tmp_path, capsys):
    path = runs / "lenet5_1998-1" / "lenet5_history.json"
    history = json.loads(path.read_text())
    history["recipe"]["learning_rate"] *= 2
    path.write_text(json.dumps(history))
    with pytest.raises(SystemExit) as done:
        pretrained.main(["--runs", str(runs), "--seeds", "2", "--out", str(tmp_path / "out")])
    assert done.value.code == 2
    assert "lenet5_1998-1 does not hold what python -m train.lenet" in capsys.readouterr().err


def test_a_history_of_another_model_than_the_one_beside_it_is_refused(runs, tmp_path, capsys):
    """As a process leaves them that is killed between two renames."""
    shutil.copy(runs / "lenet5_relu-0" / "lenet5.keras", runs / "lenet5_tanh-0")
    with pytest.raises(SystemExit) as done:
        pretrained.main(["--runs", str(runs), "--seeds", "2", "--out", str(tmp_path / "out")])
    assert done.value.code == 2
    assert "lenet5_history.json is not of the model lenet5.keras beside it; remove both." in capsys.readouterr().err


def test_networks_that_learnt_from_others_are_not_packaged(runs, tmp_path, capsys):
    history = json.loads((runs / "teacher-1" / "teacher_history.json").read_text())
    (runs / "teacher-1" / "teacher.keras").write_bytes(b"another")
    history["model_sha256"] = files.digest(runs / "teacher-1" / "teacher.keras")
    (runs / "teacher-1" / "teacher_history.json").write_text(json.dumps(history))
    with pytest.raises(SystemExit) as done:
        pretrained.main(["--runs", str(runs), "--seeds", "2", "--out", str(tmp_path / "out")])
    assert done.value.code == 2
    assert "lenet5_tanh-0 does not hold what python -m train.lenet" in capsys.readouterr().err


@pytest.fixture
def picture_runs(run_folder, tmp_path):
    """A run of AlexNet on CIFAR-10 and one that pruned it, of random weights, nine tenths of them 0."""
    history = json.loads((run_folder / "lenet5_history.json").read_text())
    history["network"] = f"AlexNet ({pretrained_pictures.VARIANT})"
    history["dataset"]["name"] = "cifar10"
    model = alexnet.AlexNet(variant=pretrained_pictures.VARIANT)
    for layer in model.layers:
        if layer.weights and layer.name != "conv1":
            values = np.random.default_rng(0).integers(-9, 2, layer.weights[0].shape)
            layer.weights[0].assign(np.maximum(values, 0))
    for name, accuracy, dense in (("alexnet", 0.9, 0.0), ("alexnet_pruned", 0.89, 0.98)):
        folder = tmp_path / "runs" / f"{name}-0"
        folder.mkdir(parents=True)
        model.save(folder / "alexnet.keras")
        history["test"]["accuracy"] = accuracy
        history["recipe"] |= {"seed": 0, "prune_dense": dense, "clusters": 32 if dense else 0}
        history["model_sha256"] = files.digest(folder / "alexnet.keras")
        (folder / "alexnet_history.json").write_text(json.dumps(history))
    return tmp_path / "runs", model


def test_alexnets_weights_are_packaged_small_and_unchanged(picture_runs, tmp_path, capsys):
    runs, model = picture_runs
    with pytest.raises(SystemExit) as done:
        pretrained.main(["cifar10", "--runs", str(runs), "--out", str(tmp_path / "out")])
    assert done.value.code == 0, capsys.readouterr().err
    (row,) = json.loads((tmp_path / "out" / "cifar10.json").read_text())
    file = tmp_path / "out" / row["file"]
    assert (row["accuracies"], row["before_pruning"]) == ([89.0], [90.0])
    assert row["sha256"] == files.digest(file)
    assert file.stat().st_size < 30_000_000 / 5
    card = (tmp_path / "out" / "CIFAR10.md").read_text()
    assert "| 89.00 % | 90.00 % | 89.00 | `alexnet_cifar10.weights.h5`" in card
    kept = alexnet.AlexNet(variant=row["variant"], weights=file)
    for ours, theirs in zip(kept.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_that_was_not_pruned_is_not_packaged(picture_runs, tmp_path, capsys):
    runs, _ = picture_runs
    shutil.copytree(runs / "alexnet-0", runs / "alexnet_pruned-0", dirs_exist_ok=True)
    with pytest.raises(SystemExit) as done:
        pretrained.main(["cifar10", "--runs", str(runs), "--out", str(tmp_path / "out")])
    assert done.value.code == 2
    assert "a run of seed 0" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*.h5"))


def test_a_folder_of_runs_with_a_comma_in_its_name_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as done:
        pretrained.main(["--runs", str(tmp_path / "a,b"), "--out", str(tmp_path / "out")])
    assert done.value.code == 2
    assert "has a comma in its name" in capsys.readouterr().err


def test_what_goes_with_other_weights_is_refused_before_anything_is_made(tmp_path, called):
    given = ("--runs", tmp_path / "runs", "--out", tmp_path / "out")
    for more in (("--note", "Mine."), ("--precision", "mixed_bfloat16")):
        done = called("train.pretrained", "mnist", *given, *more)
        assert done.returncode == 2
        assert "go with cifar10" in done.stderr
    done = called("train.pretrained", "cifar10", *given, "--network", "lenet5_tanh")
    assert (done.returncode, "--network goes with mnist" in done.stderr) == (2, True)
    assert not list(tmp_path.iterdir())
