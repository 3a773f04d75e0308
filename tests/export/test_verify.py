"""The gate: it lets good models through, says of bad ones why not, and takes files that anybody has made."""

import json
import shutil

import keras
import numpy as np
import pytest

import keras_classics
from export import gate
from export.convert import quantize
from export.gate import metrics
from export.litert import metadata
from keras_classics import lenet


@pytest.fixture(scope="module")
def trained():
    return keras_classics.LeNet5(weights="mnist")


@pytest.fixture(scope="module")
def judged(trained, embedded):
    """``judged(tflite, **limits)``: the sentences on what it does not keep."""
    reference = metrics.keras_reference(trained, lenet.PREPROCESSING, embedded.test.images)

    def judge(tflite, **limits):
        found = metrics.measure(tflite, "x.tflite", embedded.test, reference, timed=False)
        return gate.failures(tflite, found, gate.Limits(**limits))

    return judge


def convert(model, mode="int8", embedded=None, **settings):
    images = embedded.train.images[:100] if embedded else None
    return quantize.convert(model, lenet.PREPROCESSING, mode, images, **settings)


def foreign(network):
    """A file that TensorFlow's converter makes of a Keras network without our help."""
    import tensorflow as tf

    return quantize.run(tf.lite.TFLiteConverter.from_keras_model(network).convert)


def test_good_models_pass_for_every_target_they_are_made_for(trained, embedded, judged):
    int8 = convert(trained, embedded=embedded)
    for target in ("mobile", "micro", "int8-only"):
        assert judged(int8, target=target, io="uint8", shape=(32, 32, 1), classes=10) == []
    assert judged(convert(trained, "float32")) == []


def test_operators_and_tensors_that_a_target_does_not_have_are_named(trained, embedded, judged):
    (operators, tensors) = judged(convert(trained, "float32"), target="int8-only")
    assert operators == "CAST not among the operators of the target int8-only"
    assert tensors == "tensors of FLOAT32, where the target int8-only has integers of 8 bits"
    (hybrid,) = judged(convert(trained, "dynamic"), target="micro")
    assert "float values with weights of 8 or 16 bits" in hybrid


def test_size_and_contract_are_kept(trained, embedded, judged):
    int8 = convert(trained, embedded=embedded)
    assert judged(int8, max_size=len(int8)) == []
    (size,) = judged(int8, max_size=50_000)
    assert "bytes, more than --max-size 50,000" in size
    assert judged(int8, io="int8") == ["input of uint8, not of int8"]
    assert judged(int8, shape=(28, 28, 1)) == ["input of 32 × 32 × 1, not of 28 × 28 × 1"]
    assert judged(int8, classes=26) == ["10 outputs, not 26"]


def test_lost_accuracy_and_agreement_are_seen(trained, embedded, judged):
    """Noise on the weights after training: a device that computes something else."""
    other = keras_classics.LeNet5()
    random = np.random.default_rng(0)
    other.set_weights([w + random.normal(scale=0.15, size=w.shape) for w in trained.get_weights()])
    drop, agreement = judged(convert(other, "float32"), min_agreement=95)
    assert "points of accuracy lost, more than --max-drop 0.5" in drop
    assert "less than --min-agreement 95" in agreement
    assert judged(convert(other, "float32"), max_drop=100) == []


def test_logits_are_no_probabilities(trained, judged):
    bare = keras_classics.LeNet5(classifier_activation=None)
    bare.set_weights(trained.get_weights())
    assert judged(convert(bare, "float32")) == ["outputs that are no probabilities"]


def test_a_file_can_be_verified_again_by_the_model_of_its_report(called, int8_file, tmp_path):
    done = called("export.verify", int8_file, "--json", "--target", "micro")
    assert done.returncode == 0, done.stdout + done.stderr
    again, first = json.loads(done.stdout), json.loads(int8_file.with_suffix(".json").read_text())
    assert again["passed"] is True
    for name in ("keras_accuracy", "accuracy", "agreement", "operators", "dataset", "source"):
        assert again[name] == first[name], name
    done = called("export.verify", int8_file, "--max-size", 1_000)
    assert done.returncode == 1
    assert "more than --max-size 1,000" in done.stdout.splitlines()[-1]
    shutil.copy(int8_file, tmp_path / "alone.tflite")  # no report beside it: the packaged weights stand in
    done = called("export.verify", tmp_path / "alone.tflite", "--dataset", "embedded", "--max-drop", 100)
    assert "Compared with: LeNet-5 with the weights mnist" in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr


def somebody_elses(trained, ground):
    """28×28 floats to digits, as a stranger would build it; ``ground`` is the value of a picture's paper."""
    image = keras.Input((28, 28, 1))
    stroke = image if ground == 0 else ground - image
    x = keras.layers.ZeroPadding2D(2)(stroke)
    x = (x - lenet.PREPROCESSING.mean[0]) * lenet.PREPROCESSING.scale[0]
    return keras.Model(image, trained(x))


@pytest.mark.parametrize(("ground", "code"), [(0, 0), (255, 1)], ids=["white on black", "black on white"])
def test_files_of_others_are_judged_by_their_answers_to_raw_pixels(called, trained, tmp_path, ground, code):
    path = tmp_path / "theirs.tflite"
    path.write_bytes(foreign(somebody_elses(trained, ground)))
    assert metadata.find(path.read_bytes(), path) is None
    done = called("export.verify", path)
    assert done.returncode == 2
    assert "does not say which network it is" in done.stderr
    done = called("export.verify", path, "--network", "lenet5", "--dataset", "embedded")
    assert done.returncode == code, done.stdout + done.stderr
    assert "does not describe itself; assumed: raw pixels" in done.stdout
    assert ("points of accuracy lost" in done.stdout) == bool(code)


def test_bad_files_get_one_sentence(called, trained, embedded, tmp_path):
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(convert(trained, "float32")[:5_000])
    done = called("export.verify", damaged, "--network", "lenet5", "--dataset", "embedded")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
