"""Pruning, clustering and quantization-aware training: what they leave of a network, and in its file."""

import gzip
import json
import os

import keras
import numpy as np
import pytest

from export.convert import quantize, raw_pixels
from export.finetune import tf_keras_bridge, tfmot
from export.gate import REJECTED
from export.litert import flatbuffer
from export.litert.classifier import Classifier
from keras_classics import AlexNet, LeNet5, lenet
from keras_classics.errors import InputError
from keras_classics.layers import scaled_tanh

IMAGES = 12_800  # that a stage sees: 100 steps
INNER = ("C3", "C5", "F6")


def digits(count, size=32):
    return np.random.default_rng(0).uniform(-0.1, 1.175, (count, size, size, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def trained():
    return LeNet5(weights="mnist", activation="relu")


@pytest.fixture(scope="module")
def small(trained, embedded):
    """LeNet-5 with a fifth of its weights, in 16 values, trained with the rounding of 8 bits: ``(network, file)``."""
    steps = {"qat": True, "prune": 0.8, "cluster": 16}
    network = tfmot.fine_tune(trained, lenet.PREPROCESSING, embedded, **steps, images=IMAGES, say=lambda line: None)
    return network, tfmot.convert(network)


def kernels(tflite):
    """``{layer: int8 kernel, units first}`` of a file."""
    content = flatbuffer.load(tflite)
    found = {}
    for tensor in content.subgraphs[0].tensors:
        data = content.buffers[tensor.buffer].data
        if data is not None and len(tensor.shape) in (2, 4) and np.prod(tensor.shape) == len(data):
            layer = next((name for name in INNER if tensor.name.decode() == f"{name}/weights"), None)
            if layer:
                found[layer] = np.asarray(data).view(np.int8).reshape(tensor.shape)
    return found


@pytest.mark.parametrize(
    "build",
    [
        lambda: LeNet5(weights="mnist"),
        lambda: LeNet5(weights="mnist", activation="relu"),
        lambda: LeNet5(activation="scaled_tanh"),
        lambda: LeNet5(weights="mnist", variant="1998"),
        lambda: LeNet5(variant="1998", classifier_activation="softmax"),
        lambda: LeNet5(include_top=False, input_shape=(32, 32, 1)),
        lambda: AlexNet(variant="cifar10"),
    ],
    ids=["tanh", "relu", "scaled_tanh", "1998", "1998 softmax", "no top", "AlexNet for CIFAR-10"],
)
def test_networks_compute_the_same_in_tf_keras_and_return_with_their_weights(build):
    model = build()
    images = np.random.default_rng(1).normal(size=(4, *model.input_shape[1:])).astype(np.float32)
    # At other images than the proof in to_tf_keras itself.
    network = tf_keras_bridge.to_tf_keras(model, images[:2])
    expected, found = np.asarray(model(images)), np.asarray(network(images))
    np.testing.assert_allclose(found, expected, atol=1e-5 * max(1, np.abs(expected).max()))
    for ours, theirs in zip(tf_keras_bridge.to_keras(network, model).get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_cannot_be_rebuilt_is_refused_by_name():
    image = keras.Input((32, 32, 1))
    normalized = keras.Model(image, keras.layers.GroupNormalization(1, name="norm")(image))
    with pytest.raises(InputError, match=r"norm \(GroupNormalization\) has no counterpart"):
        tf_keras_bridge.to_tf_keras(normalized, digits(2))
    left, right = (keras.layers.Conv2D(2, 3, name=name)(image) for name in ("left", "right"))
    with pytest.raises(InputError, match="right does not follow layer left"):
        tf_keras_bridge.to_tf_keras(keras.Model(image, keras.layers.Concatenate()([left, right])), digits(2))


def test_another_result_is_not_taken_for_the_same():
    with pytest.raises(InputError, match="gives other outputs"):
        tf_keras_bridge.check_equal(np.ones((2, 10)), np.full((2, 10), 1.0001), "rebuilt")


@pytest.mark.parametrize(
    ("build", "what"),
    [
        (lambda: LeNet5(variant="1998", classifier_activation="softmax"), "C1 has the activation scaled_tanh"),
        (lambda: LeNet5(activation=scaled_tanh), "C1 has the activation scaled_tanh"),
    ],
    ids=["1998", "scaled_tanh"],
)
def test_quantization_aware_training_refuses_what_it_does_not_know(build, what, embedded):
    with pytest.raises(InputError, match=what):
        tfmot.fine_tune(build(), lenet.PREPROCESSING, embedded, qat=True, images=IMAGES)


def test_distances_are_no_probabilities_to_learn_from(embedded):
    with pytest.raises(InputError, match="does not end in class probabilities"):
        tfmot.fine_tune(LeNet5(variant="1998"), lenet.PREPROCESSING, embedded, prune=0.5, images=IMAGES)


def test_zeros_and_clusters_survive_into_the_bytes_of_the_file(small):
    found = kernels(small[1])
    assert set(found) == set(INNER)
    for name, kernel in found.items():
        assert (kernel == 0).mean() >= 0.795, name
        # A dense layer has one scale: 16 weights are 16 bytes. A convolution has one a map.
        units = kernel if kernel.ndim == 4 else kernel[None]
        assert max(len(np.unique(unit)) for unit in units) <= 16, name


def test_a_pruned_and_clustered_file_is_small_and_still_right(small, trained, embedded):
    test = embedded.test
    tflite = small[1]
    assert len(gzip.compress(tflite, 9)) <= 25_000
    assert len(tflite) <= 72_000
    right = (Classifier(tflite, "small.tflite").probabilities(test.images).argmax(axis=1) == test.labels).mean()
    before = (trained.predict(lenet.preprocess_input(test.images), verbose=0).argmax(axis=1) == test.labels).mean()
    assert right >= before - 0.025  # after 100 steps a stage, against thousands


def test_file_takes_raw_pixels_and_answers_as_the_network_it_was_made_of(small, embedded):
    network, tflite = small
    classifier = Classifier(tflite, "small.tflite")
    assert classifier.input["dtype"] is np.uint8
    assert classifier.input["quantization"] == (1.0, 0)
    images = embedded.test.images[:300]
    expected = network.predict(lenet.preprocess_input(images), verbose=0)
    assert (classifier.probabilities(images).argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.99


@pytest.mark.parametrize(("dtype", "less"), [("uint8", 0), ("int8", 128)])
def test_pixels_go_into_the_weights_bit_for_bit(small, embedded, dtype, less, monkeypatch):
    images = embedded.test.images[:200]
    change = raw_pixels.with_raw_pixels
    monkeypatch.setattr(raw_pixels, "with_raw_pixels", lambda model: model)
    scaled = tfmot.convert(small[0], dtype)
    raw = change(scaled)
    outputs = []
    for tflite in (scaled, raw):
        interpreter = Classifier(tflite, "x.tflite")._interpreter
        source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        rows = []
        for image in images:
            interpreter.set_tensor(source["index"], (image.astype(np.int16) - less).astype(dtype)[None])
            interpreter.invoke()
            rows.append(interpreter.get_tensor(target["index"])[0])
        outputs.append((source["quantization"], np.array(rows)))
    assert outputs[0][0][0] == pytest.approx(0.005, rel=1e-6)
    assert outputs[1][0] == (1.0, -less)
    np.testing.assert_array_equal(outputs[0][1], outputs[1][1])


def test_without_quantization_the_keras_network_gets_the_zeros_and_clusters(trained, embedded):
    lines = []
    steps = {"prune": 0.6, "cluster": 8}
    network = tfmot.fine_tune(trained, lenet.PREPROCESSING, embedded, **steps, images=640, say=lines.append)
    model = tf_keras_bridge.to_keras(network, trained)
    report = tfmot.weights_report(network)
    for name in INNER:
        kernel = model.get_layer(name).get_weights()[0]
        assert (kernel == 0).mean() == pytest.approx(0.6, abs=0.01)
        assert len(np.unique(kernel)) <= 8
        assert report[name] == ((kernel == 0).mean(), len(np.unique(kernel)))
    assert set(report) == {"C1", *INNER, "output"}
    for name in ("C1", "output"):  # few weights, and the most delicate
        assert (model.get_layer(name).get_weights()[0] != 0).all()
    assert any(line.startswith("Pruning: step 5/5, validation 9") for line in lines)
    tflite = quantize.convert(model, lenet.PREPROCESSING, "float32")
    assert len(gzip.compress(tflite)) < len(tflite) / 3


def test_the_rest_of_the_process_keeps_its_keras():
    tfmot.import_tfmot()
    import tensorflow as tf

    assert "TF_USE_LEGACY_KERAS" not in os.environ
    assert tf.keras.layers.Dense is keras.layers.Dense


def test_the_command_line_says_what_was_done_and_judges_by_the_network_it_began_with(called, tmp_path):
    network = ("export.tflite", "lenet5", "--weights", "mnist", "--dataset", "embedded", "--out", tmp_path)
    one_step = ("--fine-tune-images", 128)
    done = called(*network, *one_step, "--prune", 0.95, "--mode", "float32")
    assert done.returncode == REJECTED, done.stderr
    assert "points of accuracy lost, more than --max-drop 0.5" in done.stdout
    assert not list(tmp_path.iterdir())
    done = called(*network, *one_step, "--cluster", 64, "--aware", "qat", "--max-drop", 2)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "lenet5_cluster64_qat_int8.json").read_text())
    assert (report["fine_tuning"]["cluster"], report["fine_tuning"]["qat"]) == (64, True)
    assert report["fine_tuning"]["layers"]["C5"][1] <= 64
    assert report["calibration"] is None
    assert report["keras_accuracy"] == 0.991
