"""Every benchmark runs, on as little as it takes, and ends with the JSON it promises; no test here judges a speed."""

import json
import math

import pytest

from benchmarks import all as every
from benchmarks import batch_norm, commands, import_time, lrn, measure, time_to_accuracy
from keras_classics import generated


def printed(out):
    return json.loads(out.splitlines()[-1])


def in_this_process(module, capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        module.main(["--json", "--rounds", "1", *arguments])
    assert end.value.code == 0
    return printed(capsys.readouterr().out)["rows"]


def test_lrn_has_a_row_for_each_map_and_direction(capsys):
    rows = in_this_process(lrn, capsys, "--batch", "1")
    assert [row["name"].split("of ")[1] for row in rows] == [
        "conv1's maps, forward",
        "conv1's maps, forward and backward",
        "conv2's maps, forward",
        "conv2's maps, forward and backward",
    ]
    assert all(row["ours"] > 0 and row["ratio"] == pytest.approx(row["peer"] / row["ours"]) for row in rows)


def test_batch_normalization_has_a_row_for_each_precision(capsys):
    rows = in_this_process(batch_norm, capsys, "--batch", "1")
    assert [row["name"].split(", ")[1] for row in rows] == ["float32", "bfloat16"]
    assert all(row["ours"] > 0 and "Keras" in row["note"] for row in rows)


def test_a_target_out_of_reach_is_not_reached(capsys):
    rows = in_this_process(time_to_accuracy, capsys, "--dataset", "embedded", "--limit", "1", "--targets", "98.5")
    assert rows[0]["ours"] is None


def test_the_clock_stands_still_while_accuracy_is_looked_at():
    accuracies = iter([0.5, 0.98, 0.99])
    spent = time_to_accuracy.seconds_to(0.99, lambda: None, lambda: next(accuracies), looks=3)
    assert 0 < spent < 0.1
    assert math.isinf(time_to_accuracy.seconds_to(0.99, lambda: None, lambda: 0.98, looks=3))


@pytest.mark.parametrize(
    ("name", "arguments", "rows"),
    [
        ("train_lenet", ("--images", 640, "--batches", "64"), 1),
        ("fit_lenet", ("--images", 640, "--batches", 64), 2),
        ("endurance", ("--steps", 40, "--predictions", 40), 7),
        ("memory", ("--networks", "lenet", "--steps", 1), 1),
        ("input_pipeline", ("--made", 4, "--batch", 4, "--batches", 2), 1),
        ("import_time", ("--commands", "train.lenet"), 2),
    ],
)
def test_benchmark_in_a_process_of_its_own(name, arguments, rows, command):
    done = command(f"benchmarks.{name}", "--json", "--rounds", 1, *arguments)
    assert done.returncode == 0, done.stderr
    found = printed(done.stdout)["rows"]
    assert len(found) == rows
    assert all(row["ratio"] is None or row["ratio"] > 0 for row in found)


def test_commands_are_timed_and_their_imports_counted(capsys, monkeypatch):
    """Of two that take a second; what people run is tested elsewhere, each command of it."""
    cheap = {"none": ("keras_classics", "--version"), "some": ("export.verify", "--help")}
    monkeypatch.setattr(commands, "lines", lambda folder: cheap)
    rows = in_this_process(commands, capsys)
    assert [row["name"].startswith(name) for row, name in zip(rows, cheap, strict=True)] == [True, True]
    assert all(0 < row["ours"] < 60 for row in rows)
    assert 0 < commands.importing(cheap["some"]) < commands.seconds(cheap["some"]) + 5


def test_every_benchmark_is_run_by_all_and_answers_help():
    own = {name.split(".")[1] for name in import_time.commands() if name.startswith("benchmarks.")}
    assert set(every.NAMES) <= own


def test_all_replaces_the_table_and_nothing_else(tmp_path):
    row = measure.Row("speed", 2.0, 1.0, "images/s", 2.0, "peer")
    path = tmp_path / "README.md"
    path.write_text(f"before\n{every.BEGIN}\nold\n{every.END}\nafter\n")
    section = every.section([row], {**measure.environment(), "measured": "today"})
    generated.replace(path, every.BEGIN, every.END, section)
    new = path.read_text()
    assert new.startswith(f"before\n{every.BEGIN}\n\ntoday, ")
    assert "| speed | 2 | 1 (peer) | images/s | **2.00** |" in new
    assert new.endswith(f"{every.END}\nafter\n")
    assert "old" not in new
    generated.check(every.README, every.BEGIN, every.END)
