"""What the tests share: real digits, a network trained on them, and commands run as a user runs them."""

import os
import pathlib
import subprocess
import sys

import pytest

from keras_classics import torch_first
from keras_classics.runtime import start_tensorflow
from tests import in_process, needs

if needs.has("torch"):
    torch_first.load()
start_tensorflow()

ROOT = pathlib.Path(__file__).parent.parent
LONGEST = (
    *("test_matrix.py", "train/engine/test_resume.py", "train/engine/test_devices.py", "train/test_commands.py"),
    *(
        "benchmarks/test_commands.py",
        "layers/test_empty_batches.py",
        "hostile/test_commands.py",
        "hostile/test_places.py",
    ),
    *("export/test_tflite.py", "finetune/test_finetune.py", "train/test_claims.py"),
)


def pytest_configure(config):
    config.pluginmanager.register(needs, "needs")


def pytest_collection_modifyitems(items):
    """The files that take longest begin first, so that no worker is left with one of them at the end."""

    def rank(item):
        path = item.nodeid.partition("::")[0]
        return next((number for number, ending in enumerate(LONGEST) if path.endswith(ending)), len(LONGEST))

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def kept_elsewhere(tmp_path_factory):
    """What is computed from test data does not stay in the user's folder."""
    os.environ["KERAS_CLASSICS_CACHE_DIR"] = str(tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="session")
def command():
    """``command("train.lenet", …)`` runs ``python -m train.lenet …`` and returns the finished process."""

    def run(module, *arguments, cwd=ROOT):
        return subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run


@pytest.fixture(scope="session")
def called():
    """``called("export.tflite", …)``: as ``command``, but in this process, which has TensorFlow loaded."""
    return in_process.called


@pytest.fixture(scope="session")
def data_dir():
    """Where prepared MNIST and CIFAR-10 lie; a test that asks for it is marked ``needs_data``."""
    return os.environ["KERAS_CLASSICS_DATA_DIR"]


@pytest.fixture(scope="session")
def photographs(data_dir, tmp_path_factory):
    """48 ImageNet photographs in folders of two classes, from the folder ``imagenet_sample`` beside the datasets."""
    files = sorted(needs.photographs().glob("*.jpg"))  # in the order of ImageNet's classes
    folder = tmp_path_factory.mktemp("photographs")
    for name, first in (("bird", 80), ("dog", 151)):
        (folder / name).mkdir()
        for file in files[first : first + 24]:
            (folder / name / file.name).symlink_to(file.resolve())
    return folder


@pytest.fixture(scope="session")
def digit_photos(data_dir):
    """Folder of photographs and scans of digits by many hands, beside the datasets."""
    return needs.beside("digit_photos")


@pytest.fixture(scope="session")
def embedded():
    from keras_classics import datasets

    return datasets.load("embedded").padded(32)


@pytest.fixture(scope="session")
def run_folder(command, tmp_path_factory):
    """What ``python -m train.lenet`` leaves after a few epochs on the embedded digits."""
    folder = tmp_path_factory.mktemp("run")
    done = command("train.lenet", "--dataset", "embedded", "--epochs", 25, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def model(run_folder):
    import keras

    return keras.models.load_model(run_folder / "lenet5.keras")


@pytest.fixture(scope="session")
def int8_file(command, run_folder):
    """What ``python -m export.tflite lenet5`` makes of it."""
    done = command("export.tflite", "lenet5", "--model", run_folder / "lenet5.keras", "--out", run_folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return run_folder / "lenet5_int8.tflite"
