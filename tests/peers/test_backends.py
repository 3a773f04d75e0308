"""The networks under Keras' other backends: they build, predict as under TensorFlow, and train."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT

PROGRAM = """
import sys
import keras
import numpy as np
import keras_classics

def features(variant):
    return keras_classics.AlexNet(variant=variant, include_top=False, pooling="avg", input_shape=(96, 96, 3))

networks = {
    "LeNet-5": keras_classics.LeNet5(),
    "LeNet-5 1998": keras_classics.LeNet5(variant="1998", classifier_activation="softmax"),
    "AlexNet cifar10": keras_classics.AlexNet(variant="cifar10"),
    **{f"AlexNet {variant}": features(variant) for variant in ("paper", "single_tower", "caffe", "torchvision")},
}
random = np.random.default_rng(0)
found = {}
for name, network in networks.items():
    network.set_weights([random.normal(size=w.shape, scale=0.05).astype("float32") for w in network.get_weights()])
    images = random.normal(size=(2, *network.input_shape[1:])).astype("float32")
    found[name] = network.predict(images, verbose=0)
    if name.startswith("LeNet"):
        network.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
        loss = network.train_on_batch(images, np.array([1, 2]))
        found[name + " after a step"] = [loss, *network.get_weights()[0].flat]
assert keras.backend.backend() == sys.argv[2]
assert ("tensorflow" in sys.modules) == (sys.argv[2] == "tensorflow")
np.savez(sys.argv[1], **found)
"""


def outputs(backend, path):
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    arguments = [sys.executable, "-c", PROGRAM, str(path), backend]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(np.load(path))


@pytest.fixture(scope="module")
def tensorflows(tmp_path_factory):
    return outputs("tensorflow", tmp_path_factory.mktemp("tensorflow") / "outputs.npz")


@pytest.mark.parametrize(
    "backend", [pytest.param(name, marks=pytest.mark.needs_extras(name)) for name in ("torch", "jax")]
)
def test_a_backend_computes_what_tensorflow_does(backend, tensorflows, tmp_path):
    theirs, ours = tensorflows, outputs(backend, tmp_path / "other.npz")
    assert set(ours) == set(theirs)
    for name, values in theirs.items():
        assert np.abs(ours[name] - values).max() <= 1e-4 * np.abs(values).max(), name
