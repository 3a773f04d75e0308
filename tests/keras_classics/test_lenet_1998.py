"""LeNet-5 as published, against section II.B, table I and equations 7 and 9 of LeCun et al., 1998."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_classics
from keras_classics import characters, layers, lenet

# Trainable parameters and connections, layer by layer, as section II.B counts them.
COUNTS = {
    "C1": (156, 122_304),
    "S2": (12, 5_880),
    "C3": (1_516, 151_600),
    "S4": (32, 2_000),
    "C5": (48_120, 48_120),
    "F6": (10_164, 10_164),
    "output": (0, 840),
}


@pytest.fixture(scope="module")
def published():
    return keras_classics.LeNet5(variant="1998")


def test_parameters_are_those_of_the_paper(published):
    assert {name: published.get_layer(name).count_params() for name in COUNTS} == {
        name: parameters for name, (parameters, _) in COUNTS.items()
    }
    assert sum(int(np.prod(weight.shape)) for weight in published.trainable_weights) == 60_000


def test_connections_are_those_of_the_paper(published):
    for name, (_, connections) in COUNTS.items():
        layer = published.get_layer(name)
        assert keras_classics.connections(keras.Model(layer.input, layer.output)) == connections, name
    assert keras_classics.connections(published) == 340_908


def test_connections_need_known_sizes():
    with pytest.raises(ValueError, match="unknown size"):
        keras_classics.connections(keras_classics.LeNet5(include_top=False, variant="1998"))


def test_c3_is_connected_by_table_i(published):
    """Six maps see three neighbours, six see four, three see two pairs, one sees all: 60 planes, 10 an input map."""
    assert sorted(map(len, lenet.TABLE_I)) == [3] * 6 + [4] * 9 + [6]
    assert {source: sum(source in maps for maps in lenet.TABLE_I) for source in range(6)} == dict.fromkeys(range(6), 10)
    c3, maps = published.get_layer("C3"), np.random.default_rng(0).normal(size=(1, 14, 14, 6)).astype("float32")
    before = keras.ops.convert_to_numpy(c3(maps))
    for source in range(6):
        changed = maps.copy()
        changed[..., source] += 1
        moved = (keras.ops.convert_to_numpy(c3(changed)) != before).any(axis=(0, 1, 2))
        assert moved.tolist() == [source in seen for seen in lenet.TABLE_I]


def test_c3_connected_to_everything_is_a_convolution():
    maps = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    sparse = layers.SparselyConnectedConv2D([(0, 1, 2)] * 4, 5)
    dense = keras.layers.Conv2D(4, 5)
    sparse.build(maps.shape)
    dense.build(maps.shape)
    kernel = np.asarray(sparse.kernel).reshape(5, 5, 4, 3).transpose(0, 1, 3, 2)
    dense.set_weights([kernel, np.asarray(sparse.bias)])
    np.testing.assert_allclose(sparse(maps), dense(maps), rtol=1e-4, atol=1e-5)


def test_subsampling_adds_four_pixels_scales_and_squashes():
    maps = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype("float32")
    layer = layers.TrainableSubsampling(2, layers.scaled_tanh)
    layer.build(maps.shape)
    layer.set_weights([np.array([0.5, -1.0, 2.0]), np.array([0.1, 0.2, 0.3])])
    sums = maps.reshape(2, 2, 2, 3, 2, 3).sum(axis=(2, 4))
    expected = 1.7159 * np.tanh(2 / 3 * (sums * [0.5, -1.0, 2.0] + [0.1, 0.2, 0.3]))
    np.testing.assert_allclose(layer(maps), expected, rtol=1e-4, atol=1e-5)


def test_squashing_is_1_at_1():
    """Appendix A: with A = 1.7159 and S = 2/3, f(1) = 1 and f(-1) = -1."""
    np.testing.assert_allclose(layers.scaled_tanh(np.array([-1.0, 1.0], "float32")), [-1, 1], atol=1e-4)


def test_output_is_the_squared_distance_to_ten_drawings(published):
    bitmaps = characters.digit_bitmaps()
    assert bitmaps.shape == (10, 7 * 12)
    assert set(np.unique(bitmaps)) == {-1, 1}
    distances = layers.EuclideanRBF(bitmaps)(bitmaps)
    np.testing.assert_allclose(distances, ((bitmaps[:, None] - bitmaps) ** 2).sum(axis=-1))
    assert np.asarray(distances)[~np.eye(10, dtype=bool)].min() >= 40  # no two digits differ in fewer than ten pixels
    states = keras.Model(published.input, published.get_layer("F6").output)
    image = np.random.default_rng(1).normal(size=(1, 32, 32, 1)).astype("float32")
    expected = ((np.asarray(states(image)) - bitmaps) ** 2).sum(axis=-1)
    np.testing.assert_allclose(published(image)[0], expected, rtol=1e-5)


def test_softmax_makes_probabilities_of_distances(published):
    probable = keras_classics.LeNet5(variant="1998", classifier_activation="softmax")
    probable.set_weights(published.get_weights())
    images = np.random.default_rng(1).normal(size=(5, 32, 32, 1)).astype("float32")
    distances, probabilities = (model.predict(images, verbose=0) for model in (published, probable))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(distances.argmin(axis=1), probabilities.argmax(axis=1))


def test_loss_is_equation_9_and_its_gradient_pulls_and_pushes():
    distances = np.array([[3.0, 5.0, 40.0]], "float32")
    loss = lenet.MaximumAPosteriori(j=4.0)
    expected = 5.0 + np.log(np.exp(-4.0) + np.exp([-3.0, -5.0, -40.0]).sum())
    np.testing.assert_allclose(loss(np.array([1]), distances), expected, rtol=1e-5)
    point = tf.constant(distances)
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = loss(np.array([1]), point)
    gradient = tape.gradient(value, point).numpy()[0]
    assert gradient[1] > 0 > gradient[0]
    assert abs(gradient[2]) < 1e-6


def test_initial_weights_are_within_24_over_fan_in(published):
    for name, fan_in in (("C1", 25), ("C5", 400), ("F6", 120)):
        kernel, bias = published.get_layer(name).get_weights()
        assert 0.8 < np.abs(kernel).max() * fan_in / 2.4 <= 1
        assert (bias == 0).all()
    kernel = published.get_layer("C3").get_weights()[0]
    assert np.abs(kernel[..., :3]).max() <= 2.4 / 75 < np.abs(kernel).max() * 2
    assert np.abs(kernel[..., -6:]).max() <= 2.4 / 150


def test_a_saved_network_comes_back(published, tmp_path):
    published.save(tmp_path / "lenet5.keras")
    again = keras.models.load_model(tmp_path / "lenet5.keras")
    image = np.random.default_rng(1).normal(size=(1, 32, 32, 1)).astype("float32")
    np.testing.assert_allclose(again(image), published(image), rtol=1e-6)
    clone = keras.models.clone_model(published)
    assert clone.count_params() == 60_000


def test_it_learns_with_its_loss(embedded):
    model = keras_classics.LeNet5(variant="1998")
    model.compile(keras.optimizers.Adam(2e-3), lenet.MaximumAPosteriori())
    model.fit(lenet.preprocess_input(embedded.train.images), embedded.train.labels, epochs=4, verbose=0)
    distances = model.predict(lenet.preprocess_input(embedded.test.images), verbose=0)
    assert (distances.argmin(axis=1) == embedded.test.labels).mean() > 0.85


@pytest.mark.parametrize(("arguments", "named"), [({"variant": "1989"}, "'1989'"), ({"classes": 11}, "classes is 11")])
def test_what_the_paper_has_not_is_refused(arguments, named):
    with pytest.raises(ValueError, match=named):
        keras_classics.LeNet5(**{"variant": "1998", **arguments})
