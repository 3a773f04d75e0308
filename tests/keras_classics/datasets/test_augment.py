"""Augmentations: nothing happens at their middle, and what happens at their ends is what is meant."""

import numpy as np
import pytest
import tensorflow as tf

from keras_classics.datasets import Split, augment, statistics
from keras_classics.datasets.augment import (
    AUGMENTATIONS,
    crop_and_mirror,
    crop_centre,
    crop_padded_mirror_and_hide,
    distort_digits,
    shift_colours,
    warp_digits,
)


def blob():
    """A bright square off the centre of a 32×32 field."""
    image = np.zeros((1, 32, 32, 1), np.float32)
    image[0, 8:14, 18:26] = 255
    return image


def centre_of_mass(image):
    rows, columns = np.indices(image.shape[:2])
    weights = image[..., 0] / image.sum()
    return np.array([(rows * weights).sum(), (columns * weights).sum()])


def test_middle_of_all_draws_leaves_a_digit_alone():
    out = distort_digits(blob(), tf.fill((1, 6), 0.5), 32)
    np.testing.assert_allclose(out, blob(), atol=1e-3)


def test_warping_without_displacement_is_the_affine_distortion():
    draws = np.random.default_rng(0).random((1, AUGMENTATIONS["elastic_digits"].draws)).astype("float32")
    draws[:, 6:] = 0.5
    np.testing.assert_allclose(warp_digits(blob(), draws, 32), distort_digits(blob(), draws[:, :6], 32), atol=1e-2)


def test_warping_displaces_where_the_grid_says():
    """All displacements at their end move the whole digit by two pixels; one alone moves only its neighbourhood."""
    draws = np.full((1, AUGMENTATIONS["elastic_digits"].draws), 0.5, np.float32)
    draws[:, 6:] = 1.0
    moved = centre_of_mass(warp_digits(blob(), draws, 32)[0].numpy()) - centre_of_mass(blob()[0])
    np.testing.assert_allclose(moved, [-2, -2], atol=0.05)
    draws[:, 6:] = 0.5
    draws[:, 6:8] = 1.0  # the upper left corner
    np.testing.assert_allclose(warp_digits(blob(), draws, 32)[0, 8:, 18:], blob()[0, 8:, 18:], atol=25)


@pytest.mark.parametrize("name", ["digits", "elastic_digits"])
def test_each_channel_is_distorted_alike(name):
    draws = np.random.default_rng(0).random((2, AUGMENTATIONS[name].draws)).astype("float32")
    images = np.random.default_rng(1).integers(0, 256, (2, 28, 28, 3), dtype="uint8")
    together = AUGMENTATIONS[name].apply(images, draws, 28)
    assert together.shape == (2, 28, 28, 3)
    for channel in range(3):
        alone = AUGMENTATIONS[name].apply(images[..., channel : channel + 1], draws, 28)
        np.testing.assert_allclose(together[..., channel : channel + 1], alone, atol=1e-3)


def test_affine_distortions_are_tensorflows():
    """Pixel for pixel what ``ImageProjectiveTransformV3`` makes of the same coefficients."""
    angle = augment._ROTATION
    draws = np.full((1, 6), 0.5, np.float32)
    draws[0, 0], draws[0, 4] = 1.0, 1.0  # turned to the end, and moved along x
    cos, sin, centre = np.cos(angle), np.sin(angle), 15.5
    x, y = centre - (cos + sin) * centre + 2.0, centre - (cos - sin) * centre
    transform = np.array([[cos, sin, x, -sin, cos, y, 0, 0]], np.float32)
    expected = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(blob(), tf.float32),
        transforms=transform,
        output_shape=[32, 32],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    np.testing.assert_allclose(distort_digits(blob(), draws, 32), expected, atol=1e-2)


def test_rotation_is_about_the_centre_by_12_degrees():
    draws = np.full((1, 6), 0.5, np.float32)
    draws[0, 0] = 1.0
    arms = [centre_of_mass(image) - 15.5 for image in (blob()[0], distort_digits(blob(), draws, 32)[0].numpy())]
    turned = np.degrees(np.arccos(arms[0] @ arms[1] / np.linalg.norm(arms[0]) / np.linalg.norm(arms[1])))
    assert abs(turned - 12) < 0.5
    assert abs(np.linalg.norm(arms[0]) - np.linalg.norm(arms[1])) < 0.2


@pytest.mark.parametrize(("draw", "axis"), [(4, 1), (5, 0)])
def test_shift_is_two_pixels_at_most(draw, axis):
    draws = np.full((1, 6), 0.5, np.float32)
    draws[0, draw] = 1.0
    moved = centre_of_mass(distort_digits(blob(), draws, 32)[0].numpy()) - centre_of_mass(blob()[0])
    assert abs(abs(moved[axis]) - 2) < 0.05
    assert abs(moved[1 - axis]) < 0.05


def test_crop_takes_corners_and_mirrors():
    image = np.arange(6 * 6, dtype=np.uint8).reshape(1, 6, 6, 1)
    for draws, expected in (
        ([0.0, 0.0, 0.0], image[:, :4, :4]),
        ([0.99, 0.99, 0.0], image[:, 2:, 2:]),
        ([0.0, 0.99, 0.9], image[:, :4, 2:][:, :, ::-1]),
    ):
        np.testing.assert_array_equal(crop_and_mirror(image, tf.constant([draws]), 4), expected)
    np.testing.assert_array_equal(crop_centre(tf.constant(image), 4), image[:, 1:5, 1:5])


@pytest.mark.parametrize(("place", "rows", "columns"), [((0.0, 0.5), 6, 12), ((0.5, 0.5), 12, 12), ((0.99, 0.0), 7, 6)])
def test_a_square_is_hidden_as_far_as_it_lies_in_the_picture(place, rows, columns):
    draws = tf.constant([[0.5, 0.5, 0.0, *place]])  # the middle window, not mirrored
    hidden = crop_padded_mirror_and_hide(np.zeros((1, 32, 32, 3), np.uint8), draws, 32).numpy()[0]
    assert set(np.unique(hidden)) == {0.0, 128.0}
    grey = hidden[:, :, 0] == 128
    np.testing.assert_array_equal(grey, (hidden == 128).all(axis=-1))
    assert (grey.any(axis=1).sum(), grey.any(axis=0).sum()) == (rows, columns)
    assert grey.sum() == rows * columns


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_augmentation_keeps_size_and_range(name):
    augmentation, size, random = AUGMENTATIONS[name], 32, np.random.default_rng(0)
    side = augmentation.load_size(size)
    images = random.integers(0, 256, (16, side, side, 1 if name == "digits" else 3), np.uint8)
    draws = random.random((16, augmentation.draws), np.float32)
    for out in (augmentation.apply(images, draws, size), augmentation.evaluate(tf.constant(images), size)):
        assert out.dtype == tf.float32
        assert out.shape[:3] == (16, size, size)
        assert tf.reduce_min(out) >= 0
        assert tf.reduce_max(out) <= 255


def test_colours_move_along_the_components_of_the_data():
    """Pixels that vary along one direction of colour give that, at its standard deviation; noise moves along it."""
    random = np.random.default_rng(0)
    direction = np.array([2.0, -1.0, 2.0]) / 3
    pixels = 128 + random.normal(scale=20, size=(50, 16, 16, 1)) * direction
    split = Split(np.rint(pixels).astype(np.uint8), np.zeros(50, np.int64))
    components = statistics.statistics(split, 16).components
    np.testing.assert_allclose(np.abs(components[0]), 20 * np.abs(direction), atol=1)
    assert np.linalg.norm(components[1:], axis=1).max() < 1
    draws = tf.constant([[0.5, 0.5, 0.5], [0.8413, 0.5, 0.5], [0.0, 0.5, 1.0]])  # 0, one deviation, the ends
    moved = shift_colours(tf.zeros((3, 4, 4, 3)), draws, components, 0.1).numpy()
    np.testing.assert_allclose(moved[0], 0, atol=1e-5)
    np.testing.assert_allclose(moved[1], np.broadcast_to(0.1 * components[0], (4, 4, 3)), rtol=1e-3, atol=1e-4)
    assert np.isfinite(moved).all()
    many = shift_colours(tf.zeros((20_000, 1, 1, 3)), random.random((20_000, 3), np.float32), np.diag([7, 2, 1.0]), 0.1)
    np.testing.assert_allclose(many.numpy()[:, 0, 0].std(axis=0), [0.7, 0.2, 0.1], rtol=0.02)


def test_a_window_that_has_been_cut_is_only_mirrored():
    images = np.random.default_rng(0).integers(0, 256, (4, 6, 6, 3), np.uint8)
    draws = tf.constant([[0.9, 0.2, mirror] for mirror in (0.9, 0.0, 0.5, 0.49)])
    expected = np.stack([images[0, :, ::-1], images[1], images[2, :, ::-1], images[3]])
    np.testing.assert_array_equal(crop_and_mirror(images, draws, 6), expected)
    whole = np.pad(images, [(0, 0), (1, 1), (1, 1), (0, 0)])
    middle = tf.concat([tf.fill((4, 2), 0.5), draws[:, 2:]], axis=1)
    np.testing.assert_array_equal(crop_and_mirror(whole, middle, 6), expected)
