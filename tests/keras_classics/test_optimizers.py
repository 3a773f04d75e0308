"""keras_classics.optimizers: the rules of Keras and of the paper, in one operation a variable."""

import keras
import numpy as np
import pytest

import keras_classics
from keras_classics import LeNet5, optimizers


@pytest.mark.parametrize("settings", [{}, {"clipnorm": 2.0}, {"amsgrad": True}], ids=str)
def test_fused_adamw_is_that_of_keras(settings):
    ours, theirs = (home.AdamW(0.01, weight_decay=0.1, **settings) for home in (optimizers, keras.optimizers))
    values = np.random.default_rng(0).normal(size=(5, 7)).astype("float32")
    a, b = keras.Variable(values), keras.Variable(values)
    for step in range(5):
        gradient = keras.ops.convert_to_tensor(np.sin(values + step))
        ours.apply([gradient], [a])
        theirs.apply([gradient], [b])
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)
    assert not np.allclose(a.numpy(), values)


@pytest.mark.parametrize("backend", ["tensorflow", "another"])
def test_momentum_and_decay_are_the_papers_rule(backend, monkeypatch):
    """Section 5 of Krizhevsky et al., 2012, three steps by hand."""
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    weight = keras.Variable([1.0, -2.0])
    optimizer = optimizers.MomentumSGD(0.1, momentum=0.9, weight_decay=0.5)
    optimizer.build([weight])
    w, v = np.array([1.0, -2.0]), np.zeros(2)
    for gradient in ([0.3, 0.0], [-1.0, 2.0], [0.0, 0.5]):
        v = 0.9 * v - 0.5 * 0.1 * w - 0.1 * np.array(gradient)
        w = w + v
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
        np.testing.assert_allclose(weight.numpy(), w, rtol=1e-6)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("kind", ["AdamW", "MomentumSGD"])
def test_fit_trains_and_a_saved_model_goes_on_as_if_never_saved(kind, jit, tmp_path):
    keras.utils.set_random_seed(1)
    images = np.random.default_rng(0).normal(size=(64, 32, 32, 1)).astype("float32")
    labels = np.arange(64) % 10
    momentum = {"momentum": 0.9} if kind == "MomentumSGD" else {}
    model = LeNet5()
    optimizer = getattr(keras_classics.optimizers, kind)(0.003, **momentum)
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=jit, steps_per_execution=2)
    how = {"batch_size": 16, "shuffle": False, "verbose": 0}
    before = model.fit(images, labels, epochs=2, **how).history["loss"]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.optimizer) is type(optimizer)
    losses = [network.fit(images, labels, **how).history["loss"] for network in (model, again)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0][0] < before[0]
