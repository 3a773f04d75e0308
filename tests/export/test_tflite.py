"""Device models: same answers as Keras, raw pixels in, and nothing bad gets out."""

import json
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

import keras_classics
from export import contract, tflite
from export.convert import quantize
from export.inputs import data, source
from export.litert import metadata
from export.litert.classifier import Classifier
from keras_classics import lenet


def probabilities_of(model, images):
    return model.predict(lenet.preprocess_input(images), verbose=0)


def request(*given):
    return tflite.request_of(tflite.parser().parse_args(["lenet5", *map(str, given)]))


@pytest.mark.parametrize(
    ("mode", "largest_size", "largest_difference"),
    [
        ("float32", 260_000, 1e-4),
        ("float16", 135_000, 1e-2),
        ("dynamic", 78_000, 0.3),
        ("int8", 76_000, 0.5),
        ("int16x8", 78_000, 0.3),
    ],
)
def test_every_mode_answers_as_keras_does(mode, largest_size, largest_difference, model, embedded):
    converted = quantize.convert(model, lenet.PREPROCESSING, mode, embedded.train.images[:200])
    assert len(converted) < largest_size
    reference = probabilities_of(model, embedded.test.images)
    ours = Classifier(converted, mode).probabilities(embedded.test.images)
    assert (ours.argmax(axis=1) == reference.argmax(axis=1)).mean() > 0.98
    assert np.abs(ours - reference).max() < largest_difference


def test_the_int8_file_takes_raw_pixels_and_is_integer_throughout(int8_file):
    report = json.loads(int8_file.with_suffix(".json").read_text())
    assert report["input"] == {"shape": [1, 32, 32, 1], "dtype": "uint8", "scale": 1.0, "zero_point": 0}
    assert report["output"] == {"shape": [1, 10], "dtype": "uint8", "scale": 1 / 256, "zero_point": 0}
    integer = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "QUANTIZE", "RESHAPE", "SOFTMAX", "TANH"}
    assert set(report["operators"]) == integer
    assert report["size_bytes"] == int8_file.stat().st_size < 76_000
    assert report["calibration"] == {"images": 500, "split": "train", "seed": 0}
    assert report["held_out"] is True
    assert {"tensorflow", "keras", "ai-edge-litert", "numpy"} <= set(report["versions"])


def test_the_report_tells_what_the_file_does(int8_file, model, embedded):
    report = json.loads(int8_file.with_suffix(".json").read_text())
    reference = probabilities_of(model, embedded.test.images).argmax(axis=1)
    ours = Classifier(int8_file.read_bytes(), int8_file).probabilities(embedded.test.images).argmax(axis=1)
    assert report["keras_accuracy"] == pytest.approx((reference == embedded.test.labels).mean())
    assert report["accuracy"] == pytest.approx((ours == embedded.test.labels).mean())
    assert report["agreement"] == pytest.approx((ours == reference).mean())
    assert report["drop"] == pytest.approx(100 * (report["keras_accuracy"] - report["accuracy"]), abs=1e-4)
    low, high = report["interval_95"]
    assert low < report["accuracy"] < high


def test_labels_travel_inside_the_file(int8_file):
    content = metadata.read(int8_file.read_bytes(), int8_file)
    assert content["labels"] == list("0123456789")
    assert "0 background to 255 stroke" in content["input"]


def test_all_modes_are_one_table(called, run_folder, tmp_path):
    done = called(
        *("export.tflite", "lenet5", "--mode", "all", "--model", run_folder / "lenet5.keras", "--out", tmp_path),
        *("--test-images", 200, "--io", "int8", "--max-drop", 2, "--debug"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split("|")[1].strip() for line in done.stdout.split("| mode |")[1].splitlines()[2:] if "|" in line]
    assert rows == list(contract.MODES)
    for mode in contract.MODES:
        report = json.loads((tmp_path / f"lenet5_{mode}.json").read_text())
        assert report["mode"] == mode
        assert report["test_images"] == 200
        assert report["agreement"] >= 0.98
        assert report["input"]["dtype"] == "int8"
        assert set(report["latency_us"]) == {"1", "2"}
        assert report["peak_memory_bytes"] > 10**8
    layers = json.loads((tmp_path / "lenet5_int8_layers.json").read_text())
    assert any(row["operator"] == "CONV_2D" and row["rms_error"] > 0 for row in layers)
    assert "| operator | tensor |" in done.stdout


def test_calibration_is_an_even_share_of_every_class_of_the_training_split(embedded):
    asked = request("--dataset", "embedded", "--weights", "mnist", "--calibration-images", 100, "--seed", 3)
    images, record = data.calibration(source.load(asked), asked)
    assert record == {"images": 100, "split": "train", "seed": 3}
    known = {image.tobytes(): label for image, label in zip(embedded.train.images, embedded.train.labels, strict=True)}
    labels = [known[image.tobytes()] for image in images]
    assert np.bincount(labels).tolist() == [10] * 10


def test_a_model_calibrated_on_noise_is_not_left(called, tmp_path):
    """Dim noise: ranges too narrow for strokes, so that the activations of real digits are clipped."""
    random = np.random.default_rng(0)
    (tmp_path / "noise").mkdir()
    for number in range(50):
        picture = random.integers(0, 40, (32, 32)).astype(np.uint8)
        picture[5, 5] = 255
        Image.fromarray(picture).save(tmp_path / "noise" / f"{number}.png")
    model = keras_classics.LeNet5(weights="mnist", activation="relu")
    model.save(tmp_path / "digits.keras")
    (tmp_path / "digits_int8.tflite").write_text("earlier")
    given = ("export.tflite", tmp_path / "digits.keras", "--dataset", "embedded", "--out", tmp_path)
    done = called(*given, "--calibration", f"folder:{tmp_path / 'noise'}")
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"Rejected: \d+\.\d\d points of accuracy lost, more than --max-drop 0\.5", done.stdout)
    assert (tmp_path / "digits_int8.tflite").read_text() == "earlier"
    assert not (tmp_path / "digits_int8.json").exists()
    done = called(*given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "digits_int8.tflite").stat().st_size > 60_000


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: keras_classics.LeNet5(classes=7), "has 10 classes; this LeNet-5 has 7"),
        (lambda: keras_classics.LeNet5(classifier_activation=None), "does not end in class probabilities"),
        (lambda: keras_classics.LeNet5(variant="1998"), r"is LeNet-5 \(1998\), not LeNet-5; export it as lenet5-1998"),
        (lambda: keras_classics.LeNet5(include_top=False), "neither LeNet-5 nor AlexNet with its last layers"),
    ],
)
def test_another_network_is_refused_in_one_sentence(called, build, named, tmp_path):
    build().save(tmp_path / "other.keras")
    done = called(
        "export.tflite", "lenet5", "--model", tmp_path / "other.keras", "--dataset", "embedded", "--out", tmp_path
    )
    assert done.returncode == 2
    assert re.search(named, done.stderr)
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["other.keras"]


def test_alexnet_is_verified_on_pictures_without_labels(called, tmp_path):
    random = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    for number in range(12):
        coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8))
        coarse.resize((80, 60)).save(tmp_path / "pictures" / f"{number}.png")
    done = called(
        *("export.tflite", "alexnet", "--variant", "cifar10", "--pictures", tmp_path / "pictures"),
        *("--lrn", "banded", "--out", tmp_path),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Weights are random" in done.stderr
    report = json.loads((tmp_path / "alexnet_random_int8.json").read_text())
    assert report["accuracy"] is None
    assert report["agreement"] >= 0.5
    assert report["rms_logit_difference"] < 0.3 * report["logit_spread"]
    assert report["test_images"] == 9  # of twelve a quarter calibrates
    parameters = 35_855_178
    assert report["size_bytes"] <= 0.26 * 4 * parameters


def test_a_damaged_keras_file_is_refused_in_one_sentence(called, tmp_path):
    with zipfile.ZipFile(tmp_path / "damaged.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    done = called("export.tflite", "lenet5", "--model", tmp_path / "damaged.keras", "--dataset", "embedded")
    assert done.returncode == 2
    assert "cannot be read as a Keras model" in done.stderr
    assert done.stderr.count("\n") == 1
