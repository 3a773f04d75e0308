"""Ours beside Keras' own, in training and out of it."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_classics.layers import BatchNormalization

_RENORMALIZES = "renorm" in inspect.signature(keras.layers.BatchNormalization).parameters  # not in older releases
ROUNDING = {"float32": 2e-5, "bfloat16": 2e-2, "float16": 2e-3}


def run(kind, shape, dtype, *, training=True, trainable=True, mask=None, **settings):
    """Outputs, gradients and weights after one step, as float32; and the operations that the step is made of."""
    layer = kind(dtype=dtype if dtype == "float32" else f"mixed_{dtype}", **settings)
    layer.build((None, *shape[1:]))
    layer.trainable = trainable
    random = np.random.default_rng(0)
    for weight in layer.weights:
        weight.assign(random.uniform(0.5, 1.5, weight.shape))
    images, wanted = (tf.cast(random.normal(2, 3, shape), dtype) for _ in range(2))
    learnt = [weight for weight in (layer.gamma, layer.beta) if weight is not None]

    @tf.function(autograph=False)
    def step(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images, training=training, mask=mask)
        return outputs, tape.gradient(outputs, [images, *(w.value for w in learnt)], output_gradients=wanted)

    outputs, gradients = step(images)
    assert outputs.dtype == dtype
    found = [outputs, *gradients, *(weight.value for weight in layer.weights)]
    graph = step.get_concrete_function(images).graph
    return [tf.cast(value, tf.float32).numpy() for value in found], {each.type for each in graph.get_operations()}


def assert_alike(found, expected, tolerance):
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * max(1.0, np.abs(theirs).max()))


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize(
    "settings", [{}, {"scale": False}, {"center": False}, {"momentum": 0.5, "epsilon": 0.1}], ids=str
)
def test_a_training_step_is_that_of_keras(settings, dtype):
    shape = (5, 4, 6, 3)
    expected, _ = run(keras.layers.BatchNormalization, shape, dtype, **settings)
    found, operations = run(BatchNormalization, shape, dtype, **settings)
    assert_alike(found, expected, ROUNDING[dtype])
    assert "FusedBatchNormV3" in operations


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((5, 4, 6, 3), {"training": False}),
        ((5, 4, 6, 3), {"trainable": False}),
        ((5, 4, 6, 3), {"axis": 1}),
        *([((5, 4, 6, 3), {"renorm": True})] if _RENORMALIZES else []),
        ((5, 4, 6, 3), {"mask": np.tile([True, False], (5, 4, 3))}),
        ((5, 3), {}),
        ((5, 4, 4, 4, 3), {}),
    ],
    ids=str,
)
def test_what_has_no_fast_form_is_keras_own(shape, told):
    expected, _ = run(keras.layers.BatchNormalization, shape, "float32", **told)
    found, operations = run(BatchNormalization, shape, "float32", **told)
    assert_alike(found, expected, 1e-6)
    assert "FusedBatchNormV3" not in operations


def test_one_value_a_map_is_normalized_to_the_offset():
    """Of one value there is no variance with n - 1."""
    (outputs, *_, variance), _ = run(BatchNormalization, (1, 1, 1, 3), "float32", momentum=0.0, center=False)
    np.testing.assert_array_equal(outputs, np.zeros((1, 1, 1, 3)))
    np.testing.assert_array_equal(variance, np.zeros(3))


def test_a_model_keeps_it_and_its_weights(tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 2)), BatchNormalization(scale=False, name="norm")])
    model.compile("sgd", "mse")
    images = np.random.default_rng(0).normal(size=(8, 4, 4, 2))
    model.fit(images, images, verbose=0)
    model.save(tmp_path / "norm.keras")
    again = keras.models.load_model(tmp_path / "norm.keras")
    assert type(again.get_layer("norm")) is BatchNormalization
    np.testing.assert_array_equal(again.predict(images, verbose=0), model.predict(images, verbose=0))
    plain = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.BatchNormalization(scale=False, name="norm")])
    model.save_weights(tmp_path / "norm.weights.h5")
    plain.load_weights(tmp_path / "norm.weights.h5")
    np.testing.assert_array_equal(plain.predict(images, verbose=0), model.predict(images, verbose=0))
