"""PyTorch and TensorFlow in one process, whichever comes first: neither order ends in a crash."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.needs_extras("torch")

USER = """
import sys
import keras, tensorflow
import keras_classics
model = keras_classics.LeNet5(weights=sys.argv[1])
"""
TENSORFLOW_LATER = """
from keras_classics import torch_first
torch_first.load()
import tensorflow
"""
TRAIN = """
import torch
layer = torch.nn.Linear(2, 2)
optimizer = torch.optim.SGD(layer.parameters(), 0.1, momentum=0.9)
layer(torch.ones(1, 2)).sum().backward()
optimizer.step()
print("trained")
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """LeNet-5's in a file of PyTorch."""
    import torch

    shapes = [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)]
    state = {f"{n}.weight": 0.1 * torch.randn(shape) for n, shape in enumerate(shapes)}
    state |= {f"{n}.bias": torch.zeros(shape[0]) for n, shape in enumerate(shapes)}
    path = tmp_path_factory.mktemp("weights") / "lenet.pth"
    torch.save(state, path)
    return path


@pytest.mark.parametrize("before", [USER, TENSORFLOW_LATER], ids=["TensorFlow first", "PyTorch first"])
def test_pytorch_trains_beside_tensorflow(before, weights):
    done = subprocess.run(
        [sys.executable, "-c", before + TRAIN, weights], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "trained\n"


def test_a_command_takes_weights_of_pytorch(command, weights, tmp_path):
    given = ("--weights", weights, "--dataset", "embedded", "--mode", "float32", "--test-images", 50, "--out", tmp_path)
    done = command("export.tflite", "lenet5", *given)
    assert done.returncode == 0, done.stderr
