"""Numbers: digits side by side, slanted, touching, broken; several lines of a page."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import keras_classics


@pytest.fixture(scope="module")
def reader():
    return keras_classics.Recognizer()


@pytest.fixture(scope="module")
def digits(embedded):
    """Digits of each class that are read rightly alone, ``{label: [uint8 (28, 28)]}``."""
    reader, test = keras_classics.Recognizer(), embedded.test
    return {
        label: [
            image
            for image in test.images[test.labels == label][:12, 2:30, 2:30, 0]
            if reader.digit(image).top[0][0] == str(label)
        ]
        for label in range(10)
    }


def page_of(texts, digits, *, scale=3, gap=4, rise=0, turn=0):
    """A page with a line for each text, dark on light: ``uint8 (height, width)``."""
    rows = []
    for text in texts:
        width = int(sum(np.ptp(np.flatnonzero(digits[int(one)][0].max(axis=0))) + 1 + gap for one in text) + 20)
        row, x = np.zeros((28 + 10 + abs(rise) * len(text), width), np.uint8), 10
        for place, one in enumerate(text):
            digit = digits[int(one)][0]
            columns = np.flatnonzero(digit.max(axis=0))
            digit = digit[:, columns[0] : columns[-1] + 1]
            top = 5 + (rise * place if rise > 0 else -rise * (len(text) - 1 - place))
            view = row[top : top + 28, x : x + digit.shape[1]]
            view[:] = np.maximum(view, digit)
            x += digit.shape[1] + gap
        rows.append(row)
    widest = max(row.shape[1] for row in rows)
    page = np.concatenate([np.pad(row, ((0, 0), (0, widest - row.shape[1]))) for row in rows])
    picture = Image.fromarray(255 - page).resize(
        (page.shape[1] * scale, page.shape[0] * scale), Image.Resampling.BICUBIC
    )
    return np.asarray(picture.rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor=255))


@pytest.mark.parametrize("text", ["7", "42", "10", "1000", "3141592653", "00", "11111"])
def test_a_number_is_read(reader, digits, text):
    number = reader.number(page_of([text], digits))
    assert number.text == text
    assert len(number.digits) == len(text)
    assert number.probability == pytest.approx(np.prod([digit.probability for digit in number.digits]))
    lefts = [digit.box[0] for digit in number.digits]
    assert lefts == sorted(lefts)


@pytest.mark.parametrize("how", [{"rise": 4}, {"rise": -4}, {"turn": 5}, {"turn": -5}, {"gap": 30}, {"scale": 1}])
def test_slanted_wide_and_small_lines(reader, digits, how):
    assert reader.number(page_of(["90271"], digits, **how)).text == "90271"


def test_digits_that_touch_are_taken_apart(reader, digits):
    texts = ("20", "53", "38", "62", "95", "86")
    assert sum(reader.number(page_of([text], digits, gap=-1)).text == text for text in texts) >= 5


def test_a_broken_stroke_is_put_together(reader, digits):
    page = page_of(["5083"], digits, scale=4)
    columns = np.flatnonzero((page < 128).any(axis=0))
    page = page.copy()
    page[:, columns[0] + 20 : columns[0] + 23] = 255  # through the 5
    assert reader.number(page).text == "5083"


def test_lines_of_a_page_come_top_to_bottom(reader, digits):
    texts = ["2025", "17", "360"]
    assert [number.text for number in reader.numbers(page_of(texts, digits))] == texts


def test_full_stops_and_specks_are_no_digits(reader, digits):
    page = page_of(["482"], digits).copy()
    page[-30:-24, -8:-3] = 0
    page[4:6, 4:6] = 0
    assert reader.number(page).text == "482"


def test_nothing_is_written(reader):
    empty = reader.number(np.full((60, 300), 255, np.uint8))
    assert (empty.text, empty.probability, empty.digits, empty.box) == ("", 0.0, (), None)
    assert reader.numbers(np.full((60, 300), 255, np.uint8)) == ()


def test_grain_and_textures_are_no_numbers(reader):
    """Ink that does not stand out from its paper is left out of lines too, and costs no answer of the network."""
    random = np.random.default_rng(4)
    light = np.linspace(200, 120, 300) * np.linspace(1, 0.8, 200)[:, None]
    grain = light + random.normal(0, 5, (200, 300))
    clouds = ndimage.gaussian_filter(random.normal(0, 1, (200, 300)), 5)
    clouds = 120 + 400 * clouds
    rows, columns = np.mgrid[:200, :300]
    stripes = 150 + 60 * np.sin(0.7 * rows + 0.2 * columns) + random.normal(0, 4, (200, 300))
    for page in (grain, clouds, stripes):
        page = np.clip(page, 0, 255).astype(np.uint8)
        assert not reader.number(page).text.strip("?")
        assert reader.numbers(page) == ()


def test_a_number_on_grainy_paper_is_read_and_the_grain_is_not(reader, digits):
    page = page_of(["482"], digits).astype(float)
    shade = np.indices(page.shape).sum(axis=0) > 0.8 * sum(page.shape)
    page = page * np.where(shade, 0.8, 1) + np.random.default_rng(5).normal(-8, 6, page.shape)
    assert reader.number(np.clip(page, 0, 255).astype(np.uint8)).text == "482"
