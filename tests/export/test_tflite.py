"""Device models: same answers as Keras, raw pixels in, and nothing bad gets out."""

import json

import keras
import numpy as np
import pytest

import keras_classics
from export import description, quantize, source
from export.classifier import Classifier
from export.deploy_graph import raw_pixel_model
from keras_classics import lenet
from keras_classics.preprocessing import Preprocessing


def probabilities_of(model, images):
    return model.predict(lenet.preprocess_input(images), verbose=0)


def test_folding_normalisation_into_c1_changes_nothing(model, embedded):
    images = embedded.test.images[:20]
    device = raw_pixel_model(model, lenet.PREPROCESSING, "uint8")
    ours = np.concatenate([device(image[None]) for image in images])
    np.testing.assert_allclose(ours, probabilities_of(model, images), atol=1e-5)
    assert device.input_shape == (1, 32, 32, 1)


def test_a_network_that_pads_keeps_its_normalisation():
    """Zeros around C1 are zeros after normalisation, so folding would be wrong there."""
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, padding="same")(inputs)
    network = keras.Model(inputs, keras.layers.Softmax()(keras.layers.GlobalAveragePooling2D()(x)))
    preprocessing = Preprocessing(mean=(10.0, 20.0, 30.0), scale=(0.1, 0.2, 0.3), bgr=True)
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    device = raw_pixel_model(network, preprocessing, "uint8")
    np.testing.assert_allclose(device(image), network(preprocessing(image)), atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "largest_size", "largest_difference"),
    [("float32", 260_000, 1e-4), ("float16", 135_000, 1e-2), ("dynamic", 76_000, 0.3), ("int8", 76_000, 0.5)],
)
def test_every_mode_answers_as_keras_does(mode, largest_size, largest_difference, model, embedded):
    tflite = quantize.convert(model, lenet.PREPROCESSING, mode, embedded.train.images[:200])
    assert len(tflite) < largest_size
    reference = probabilities_of(model, embedded.test.images)
    ours = Classifier(tflite, mode).probabilities(embedded.test.images)
    assert (ours.argmax(axis=1) == reference.argmax(axis=1)).mean() > 0.98
    assert np.abs(ours - reference).max() < largest_difference


def test_the_int8_file_takes_raw_pixels_and_is_integer_throughout(int8_file):
    report = json.loads(int8_file.with_suffix(".json").read_text())
    assert report["input"] == {"shape": [1, 32, 32, 1], "dtype": "uint8", "scale": 1.0, "zero_point": 0}
    assert report["output"] == {"shape": [1, 10], "dtype": "uint8", "scale": 1 / 256, "zero_point": 0}
    assert set(report["operators"]) == {
        "AVERAGE_POOL_2D",
        "CONV_2D",
        "FULLY_CONNECTED",
        "QUANTIZE",
        "RESHAPE",
        "SOFTMAX",
        "TANH",
    }
    assert report["size_bytes"] == int8_file.stat().st_size < 76_000
    assert report["calibration"] == {"images": 500, "split": "train", "seed": 0}
    assert report["held_out"] is True


def test_the_report_tells_what_the_file_does(int8_file, model, embedded):
    report = json.loads(int8_file.with_suffix(".json").read_text())
    reference = probabilities_of(model, embedded.test.images).argmax(axis=1)
    ours = Classifier(int8_file.read_bytes(), int8_file).probabilities(embedded.test.images).argmax(axis=1)
    assert report["keras_accuracy"] == pytest.approx((reference == embedded.test.labels).mean())
    assert report["tflite_accuracy"] == pytest.approx((ours == embedded.test.labels).mean())
    assert report["agreement"] == pytest.approx((ours == reference).mean())
    assert report["drop"] == pytest.approx(100 * (report["keras_accuracy"] - report["tflite_accuracy"]), abs=1e-4)


def test_labels_travel_inside_the_file(int8_file):
    content = description.read(int8_file.read_bytes(), int8_file)
    assert content["labels"] == list("0123456789")
    assert "0 background to 255 stroke" in content["input"]


def test_a_model_that_loses_too_much_is_not_left(command, model, tmp_path):
    """One filter of C1 a thousand times larger: the others then share a few of the 256 steps of int8."""
    spoilt = keras.models.clone_model(model)
    weights = model.get_weights()
    weights[0][..., 0] *= 1_000
    spoilt.set_weights(weights)
    spoilt.save(tmp_path / "spoilt.keras")
    (tmp_path / "lenet5_int8.tflite").write_text("earlier")
    arguments = ("--model", tmp_path / "spoilt.keras", "--dataset", "embedded", "--out", tmp_path)
    done = command("export.tflite", "lenet5", *arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Rejected" in done.stdout
    assert (tmp_path / "lenet5_int8.tflite").read_text() == "earlier"
    assert not (tmp_path / "lenet5_int8.json").exists()
    done = command("export.tflite", "lenet5", *arguments, "--max-drop", 100)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: keras_classics.LeNet5(classes=7), r"to \(None, 7\); expected"),
        (lambda: keras_classics.LeNet5(classifier_activation=None), "does not end in class probabilities"),
    ],
)
def test_another_network_is_refused_in_one_sentence(command, build, named, tmp_path):
    import re

    build().save(tmp_path / "other.keras")
    done = command(
        "export.tflite", "lenet5", "--model", tmp_path / "other.keras", "--dataset", "embedded", "--out", tmp_path
    )
    assert done.returncode == 2
    assert re.search(named, done.stderr)
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["other.keras"]


@pytest.mark.parametrize("text", ["", "[]", '{"dataset": 3}', '{"dataset": {"name": 3}}'])
def test_a_damaged_history_is_as_good_as_none(text, model, tmp_path):
    model.save(tmp_path / "lenet5.keras")
    (tmp_path / "lenet5_history.json").write_text(text)
    loaded = source.load(tmp_path / "lenet5.keras", lenet, "embedded", None)
    assert loaded.held_out is None


def test_a_damaged_keras_file_is_refused_in_one_sentence(command, tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "damaged.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    done = command("export.tflite", "lenet5", "--model", tmp_path / "damaged.keras", "--dataset", "embedded")
    assert done.returncode == 2
    assert "cannot be read as a Keras model" in done.stderr
    assert done.stderr.count("\n") == 1
