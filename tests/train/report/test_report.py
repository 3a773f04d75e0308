"""What a run leaves to read: the report, its pictures and the table of its history."""

import csv
import json
import re
import shutil
import types

import keras
import numpy as np
import pytest
from PIL import Image

import keras_classics
from keras_classics.datasets import Split
from keras_classics.errors import InputError
from train.report import artifacts, history, markdown, plots, plots_of_run
from train.report.results import Results


def test_the_report_says_the_result_and_shows_every_picture(run_folder):
    text = (run_folder / "lenet5_report.md").read_text()
    test = json.loads((run_folder / "lenet5_history.json").read_text())["test"]
    assert f"**Error rate {1 - test['accuracy']:.2%}**" in text
    assert "| learning rate | 0.004 |" in text
    shown = re.findall(r"\]\(([^)]+)\)", text)
    assert {f"lenet5_{name}.png" for name in ("curves", "rate", "classes", "confusion", "filters")} <= set(shown)
    for name in shown:
        assert (run_folder / name).is_file()
        if name.endswith(".png"):
            with Image.open(run_folder / name) as picture:
                assert min(picture.size) >= 150
                assert np.asarray(picture.convert("L")).std() > 5  # something is drawn


def test_the_table_has_every_stretch_and_ends_with_the_test(run_folder):
    history = json.loads((run_folder / "lenet5_history.json").read_text())
    with (run_folder / "lenet5_history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(history["training"]) + len(history["validation"]) + 1
    assert [row["split"] for row in rows[-2:]] == ["validation", "test"]
    assert float(rows[-1]["accuracy"]) == pytest.approx(history["test"]["accuracy"])
    assert float(rows[-1]["seconds"]) == pytest.approx(sum(row["seconds"] for row in history["training"]), abs=0.02)


@pytest.fixture
def results():
    """Four images of three classes: two right, and two wrong, one of them surely."""
    probabilities = np.array([[0.9, 0.1, 0], [0.2, 0.7, 0.1], [0.05, 0.95, 0], [0.4, 0.3, 0.3]], "float32")
    return Results(Split(np.zeros((4, 8, 8, 1), np.uint8), np.array([0, 1, 2, 2])), ("a", "b", "c"), probabilities)


def test_mistakes_are_counted_and_the_most_confident_comes_first(results):
    np.testing.assert_array_equal(results.counts, [[1, 0, 0], [0, 1, 0], [1, 1, 0]])
    assert list(results.confident_mistakes(5)) == [2, 3]
    assert results.confused() == [(2, 0, 1), (2, 1, 1)]
    label, total, right, (low, high) = results.classes()[2]
    assert (label, total, right, low) == (2, 2, 0, 0.0)
    assert 0.5 < high < 1  # Wilson's interval of none of two


def test_kernels_of_two_towers_lie_apart_as_in_figure_3():
    """96 kernels, 48 a tower, in rows of 16."""
    kernels = np.random.default_rng(0).normal(size=(96, 11, 11, 3))
    mosaic, starts = plots._mosaic(kernels, towers=2)
    assert mosaic.shape == (2 * 3 * 12 + 5, 16 * 12, 3)
    assert starts == [0, 3 * 12 + 5]
    first_of_the_second = mosaic[starts[1] : starts[1] + 11, :11]
    np.testing.assert_allclose(first_of_the_second, 0.5 + kernels[48] / (2 * np.abs(kernels[48]).max()))


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
    written = artifacts.write(tmp_path, "x", model=model, record=record, loss="loss", results=found, size=16)
    assert {path.name for path in tmp_path.iterdir()} == set(written)
    assert "x_confusion.png" not in written
    text = (tmp_path / "x_report.md").read_text()
    assert "The 30 lowest accuracies of a class" in text
    assert "Confused most often" in text
    assert f"Top-5 error rate {found.top5_errors() / 4000:.2%}" in text


def test_a_network_without_mistakes_is_said_to_be_so(run_folder, model, embedded, tmp_path):
    record = json.loads((run_folder / "lenet5_history.json").read_text())
    perfect = Results(embedded.test, embedded.class_names, np.eye(10, dtype="float32")[embedded.test.labels])
    written = artifacts.write(tmp_path, "x", model=model, record=record, loss="loss", results=perfect, size=32)
    assert "x_mistakes.png" not in written
    assert "No test image is misclassified." in (tmp_path / "x_report.md").read_text()


def test_a_picture_that_cannot_be_drawn_is_a_warning(run_folder, model, results, tmp_path, monkeypatch, capsys):
    """The rest is there, the report without it, and what an earlier run drew in its place is gone."""
    record = json.loads((run_folder / "lenet5_history.json").read_text())
    (tmp_path / "x_filters.png").write_text("earlier")
    monkeypatch.setattr(plots, "write_filters", lambda path, **_: path.joinpath("no folder").write_text(""))
    written = artifacts.write(tmp_path, "x", model=model, record=record, loss="loss", results=results, size=8)
    assert {path.name for path in tmp_path.iterdir()} == set(written)
    assert "x_filters.png" not in written
    assert "x_filters.png" not in (tmp_path / "x_report.md").read_text()
    assert capsys.readouterr().err.startswith("Warning: cannot write x_filters.png: ")


def test_the_model_is_saved_whatever_fails_after_it(run_folder, model, results, tmp_path, monkeypatch, capsys):
    record = json.loads((run_folder / "lenet5_history.json").read_text())

    def fail(*_, **__):
        raise ValueError("of mathematics")

    for module in (plots, history):
        for name in filter(lambda name: name.startswith("write"), dir(module)):
            monkeypatch.setattr(module, name, fail)
    monkeypatch.setattr(markdown, "report", fail)
    written = artifacts.write(tmp_path, "x", model=model, record=record, loss="loss", results=results, size=8)
    assert written == ["x.keras"]
    assert [path.name for path in tmp_path.iterdir()] == ["x.keras"]
    kept = keras.models.load_model(tmp_path / "x.keras").get_weights()
    assert all(np.array_equal(*both) for both in zip(kept, model.get_weights(), strict=True))
    assert capsys.readouterr().err.count("Warning: cannot write x_") == 9


def test_a_model_that_cannot_be_written_is_an_error_and_leaves_what_was_there(run_folder, results, tmp_path):
    record = json.loads((run_folder / "lenet5_history.json").read_text())
    (tmp_path / "x.keras").write_text("earlier")
    broken = types.SimpleNamespace(save=lambda path: path.joinpath("no folder").write_text(""))
    with pytest.raises(InputError):
        artifacts.write(tmp_path, "x", model=broken, record=record, loss="loss", results=results, size=8)
    assert [path.name for path in tmp_path.iterdir()] == ["x.keras"]
    assert (tmp_path / "x.keras").read_text() == "earlier"


def test_the_kernels_in_a_report_are_those_of_the_first_layer():
    network = keras_classics.AlexNet()
    kernels, towers = plots_of_run._first_kernels(network)
    np.testing.assert_array_equal(kernels, network.get_layer("conv1").get_weights()[0])
    assert towers == 2
