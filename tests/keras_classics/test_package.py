"""What people who only import the package rely on."""

import inspect
import re
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_classics
from tests.conftest import ROOT


@pytest.mark.parametrize("first", ["import keras_classics, keras", "import keras, keras_classics"])
def test_a_saved_model_loads_without_custom_objects(first, tmp_path):
    model = keras_classics.AlexNet(variant="paper", include_top=False, pooling="avg", input_shape=(64, 64, 3))
    model.save(tmp_path / "features.keras")
    image = np.random.default_rng(0).normal(size=(1, 64, 64, 3)).astype("float32")
    np.save(tmp_path / "image.npy", image)
    program = (
        f"{first}, numpy\n"
        "model = keras.models.load_model('features.keras')\n"
        "numpy.save('features.npy', model.predict(numpy.load('image.npy'), verbose=0))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, env=_environment())
    np.testing.assert_allclose(
        np.load(tmp_path / "features.npy"), model.predict(image, verbose=0), rtol=1e-4, atol=1e-6
    )


def test_importing_the_package_imports_no_framework():
    program = "import keras_classics, sys; sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], env=_environment()).returncode == 0


def test_public_names_are_there_and_no_others():
    for name in keras_classics.__all__:
        assert getattr(keras_classics, name) is not None
    with pytest.raises(AttributeError, match="VGG16"):
        _ = keras_classics.VGG16


PUBLIC = [
    *(getattr(keras_classics, name) for name in ("LeNet5", "AlexNet", "list_weights", "connections", "Recognizer")),
    *(getattr(keras_classics.layers, name) for name in keras_classics.layers.__all__),
    *(getattr(keras_classics.datasets, name) for name in ("load", "Split", "Dataset", "stratified")),
    *(getattr(keras_classics.lenet, name) for name in ("preprocess_input", "MaximumAPosteriori")),
    *(getattr(keras_classics.alexnet, name) for name in ("preprocess_input", "decode_predictions")),
]


@pytest.mark.parametrize("public", PUBLIC, ids=lambda public: f"{public.__module__}.{public.__name__}")
def test_every_argument_of_what_is_public_is_documented(public):
    arguments = set(inspect.signature(public).parameters) - {"kwargs", "name", "dtype"}  # Keras' own
    text = inspect.getdoc(public)
    documented = {word for line in text.splitlines() for word in re.split("[, ]+", line.strip().partition(":")[0])}
    assert arguments - documented == set()


def test_clone_and_config_keep_the_network():
    model = keras_classics.LeNet5(activation="relu")
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    image = np.ones((1, 32, 32, 1), "float32")
    np.testing.assert_array_equal(clone.predict(image, verbose=0), model.predict(image, verbose=0))
    assert keras.Model.from_config(model.get_config()).count_params() == 61_706


def test_mixed_precision_keeps_probabilities_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = keras_classics.AlexNet(variant="cifar10")
        assert keras.backend.standardize_dtype(model(np.zeros((1, 32, 32, 3), "float32")).dtype) == "float32"
        assert model.get_layer("conv1").compute_dtype == "bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")


def test_user_code_trains_with_fit(embedded):
    model = keras_classics.LeNet5()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    images = keras_classics.lenet.preprocess_input(embedded.train.images)
    history = model.fit(images, embedded.train.labels, epochs=3, batch_size=64, verbose=0).history
    assert history["accuracy"][-1] > 0.85


def test_signatures_are_those_of_keras_applications():
    """VGG16's arguments come first, in its order; ours follow."""
    theirs = list(inspect.signature(keras.applications.VGG16).parameters)
    for network in (keras_classics.LeNet5, keras_classics.AlexNet):
        ours = inspect.signature(network).parameters
        assert list(ours)[: len(theirs)] == theirs
        assert ours["include_top"].default is True
        assert ours["pooling"].default is None
    assert list(inspect.signature(keras_classics.alexnet.preprocess_input).parameters)[:2] == ["x", "data_format"]
    assert list(inspect.signature(keras_classics.alexnet.decode_predictions).parameters) == ["preds", "top"]


@pytest.mark.parametrize(
    ("network", "arguments"),
    [
        ("LeNet5", {"classifier_activation": "softmax"}),
        ("LeNet5", {"variant": "1998", "classifier_activation": "softmax"}),
        ("LeNet5", {"include_top": False, "pooling": "max", "input_shape": (1, 40, 36)}),
        ("AlexNet", {"variant": "cifar10"}),
        ("AlexNet", {"variant": "paper", "include_top": False, "pooling": "avg", "input_shape": (3, 96, 80)}),
        ("AlexNet", {"variant": "caffe", "include_top": False, "input_shape": (3, 96, 80)}),
    ],
)
def test_channels_first_computes_the_same_with_the_same_weights(network, arguments):
    build = getattr(keras_classics, network)
    keras.config.set_image_data_format("channels_first")
    try:
        first = build(**arguments)
        images = np.random.default_rng(0).normal(size=(2, *first.input_shape[1:])).astype("float32")
        expected = first.predict(images, verbose=0)
    finally:
        keras.config.set_image_data_format("channels_last")
    if "input_shape" in arguments:
        channels, *sides = arguments["input_shape"]
        arguments = {**arguments, "input_shape": (*sides, channels)}
    last = build(**arguments)
    last.set_weights(first.get_weights())
    found = last.predict(images.transpose(0, 2, 3, 1), verbose=0)
    if found.ndim == 4:
        found = found.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def _environment():
    import os
    import pathlib

    return {**os.environ, "PYTHONPATH": str(pathlib.Path(keras_classics.__file__).parent.parent)}


def test_imports_and_packaged_weights_reach_for_no_network():
    program = (
        "import sys\n"
        "def refuse(event, args):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.sendto'):\n"
        "        raise SystemExit(f'{event} {args}')\n"
        "sys.addaudithook(refuse)\n"
        "import keras_classics\n"
        "from keras_classics import datasets\n"
        "import export.predict, export.tflite, export.verify, train.alexnet, train.lenet, train.run\n"
        "keras_classics.LeNet5(weights='mnist')\n"
        "keras_classics.Recognizer()\n"
        "datasets.load('embedded')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
