"""A run that is cut off, at any moment and in any way, goes on where it was."""

import json
import random
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.conftest import ROOT

ARGUMENTS = ("train.lenet", "--dataset", "embedded", "--epochs", 12, "--checkpoint-steps", 40, "--deterministic")


def start(folder, *more):
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, ARGUMENTS), *more, "--out", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process, text):
    """Read what the process prints up to a line with ``text``."""
    for line in process.stdout:
        if text in line:
            return
    pytest.fail(f"ended without {text!r}: {process.stderr.read()}")


@pytest.fixture(scope="module")
def uninterrupted(command, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    done = command(*ARGUMENTS, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder


def weights(folder):
    return keras.models.load_model(folder / "lenet5.keras").get_weights()


def test_killed_at_random_moments_it_ends_with_the_same_bits(uninterrupted, command, tmp_path):
    draw = random.Random(0)
    for seconds in (draw.uniform(0.1, 1), draw.uniform(0.5, 2), draw.uniform(0.1, 3)):
        process = start(tmp_path)
        wait_for(process, "step ")  # of the first epoch that ends in this go
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    done = command(*ARGUMENTS, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    for ours, theirs in zip(weights(tmp_path), weights(uninterrupted), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_says_how_to_go_on(number, code, uninterrupted, command, tmp_path):
    process = start(tmp_path)
    wait_for(process, "step ")
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert "stopped and saved at step" in errors
    assert "repeat the command to go on" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "lenet5.keras").exists()
    done = command(*ARGUMENTS, "--out", tmp_path)
    assert "Going on from step" in done.stdout
    for ours, theirs in zip(weights(tmp_path), weights(uninterrupted), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    # The history is that of one run, and nothing is left of the checkpoints.
    found, expected = (json.loads((folder / "lenet5_history.json").read_text()) for folder in (tmp_path, uninterrupted))
    assert (
        found["training"][-1]["step"] == expected["training"][-1]["step"] == sum(r["steps"] for r in found["training"])
    )
    assert [(row["step"], row["accuracy"]) for row in found["validation"]] == [
        (row["step"], row["accuracy"]) for row in expected["validation"]
    ]
    assert not (tmp_path / "lenet5_checkpoints").exists()


def test_an_unfinished_run_is_not_mixed_with_another(command, tmp_path):
    process = start(tmp_path)
    wait_for(process, "step ")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    other = (*ARGUMENTS, "--learning-rate", 0.001, "--out", tmp_path)
    done = command(*other)
    assert done.returncode == 2
    assert "unfinished run with another recipe" in done.stderr.splitlines()[-1]
    newest = max((tmp_path / "lenet5_checkpoints").glob("*.index"), key=lambda path: path.stat().st_mtime)
    newest.write_bytes(b"damaged")
    done = command(*ARGUMENTS, "--out", tmp_path)
    assert done.returncode == 2
    assert "is damaged" in done.stderr.splitlines()[-1]
    assert command(*other, "--steps", 3, "--fresh").returncode == 0
