"""What a run leaves for people: report, pictures, tables, logs."""

import csv
import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_classics
from keras_classics.datasets import Split
from tests.conftest import ROOT
from train import pictures, report, table
from train.results import Results


@pytest.fixture
def results():
    """Nine images of three classes, five of them wrong, with known probabilities; of class "owl" there is none."""
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
    taken_for = np.array([0, 1, 1, 2, 1, 1, 0, 2, 0])
    sure = np.array([0.9, 0.6, 0.99, 0.7, 0.8, 0.9, 0.5, 0.9, 0.95])
    probabilities = np.repeat((1 - sure)[:, None] / 3, 4, axis=1)
    probabilities[np.arange(9), taken_for] = sure
    images = np.zeros((9, 8, 8, 1), np.uint8)
    return Results(Split(images, labels), ("cat", "dog", "emu", "owl"), probabilities)


def test_counts_pairs_and_mistakes_are_those_of_the_predictions(results):
    assert results.counts.tolist() == [[1, 2, 1, 0], [1, 2, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert results.confused() == [(0, 1, 2), (0, 2, 1), (1, 0, 1), (2, 0, 1)]
    assert results.confident_mistakes(3).tolist() == [2, 8, 3]
    assert [(label, total, right) for label, total, right, _ in results.classes()] == [(0, 4, 1), (1, 3, 2), (2, 2, 1)]
    low, high = results.classes()[0][3]
    assert (round(low, 4), round(high, 4)) == (0.0456, 0.6994)  # Wilson's interval of 1 in 4


def test_a_report_shows_what_the_history_says(run_folder):
    text = (run_folder / "lenet5_report.md").read_text()
    record = json.loads((run_folder / "lenet5_history.json").read_text())
    wrong = round((1 - record["test"]["accuracy"]) * 1000)
    assert f"**Error rate {wrong / 1000:.2%}** on 1,000 test images" in text
    assert f"{wrong} wrong, 95 % interval" in text
    for field, value in record["recipe"].items():
        assert f"| {field.replace('_', ' ')} | " in text, (field, value)
    assert "| learning rate | 0.004 |" in text
    assert "python -m train.lenet --dataset embedded --epochs 25 --out" in text
    shown = {line.rsplit("](", 1)[1].rstrip(")") for line in text.splitlines() if line.startswith("![")}
    made = ("curves", "rate", "classes", "confusion", "mistakes", "filters")
    assert shown == {f"lenet5_{picture}.png" for picture in made}
    for name in shown:
        with Image.open(run_folder / name) as picture:
            assert min(picture.size) >= 200
            assert len(np.unique(np.asarray(picture.convert("L")))) > 10, f"{name} is blank"


def test_confused_pairs_of_a_report_add_up_to_its_errors(run_folder, model, embedded):
    probabilities = model.predict(keras_classics.lenet.preprocess_input(embedded.test.images), verbose=0)
    found = Results(embedded.test, embedded.class_names, probabilities)
    record = json.loads((run_folder / "lenet5_history.json").read_text())
    assert len(found.wrong) == sum(times for *_, times in found.confused())
    assert len(found.wrong) == round((1 - record["test"]["accuracy"]) * len(embedded.test))
    is_, taken_for, times = found.confused()[0]
    assert f"| {is_} | {taken_for} | {times} |" in (run_folder / "lenet5_report.md").read_text()


def test_the_csv_is_the_history(run_folder):
    record = json.loads((run_folder / "lenet5_history.json").read_text())
    with (run_folder / "lenet5_history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for split in ("training", "validation"):
        mine = [row for row in rows if row["split"] == split]
        assert [int(row["step"]) for row in mine] == [row["step"] for row in record[split]]
        np.testing.assert_allclose(
            [float(row["loss"]) for row in mine], [row["loss"] for row in record[split]], rtol=1e-5
        )
    assert rows[-1]["split"] == "test"
    assert float(rows[-1]["error_rate"]) == pytest.approx(1 - record["test"]["accuracy"])
    assert float(rows[-1]["seconds"]) == pytest.approx(sum(row["seconds"] for row in record["training"]), abs=0.01)
    rates = [float(row["learning_rate"]) for row in rows if row["split"] == "training"]
    assert max(rates) > rates[-1] == 0  # a cosine ends there
    assert [int(row["step"]) for row in rows] == sorted(int(row["step"]) for row in rows)


def test_many_classes_make_tables_not_a_matrix(run_folder, model, tmp_path):
    """As with the 1,000 of ImageNet; and what an earlier run of fewer classes drew goes."""
    record = json.loads((run_folder / "lenet5_history.json").read_text())
    random = np.random.default_rng(0)
    labels = random.integers(0, 1000, 4000)
    probabilities = random.dirichlet(np.ones(1000), 4000).astype("float32")
    probabilities[np.arange(0, 4000, 2), labels[::2]] = 1.1  # half of them right
    split = Split(random.integers(0, 256, (4000, 16, 16, 3), np.uint8), labels)
    found = Results(split, tuple(f"n{number:08d} a long name" for number in range(1000)), probabilities)
    shutil.copy(run_folder / "lenet5_confusion.png", tmp_path / "x_confusion.png")
    written = report.write(tmp_path, "x", model=model, record=record, loss="loss", results=found, size=16)
    assert {path.name for path in tmp_path.iterdir()} == set(written)
    assert "x_confusion.png" not in written
    text = (tmp_path / "x_report.md").read_text()
    assert "The 30 lowest accuracies of a class" in text
    assert "Confused most often" in text
    assert f"Top-5 error rate {found.top5_errors() / 4000:.2%}" in text


def test_a_network_without_mistakes_is_said_to_be_so(run_folder, model, embedded, tmp_path):
    record = json.loads((run_folder / "lenet5_history.json").read_text())
    perfect = Results(embedded.test, embedded.class_names, np.eye(10, dtype="float32")[embedded.test.labels])
    written = report.write(tmp_path, "x", model=model, record=record, loss="loss", results=perfect, size=32)
    assert "x_mistakes.png" not in written
    assert "No test image is taken for something else." in (tmp_path / "x_report.md").read_text()


def test_a_report_that_cannot_be_drawn_leaves_what_was_there(run_folder, model, results, tmp_path, monkeypatch):
    record = json.loads((run_folder / "lenet5_history.json").read_text())
    (tmp_path / "x.keras").write_text("earlier")
    monkeypatch.setattr(pictures, "write_filters", lambda path, **_: path.joinpath("no folder").write_text(""))
    with pytest.raises(keras_classics.cli.InputError):
        report.write(tmp_path, "x", model=model, record=record, loss="loss", results=results, size=8)
    assert [path.name for path in tmp_path.iterdir()] == ["x.keras"]
    assert (tmp_path / "x.keras").read_text() == "earlier"


def test_the_kernels_of_two_towers_lie_above_each_other_as_in_figure_3():
    """96 kernels: the first 48 in the three upper rows, the other 48 in the three below."""
    kernels, towers = report._first_kernels(keras_classics.AlexNet())
    assert (kernels.shape, towers) == ((11, 11, 3, 96), 2)
    mosaic, starts = pictures._mosaic(np.moveaxis(kernels, -1, 0), towers)
    assert mosaic.shape == (6 * 12 + 5, 16 * 12, 3)
    for index in (0, 17, 47, 48, 95):
        row, column = divmod(index % 48, 16)
        top = starts[index // 48] + row * 12
        shown = mosaic[top : top + 11, column * 12 : column * 12 + 11] - 0.5
        expected = kernels[..., index] / (2 * np.abs(kernels[..., index]).max())
        np.testing.assert_allclose(shown, expected, atol=1e-6)


def logged(folder):
    """``{(run, name): [(step, value), …]}`` of the event files in a folder."""
    values = {}
    for path in sorted(folder.rglob("events*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                row = (event.step, float(tf.make_ndarray(value.tensor)))
                values.setdefault((path.parent.name, value.tag), []).append(row)
    return values


def test_tensorboard_logs_are_the_history_of_a_run_also_of_one_that_was_cut_off(tmp_path):
    told = ("train.lenet", "--dataset", "embedded", "--epochs", 12, "--checkpoint-steps", 40, "--tensorboard")
    command = [sys.executable, "-m", *map(str, told), "--out", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    next(line for line in process.stdout if line.startswith("step "))
    process.send_signal(signal.SIGTERM)
    assert "stopped and saved" in process.communicate(timeout=60)[1]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "lenet5_history.json").read_text())
    values = logged(tmp_path / "lenet5_tensorboard")
    for name in ("loss", "accuracy"):
        steps, found = zip(*values["validation", name], strict=True)
        assert list(steps) == [row["step"] for row in record["validation"]]
        np.testing.assert_allclose(found, [row[name] for row in record["validation"]], rtol=1e-6)
        assert values["test", name] == [(record["steps"], pytest.approx(record["test"][name]))]
    for name in ("loss", "accuracy", "learning_rate", "images_per_second"):
        steps = [step for step, _ in values["training", name]]
        assert steps == sorted(set(steps))
        assert steps[-1] == record["steps"]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A file that ``train.table`` wrote the accuracy of two short runs into."""
    folder = tmp_path_factory.mktemp("table")
    (folder / "doc.md").write_text(f"before\n\n{table.BEGIN}\nold\n{table.END}\n\nafter\n")
    done = run_table(folder, "--row", "lenet --dataset embedded --steps 30")
    assert done.returncode == 0, done.stderr
    return folder


def run_table(folder, *more):
    arguments = ("--seeds", "2", "--runs", str(folder / "runs"), "--into", str(folder / "doc.md"), *more)
    command = [sys.executable, "-m", "train.table", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_the_table_is_that_of_the_runs_and_nothing_else_in_the_file_changes(filled):
    text = (filled / "doc.md").read_text()
    assert text.startswith(f"before\n\n{table.BEGIN}\n| ")
    assert text.endswith(f" |\n{table.END}\n\nafter\n")
    assert "old" not in text
    histories = [json.loads(path.read_text()) for path in sorted(filled.glob("runs/*/lenet5_history.json"))]
    assert [history["recipe"]["seed"] for history in histories] == [0, 1]
    errors = [100 * (1 - history["test"]["accuracy"]) for history in histories]
    assert f"**{np.mean(errors):.2f} ± {np.std(errors, ddof=1):.2f} %**" in text
    assert f"| {errors[0]:.2f}, {errors[1]:.2f} |" in text
    assert "| 61,706 | 3,500 train, 1,000 test |" in text


def test_finished_runs_are_kept_and_doctored_ones_refused(filled):
    before = {path: path.stat().st_mtime_ns for path in filled.glob("runs/*/*")}
    told = ("--row", "lenet --dataset embedded --steps 30")
    assert run_table(filled, *told).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in filled.glob("runs/*/*")} == before
    history = sorted(filled.glob("runs/*/lenet5_history.json"))[1]
    text = history.read_text()
    try:
        history.write_text(text.replace('"learning_rate": 0.004,\n', '"learning_rate": 0.003,\n', 1))
        done = run_table(filled, *told)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert "seeds 0 and 1 are of other recipes" in done.stderr
        history.write_text(text.replace('"--steps"', '"--epochs"'))
        assert "does not hold a run of lenet" in run_table(filled, *told).stderr
    finally:
        history.write_text(text)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (("--row", "resnet --epochs 1"), "expected lenet or alexnet"),
        (("--row", "lenet --seed 3"), "are given by python -m train.table"),
        (("--into", "nowhere.md"), "no text file nowhere.md"),
        (("--into", "setup.py"), "setup.py needs one line <!--"),
    ],
)
def test_what_a_table_cannot_be_made_of_is_said_before_training(told, said, tmp_path):
    (tmp_path / "doc.md").write_text(f"{table.BEGIN}\n{table.END}\n")
    done = run_table(tmp_path, *told)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert said in done.stderr
    assert not (tmp_path / "runs").exists()
