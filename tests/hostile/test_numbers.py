"""Extreme pixels, 16 bits, single images, and the way from training to LiteRT: what the networks make of numbers.

More examples of the last test: ``KERAS_CLASSICS_EXAMPLES=100 python -m pytest tests/hostile/test_numbers.py``.
"""

import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from export.convert import quantize
from export.litert.classifier import Classifier
from keras_classics import AlexNet, LeNet5, lenet
from keras_classics.weights import keras_files

NETWORKS = {
    "tanh": LeNet5,
    "relu": lambda: LeNet5(activation="relu"),
    "1998": lambda: LeNet5(variant="1998", classifier_activation="softmax"),
    "alexnet": lambda: AlexNet(include_top=False, pooling="avg", input_shape=(67, 67, 3)),  # normalization and towers
}
EXTREMES = (0.0, 255.0, -1e30, 1e30, 3e38, np.nan, np.inf)


def batch_of(model, seed=0):
    shape = [side or 67 for side in model.input_shape[1:]]
    return np.random.default_rng(seed).random((len(EXTREMES) + 1, *shape)).astype(np.float32)


@pytest.mark.parametrize("kind", NETWORKS)
def test_an_extreme_image_has_a_sound_answer_or_none_and_the_others_keep_theirs(kind):
    """LeNet-5 has no finite answer to a pixel that is no number; AlexNet's ReLU and pooling may drop it."""
    model = NETWORKS[kind]()
    images = batch_of(model)
    expected = model(images).numpy()
    for place, value in enumerate(EXTREMES):
        images[place] = value
    found = model(images).numpy()
    np.testing.assert_allclose(found[-1], expected[-1], rtol=1e-5, atol=1e-6)
    for value, row in zip(EXTREMES, found, strict=False):
        finite = np.isfinite(row).all()
        assert finite or np.isnan(row).any() or np.isinf(row).any()
        assert kind == "alexnet" or not (np.isnan(value) and finite), value
        if finite and kind != "alexnet":
            assert row.min() >= 0
            assert row.sum() == pytest.approx(1, abs=1e-5)
    assert np.isfinite(found[:2]).all()


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_gradients_of_all_dark_and_all_bright_images_are_finite(kind, policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = NETWORKS[kind]()
    finally:
        keras.config.set_dtype_policy("float32")
    images = batch_of(model)[:4]
    images[0], images[1] = 0, 1.175
    with tf.GradientTape() as tape:
        outputs = tf.cast(model(images, training=False), tf.float32)
        loss = tf.reduce_mean(tf.square(outputs))
    assert np.isfinite(loss)
    for weight, gradient in zip(
        model.trainable_weights, tape.gradient(loss, [w.value for w in model.trainable_weights]), strict=True
    ):
        assert np.isfinite(tf.cast(tf.convert_to_tensor(gradient), tf.float32)).all(), weight.path


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_in_16_bits_trained_weights_give_the_same_classes(policy, embedded):
    images = lenet.preprocess_input(embedded.test.images[:300])
    expected = LeNet5(weights="mnist")(images).numpy()
    keras.config.set_dtype_policy(policy)
    try:
        found = LeNet5(weights="mnist")(images)
    finally:
        keras.config.set_dtype_policy("float32")
    assert found.dtype == tf.float32
    assert (found.numpy().argmax(1) == expected.argmax(1)).mean() >= 0.99


@pytest.mark.parametrize("kind", NETWORKS)
def test_an_image_alone_and_in_a_last_batch_has_the_answer_that_it_has_among_others(kind):
    model = NETWORKS[kind]()
    images = batch_of(model)
    expected = model(images).numpy()
    np.testing.assert_allclose(model.predict(images, batch_size=3, verbose=0), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model(images[-1:]).numpy(), expected[-1:], rtol=1e-4, atol=1e-6)


def test_digits_of_one_class_train_a_network_that_says_it(embedded):
    chosen = embedded.train.labels == 7
    model = LeNet5()
    model.compile("adam", "sparse_categorical_crossentropy")
    images = lenet.preprocess_input(embedded.train.images[chosen][:64])
    history = model.fit(images, embedded.train.labels[chosen][:64], epochs=8, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert (model(images).numpy().argmax(1) == 7).all()


CONFIGURATIONS = st.fixed_dictionaries(
    {
        "variant": st.sampled_from(("modern", "1998")),
        "activation": st.sampled_from(("tanh", "relu", "sigmoid", "scaled_tanh")),
        "classes": st.integers(2, 10),
        "side": st.sampled_from((32, 33, 40)),
        "seed": st.integers(0, 2**31 - 1),
        "mode": st.sampled_from(("float32", "float16")),
        "dtype": st.sampled_from(("uint8", "float32")),
        "steps": st.integers(1, 3),
        "batch": st.integers(1, 9),
    }
)


@settings(
    max_examples=int(os.environ.get("KERAS_CLASSICS_EXAMPLES", "4")),
    derandomize=True,
    deadline=None,
    database=None,
    phases=[phase for phase in Phase if phase != Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chosen=CONFIGURATIONS)
def test_what_is_trained_saved_loaded_and_exported_answers_alike(chosen, tmp_path):
    keras.utils.set_random_seed(chosen["seed"])
    random, side, batch = np.random.default_rng(chosen["seed"]), chosen["side"], chosen["batch"]
    if chosen["variant"] == "1998":
        side = 32
    model = LeNet5(
        variant=chosen["variant"],
        activation=chosen["activation"],
        classes=chosen["classes"],
        input_shape=(side, side, 1),
        classifier_activation="softmax",
    )
    count = chosen["steps"] * batch + 1  # the last batch has one image
    images = random.integers(0, 256, (count, side, side, 1), np.uint8)
    labels = random.integers(0, chosen["classes"], count)
    model.compile(keras.optimizers.SGD(1e-3), "sparse_categorical_crossentropy")
    model.fit(lenet.preprocess_input(images), labels, batch_size=batch, verbose=0)
    expected = model.predict(lenet.preprocess_input(images), verbose=0)
    assert np.isfinite(expected).all()
    model.save(tmp_path / "model.keras")
    loaded = keras_files.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(lenet.preprocess_input(images), verbose=0), expected, atol=1e-6)
    tflite = quantize.run(lambda: quantize.convert(loaded, lenet.PREPROCESSING, chosen["mode"], dtype=chosen["dtype"]))
    found = Classifier(tflite, "model.tflite").probabilities(images)
    np.testing.assert_allclose(found, expected, atol=1e-5 if chosen["mode"] == "float32" else 5e-3)
