"""Logs for TensorBoard, read as it reads them."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import ROOT


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
