"""The accuracy table: of the runs that it names, between its markers."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT
from train import table


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


def test_rows_that_are_not_asked_for_stay():
    old = "\n| `python -m train.` | data |\n| --- | --- |\n| `lenet` | a |\n| `alexnet --epochs 2` | b |\n"
    merged = table._with_others(old, ["| `lenet` | new |", "| `lenet --recipe best` | c |"])
    assert merged == "| `lenet` | new |\n| `alexnet --epochs 2` | b |\n| `lenet --recipe best` | c |"


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
