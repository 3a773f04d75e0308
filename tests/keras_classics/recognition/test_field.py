"""The field: the same digit, however it was photographed, comes to the network as MNIST would have it."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import keras_classics
from keras_classics.recognition import field, ink, paper, parts, reading


@pytest.fixture(scope="module")
def digits(embedded):
    """Ten digits of each class, ``uint8 (100, 28, 28)``, and their labels."""
    test = embedded.test
    chosen = np.concatenate([np.flatnonzero(test.labels == label)[:10] for label in range(10)])
    return test.images[chosen, 2:30, 2:30, 0], test.labels[chosen]


def large(digit, scale=4):
    """A digit on white paper, ``uint8 (height, width)``."""
    picture = Image.fromarray(255 - digit).resize((28 * scale, 28 * scale), Image.Resampling.BICUBIC)
    return np.pad(np.asarray(picture), 10 * scale, constant_values=255)


def rgb(grey):
    return np.repeat(np.clip(np.rint(grey), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def difference(one, other):
    """Mean difference of two fields, as a share of the ink of the first."""
    return np.abs(one.astype(float) - other).sum() / one.sum()


def test_mnist_comes_out_unchanged(digits):
    for digit in digits[0]:
        for picture in (digit, 255 - digit, np.pad(digit, 2)):
            np.testing.assert_array_equal(field.as_mnist(rgb(picture)), np.pad(digit, 2))


def test_all_of_mnist_comes_out_unchanged(data_dir):
    from keras_classics import datasets

    for digit in datasets.load("mnist", data_dir).test.images:
        np.testing.assert_array_equal(field.as_mnist(np.repeat(digit, 3, axis=2)), np.pad(digit[..., 0], 2))


def test_what_is_not_as_mnist_has_it_is_not_passed_through(digits):
    digit = digits[0][55]
    noisy = digit.copy()
    noisy[0, 0] = 7
    for picture in (large(digit), np.roll(digit, 3, axis=1), digit // 2 + 60, noisy):
        assert field.as_mnist(rgb(picture)) is None
    coloured = rgb(digit)
    coloured[14, 14, 0] ^= 255
    assert field.as_mnist(coloured) is None


PHOTOGRAPHED = {
    "grey on grey": lambda page: 120 + (page - 0.0) * 60 / 255,
    "light on dark": lambda page: 255 - page,
    "light that falls off": lambda page: page * np.linspace(1, 0.35, page.shape[1]),
    "the edge of a shadow": lambda page: (
        page * np.where(np.arange(page.shape[0]) > page.shape[0] * 0.55, 1, 0.6)[:, None]
    ),
    "noise": lambda page: page * 0.7 + np.random.default_rng(0).normal(20, 9, page.shape),
    "a blur": lambda page: ndimage.gaussian_filter(page, 2),
    "half the size": lambda page: np.asarray(Image.fromarray(page.astype(np.uint8)).reduce(2)),
    "a quarter of the size": lambda page: np.asarray(Image.fromarray(page.astype(np.uint8)).reduce(4)),
    "a corner of a page": lambda page: np.pad(page, ((300, 20), (20, 250)), constant_values=255),
    "a frame": lambda page: np.pad(page, 4, constant_values=20),
    "a thin frame": lambda page: np.pad(page, 1, constant_values=0),
}


@pytest.mark.parametrize("what", PHOTOGRAPHED)
def test_a_photographed_digit_is_nearly_the_same_field(digits, what):
    apart = []
    for digit in digits[0][::5]:
        plain, _ = reading.digit_of(rgb(large(digit)))
        found = reading.digit_of(rgb(PHOTOGRAPHED[what](large(digit).astype(float))))
        assert found is not None
        apart.append(difference(plain, found[0]))
    assert np.median(apart) < 0.2
    # The edge of a shadow that goes through a stroke is not always told from it.
    assert np.mean(np.array(apart) > 0.5) < (0.35 if what == "the edge of a shadow" else 0.1)


@pytest.mark.parametrize(
    "paper, pen",
    [((250, 240, 180), (30, 60, 190)), ((240, 240, 240), (215, 60, 50)), ((40, 90, 60), (240, 240, 220))],
)
def test_coloured_ink_on_coloured_paper(digits, paper, pen):
    for digit in digits[0][::10]:
        share = large(digit)[..., None] / 255
        found, _ = reading.digit_of(np.rint(np.array(paper) * share + np.array(pen) * (1 - share)).astype(np.uint8))
        assert difference(reading.digit_of(rgb(large(digit)))[0], found) < 0.2


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("slope", [0, 0.012])
def test_digits_on_ruled_and_squared_paper_are_read(digits, squared, slope):
    """Lines fainter and thinner than the strokes that cross them, from border to border, level or not quite."""
    reader, right = keras_classics.Recognizer(), 0
    for digit, label in zip(digits[0][::2], digits[1][::2], strict=True):
        page = large(digit)
        rows, columns = np.indices(page.shape)
        printed = np.floor(rows + slope * columns) % 40 == 10
        printed |= squared & (np.floor(columns - slope * rows) % 40 == 10)
        right += reader.digit(rgb(np.where(printed, np.minimum(page, 130), page))).label == str(label)
    assert right >= 0.94 * len(digits[0][::2])


def test_what_is_written_on_paper_lines_keeps_its_strength():
    strength = np.zeros((160, 160), np.float32)
    strength[10::40] = strength[:, 10::40] = 0.4
    strength[20:120, 70:78] = 0.9
    cleaned = paper.without_paper_lines(strength)
    assert (cleaned[20:120, 70:78] == np.float32(0.9)).all()
    cleaned[20:120, 70:78] = 0
    assert not cleaned.any()


def test_strokes_of_a_digit_are_no_paper_lines():
    """Three level strokes one above the other that do not go on to the border, or two that do."""
    three, two = np.zeros((2, 160, 160), np.float32)
    three[30:130:40, 20:140] = 0.8
    two[30:110:40] = 0.8
    for strength in (three, two):
        assert paper.without_paper_lines(strength) is strength


def test_thin_and_thick_pens_come_to_the_stroke_of_mnist():
    rows, columns = np.mgrid[:200, :200]
    for pen in (2, 6, 12, 40):
        ring = np.abs(np.hypot((rows - 100) / 1.4, columns - 100) - 55) < pen / 2
        found, _ = reading.digit_of(rgb(np.where(ring, 0, 255)))
        # Of a ring 20 pixels high and 14 wide, about 50 pixels long.
        assert 1.8 < found.sum() / 255 / 47 < 4.2


def test_the_field_is_twenty_pixels_and_centred_by_mass(digits):
    for digit in digits[0]:
        found, _ = reading.digit_of(rgb(large(digit)))
        assert found.shape == (32, 32)
        assert found.dtype == np.uint8
        top, bottom, left, right = field.box_of(found > 100)
        assert 18 <= max(bottom - top, right - left) <= 21
        mass, place = found / found.sum(), np.arange(32) + 0.5
        for axis in (0, 1):
            assert abs((mass.sum(axis=axis) * place).sum() - 16.5) < 0.3


def test_where_the_digit_was_found(digits):
    page = np.full((900, 1400), 230, np.uint8)  # large enough to be reduced
    page[500:584, 300:384] = np.asarray(Image.fromarray(255 - digits[0][30]).resize((84, 84))) * (230 / 255)
    _, (left, top, right, bottom) = reading.digit_of(rgb(page))
    assert 300 <= left < right <= 384
    assert 500 <= top < bottom <= 584


@pytest.mark.parametrize("value", [0, 1, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (28, 28), (600, 400)])
def test_a_blank_picture_has_no_ink(shape, value):
    assert reading.digit_of(rgb(np.full(shape, value))) is None


def test_a_page_of_grain_under_uneven_light_has_no_digit():
    random = np.random.default_rng(1)
    light = np.linspace(200, 120, 300) * np.linspace(1, 0.8, 300)[:, None]
    assert reading.digit_of(rgb(light + random.normal(0, 5, (300, 300)))) is None


def test_the_edge_of_a_shadow_is_no_digit():
    """Across bare paper, soft or hard, as far as the light falls off beside it."""
    random, rows = np.random.default_rng(2), np.indices((240, 240)).sum(axis=0)
    for soft in (4, 10, 30):
        light = 1 - 0.3 / (1 + np.exp(-(rows - 240) / soft))
        assert reading.digit_of(rgb(230 * light + random.normal(0, 3, (240, 240)))) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (3, 3), (5, 400), (400, 5), (8, 8)])
def test_pictures_of_any_shape_are_taken(shape):
    random = np.random.default_rng(0)
    for _ in range(20):
        found = reading.digit_of(random.integers(0, 256, (*shape, 3), np.uint8))
        assert found is None or found[0].shape == (32, 32)


def test_the_threshold_does_not_depend_on_how_much_is_written():
    page = np.full((400, 400), 0.02, np.float32)
    page[190:200, 190:200] = 0.82
    little, _ = ink.edge_threshold(page)
    page[50:350, 50:60] = 0.82
    much, _ = ink.edge_threshold(page)
    assert little == pytest.approx(0.42, abs=0.03)
    assert much == pytest.approx(little, abs=0.03)


def test_a_printed_line_goes_and_the_stroke_that_crosses_it_stays():
    mask = np.zeros((100, 200), bool)
    mask[60:63] = True
    mask[20:90, 100:108] = True
    left = parts.without_lines(mask, stroke=8)
    assert not left[:, :95].any()
    assert left[20:90, 101:107].all()
