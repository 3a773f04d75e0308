"""The layers against the paper's formula, Keras' own convolution, and finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_classics.layers import Conv2D, LocalResponseNormalization

SETTINGS = [
    {},
    {"depth_radius": 0},
    {"depth_radius": 4, "bias": 1.0, "alpha": 0.5, "beta": 1.5},
    {"depth_radius": 50, "alpha": 0.1},  # a window wider than the channels
]


def response(a, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75):
    """Section 3.3, term by term, in float64."""
    a = a.astype(np.float64)
    channels, b = a.shape[-1], np.empty_like(a)
    for i in range(channels):
        window = range(max(0, i - depth_radius), min(channels - 1, i + depth_radius) + 1)
        b[..., i] = a[..., i] / (bias + alpha * sum(a[..., j] ** 2 for j in window)) ** beta
    return b


def activations(shape=(2, 3, 3, 7), scale=30.0):
    return (np.random.default_rng(0).normal(size=shape) * scale).astype("float32")


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(
    ("form", "dtype"),
    [
        ("auto", "float32"),
        ("auto", "float64"),
        ("fused", "float32"),
        ("fused", "float64"),
        ("native", "float32"),
        ("window", "float32"),
        ("banded", "float32"),
        ("banded", "float64"),
    ],
)
def test_lrn_is_the_papers_formula(settings, form, dtype):
    layer = LocalResponseNormalization(**settings, form=form, dtype=dtype)
    ours = keras.ops.convert_to_numpy(layer(activations().astype(dtype)))
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours, response(activations(), **settings), rtol=2e-6 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 2e-3), ("bfloat16", 2e-2)])
def test_lrn_of_16_bits_does_not_overflow(dtype, tolerance):
    """A square of 3,000 is beyond float16."""
    large = activations(scale=3_000.0)
    ours = LocalResponseNormalization(dtype=dtype)(large)
    assert keras.backend.standardize_dtype(ours.dtype) == dtype
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(keras.ops.cast(ours, "float32")), response(large), rtol=tolerance
    )


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_lrn_of_fewer_channels_than_the_window(channels):
    few = activations((1, 2, 2, channels))
    np.testing.assert_allclose(LocalResponseNormalization()(few), response(few), rtol=1e-6)


def test_lrn_over_another_axis_and_rank_agrees():
    maps = activations()
    for form in ("auto", "banded"):
        first = LocalResponseNormalization(axis=1, form=form)(maps.transpose(0, 3, 1, 2))
        np.testing.assert_allclose(keras.ops.transpose(first, (0, 2, 3, 1)), response(maps), rtol=2e-6)
    np.testing.assert_allclose(LocalResponseNormalization()(maps[:, 0, 0]), response(maps[:, 0, 0]), rtol=2e-6)


@pytest.mark.parametrize(
    ("form", "dtype"),
    [
        ("fused", "float32"),
        ("fused", "float64"),
        ("native", "float32"),
        ("window", "float32"),
        ("window", "float64"),
        ("banded", "float32"),
    ],
)
@pytest.mark.parametrize("beta", [0.75, 1.25])
def test_lrn_gradient_agrees_with_finite_differences(form, dtype, beta):
    settings = {"alpha": 0.1, "beta": beta}
    point, weights = activations((1, 1, 2, 5), 3.0).astype(dtype), activations((1, 1, 2, 5), 1.0)
    inputs = tf.constant(point)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = tf.reduce_sum(LocalResponseNormalization(**settings, form=form, dtype=dtype)(inputs) * weights)
    gradient = tape.gradient(value, inputs).numpy()
    step, numeric = 1e-5, np.empty(point.shape)
    for index in np.ndindex(point.shape):
        nudge = np.zeros(point.shape)
        nudge[index] = step
        up, down = (response(point.astype(np.float64) + sign * nudge, **settings) for sign in (1, -1))
        numeric[index] = ((up - down) * weights).sum() / (2 * step)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"depth_radius": -1}, "-1"),
        ({"depth_radius": 1.5}, "1.5"),
        ({"bias": 0}, "bias is 0"),
        ({"depth_radius": float("inf")}, "inf"),
        ({"alpha": float("inf")}, "alpha is inf"),
        ({"form": "fast"}, "'fast'"),
    ],
)
def test_lrn_refuses_what_is_out_of_range(settings, named):
    with pytest.raises(ValueError, match=named):
        LocalResponseNormalization(**settings)


def mean_square_response(a, size, alpha, beta, k):
    """Caffe's and PyTorch's convention, term by term: alpha is of the mean over the window, zeros beyond the edge."""
    padded = np.pad(a.astype(np.float64) ** 2, [(0, 0)] * (a.ndim - 1) + [(size // 2, size // 2)])
    mean = np.stack([padded[..., i : i + size].mean(axis=-1) for i in range(a.shape[-1])], axis=-1)
    return a / (k + alpha * mean) ** beta


@pytest.mark.parametrize("size", [1, 3, 5])
def test_lrn_converts_other_conventions(size):
    maps, constants = activations(), {"alpha": 2e-3, "beta": 0.6, "k": 1.5}
    expected = mean_square_response(maps, size, **constants)
    for layer in (
        LocalResponseNormalization.from_caffe(size, **constants),
        LocalResponseNormalization.from_torch(size, **constants),
    ):
        np.testing.assert_allclose(layer(maps), expected, rtol=2e-6)
    with pytest.raises(ValueError, match="odd number"):
        LocalResponseNormalization.from_torch(size + 1)


@pytest.mark.parametrize("form", ["fused", "native", "window", "banded"])
def test_lrn_of_huge_tiny_and_undefined_activations(form):
    layer = LocalResponseNormalization(form=form)
    for scale in (1e-30, 1e15):
        maps = activations(scale=scale)
        np.testing.assert_allclose(layer(maps), response(maps), rtol=1e-5)
    undefined = activations()
    undefined[0, 1, 1, 6] = np.nan
    result = keras.ops.convert_to_numpy(layer(undefined))
    assert np.isnan(result[0, 1, 1, 6])
    assert not np.isnan(result[:, 0]).any()
    if form == "window":  # the others multiply by a matrix, whose zeros spread it over the channels of that pixel
        assert not np.isnan(result[0, 1, 1, :4]).any()


def test_lrn_native_refuses_what_tensorflows_operator_cannot_do():
    for layer in (
        LocalResponseNormalization(form="native", axis=1),
        LocalResponseNormalization(form="native", dtype="float64"),
    ):
        with pytest.raises(ValueError, match='form="native" takes'):
            layer(activations())


def test_lrn_of_whole_numbers_gives_floats():
    whole = activations().astype("int32")
    np.testing.assert_allclose(LocalResponseNormalization()(whole), response(whole), rtol=2e-6)


def test_lrn_config_comes_back():
    layer = LocalResponseNormalization(depth_radius=3, bias=1.0, alpha=0.2, beta=0.5, axis=1, form="banded")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    assert keras.saving.get_registered_name(type(layer)) == "keras_classics>LocalResponseNormalization"


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        ((2, 5, 5, 4), {"kernel_size": 5}),  # covers the map
        ((2, 9, 9, 4), {"kernel_size": 3, "groups": 2, "padding": "same"}),
        ((2, 9, 9, 4), {"kernel_size": 3, "groups": 2, "strides": 2}),
        ((2, 5, 5, 4), {"kernel_size": 5, "padding": "same"}),
    ],
)
def test_convolution_has_the_values_and_gradients_of_keras_own(shape, arguments):
    maps = tf.constant(activations(shape, 1.0))
    ours, theirs = Conv2D(6, activation="tanh", **arguments), keras.layers.Conv2D(6, activation="tanh", **arguments)
    theirs.build(shape)
    ours.build(shape)
    ours.set_weights([w + 0.1 for w in theirs.get_weights()])
    theirs.set_weights(ours.get_weights())
    results = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            tape.watch(maps)
            output = layer(maps)
            value = tf.reduce_sum(tf.square(output))
        results.append([output, *tape.gradient(value, [maps, *(v.value for v in layer.trainable_variables)])])
    for mine, reference in zip(*results, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-4, atol=1e-5)
