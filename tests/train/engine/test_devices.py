"""Several devices and several machines do what one device does."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from keras_classics.errors import InputError
from train.engine import devices

ROOT = pathlib.Path(devices.__file__).parents[2]

RUN = """
import dataclasses, sys
import numpy as np
from keras_classics.runtime import start_tensorflow

start_tensorflow()
import keras
from keras_classics import alexnet, datasets, lenet
from train import recipes
from train.engine import devices
from train.engine.trainer import Trainer

network, count, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
strategy = devices.strategy("auto", count or None)
data = datasets.load("embedded").padded(32)
if network == "lenet5":
    build, preprocessing, recipe, size = lenet.LeNet5, lenet.PREPROCESSING, recipes.LENET5["default"], 32
else:  # the digits as small colour pictures, through towers and normalization
    grey = lambda split: datasets.Split(np.repeat(split.images, 3, axis=-1), split.labels)
    data = dataclasses.replace(data, train=grey(data.train), validation=grey(data.validation), test=grey(data.test))
    row, size = dataclasses.replace(alexnet.VARIANTS["paper"], dense=64), 67
    preprocessing = row.preprocessing
    recipe = dataclasses.replace(recipes.ALEXNET["modern"], batch_size=8, augmentation="none", learning_rate=1e-3)

    def build():
        model = alexnet.AlexNet(input_shape=(67, 67, 3), classes=10, variant=row)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0
        return model

engine = Trainer(build, preprocessing=preprocessing, size=size, dataset=data, recipe=recipe, strategy=strategy)
list(engine.train(50))
small = data.test.take(np.arange(101))  # does not divide by two
score = engine.evaluate(small)
np.savez(path, *engine.model.get_weights()[:8], loss=score.loss, accuracy=score.accuracy, images=score.images)
"""


def start(arguments, worker=None, ports=()):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if ports:
        cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
        environment["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": worker}})
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def ports():
    """Two ports of this machine that nobody listens to."""
    with socket.socket() as one, socket.socket() as two:
        for listener in (one, two):
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in (one, two)]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """``result(network, count)`` trains 50 steps on so many parts of the CPU; the weights and scores, by name."""
    folder, done = tmp_path_factory.mktemp("devices"), {}

    def run(network, count):
        path = folder / f"{network}-{count}.npz"
        if path not in done:
            process = start(["-c", RUN, network, count, path])
            _, errors = process.communicate(timeout=600)
            assert process.returncode == 0, errors
            done[path] = dict(np.load(path))
        return done[path]

    return run


def assert_alike(found, expected):
    assert found["images"] == expected["images"] == 101
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("network", ["lenet5", "alexnet"])
def test_mirrored_over_two_devices_gives_the_weights_of_one(network, result):
    """Batches, distortions and updates are then the same to float rounding; dropout is off."""
    assert_alike(result(network, 2), result(network, 0))


def test_two_machines_give_the_weights_of_one(result, ports, tmp_path):
    paths = [tmp_path / f"{worker}.npz" for worker in (0, 1)]
    processes = [start(["-c", RUN, "lenet5", 0, paths[worker]], worker, ports) for worker in (0, 1)]
    for process in processes:
        _, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
    for path in paths:
        assert_alike(dict(np.load(path)), result("lenet5", 0))


def test_a_machine_that_dies_stops_the_others_and_the_run_goes_on_later(ports, tmp_path):
    told = ("-m", "train.lenet", "--dataset", "embedded", "--epochs", 20, "--checkpoint-steps", 50, "--out", tmp_path)
    chief, other = (start(told, worker, ports) for worker in (0, 1))
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("lenet5_checkpoints/*.index")):
        assert time.monotonic() < deadline
        assert chief.poll() is None, chief.communicate()
        time.sleep(0.1)
    other.send_signal(signal.SIGKILL)
    _, errors = chief.communicate(timeout=300)
    other.communicate()
    assert chief.returncode == 3
    assert "another machine of this run is gone; start the same command on all of them again" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    both = [start(told, worker, ports) for worker in (0, 1)]
    (said, errors), (little, _) = (process.communicate(timeout=600) for process in both)
    assert [process.returncode for process in both] == [0, 0], errors
    assert "Going on from step" in said
    assert "2 CPU devices of 2 machines" in said
    assert little.splitlines() == ["Machine 2 of 2; the first one reports."]
    assert json.loads((tmp_path / "lenet5_history.json").read_text())["test"]["accuracy"] > 0.9


def test_a_batch_a_device_makes_batch_and_rate_grow(command, tmp_path):
    told = ("--dataset", "embedded", "--devices", 2, "--batch-size-per-device", 128, "--steps", 2, "--out", tmp_path)
    done = command("train.lenet", *told)
    assert done.returncode == 0, done.stderr
    assert "Batches of 256 instead of 128: learning rate 0.008 instead of 0.004" in done.stdout
    assert "batches of 256 (128 a device)" in done.stdout
    assert "2 CPU devices" in done.stdout


@pytest.mark.parametrize(
    ("config", "told", "said"),
    [
        ("not json", ("auto",), "TF_CONFIG is not of the form"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', ("auto",), "not of the form"),
        ('{"cluster": {"ps": ["a:1"]}, "task": {"type": "ps", "index": 0}}', ("auto",), "it names ps"),
        ("", ("multiworker",), "TF_CONFIG, which is not set"),
        ("", ("one", 2), "the strategy is one device"),
    ],
)
def test_devices_that_cannot_be_had_are_named(config, told, said, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(InputError, match=said):
        devices.strategy(*told)
