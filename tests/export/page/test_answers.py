"""The page in a browser says what LiteRT and ``Recognizer`` say."""

import base64
import json

import numpy as np
import pytest

from export.litert.classifier import Classifier
from keras_classics.recognition.recognizer import Recognizer
from tests.export.page.conftest import BROWSERS, png

pytestmark = [pytest.mark.needs_extras("playwright"), pytest.mark.needs_tools(BROWSERS)]


def computed(page, fields):
    """Probabilities of ``uint8 (n, 32, 32, 1)`` fields, computed in the page."""
    program = """(text) => {
      const { network, computed, probabilitiesOf } = globalThis.lenet5, found = [];
      const pixels = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      for (let at = 0; at < pixels.length; at += 1024) {
        found.push([...probabilitiesOf(network, computed(network, pixels.subarray(at, at + 1024)))]);
      }
      return JSON.stringify(found);
    }"""
    return np.float32(json.loads(page.evaluate(program, base64.b64encode(fields.tobytes()).decode())))


@pytest.mark.parametrize(
    ("kind", "mode", "count", "tolerance"),
    [
        ("tanh", "float32", 1000, 1e-5),
        ("relu", "float32", 100, 1e-5),
        ("1998", "float32", 100, 1e-4),  # its distances are ten times as large
        ("tanh", "float16", 100, 1e-5),
        ("tanh", "int8", 1000, 0),
        ("relu", "int8", 100, 0),
        ("1998", "int8", 100, 0),
        ("tanh", "int16x8", 100, 2e-3),  # the interpreter's own tables
    ],
)
def test_the_network_in_the_page_is_litert_s(shown, tflite, embedded, kind, mode, count, tolerance):
    model, fields = tflite(kind, mode), embedded.test.images[:count]
    expected = Classifier(model, "model").probabilities(fields)
    assert np.abs(computed(shown(model), fields) - expected).max() <= tolerance


def agreement(page, answers, recognizer, pictures):
    """``(same fields, same digits, same numbers)``, shares, and the greatest difference of probabilities."""
    fields, digits, numbers, differences = [], [], [], []
    for picture, (field, probabilities, lines) in zip(pictures, answers(page, pictures), strict=True):
        found, label = recognizer.field(picture), recognizer.labels
        if found is None or field is None:
            digits.append(found is None and field is None)
            continue
        expected = recognizer.classifier.probabilities(found[0][None])[0]
        fields.append(np.array_equal(field, found[0][..., 0]))
        digits.append(expected.argmax() == np.argmax(probabilities))
        differences.append(np.abs(expected - probabilities).max())
        if sum(map(len, lines)) == 1:  # then the page answers as to one digit
            continue
        known = [[label[np.argmax(row)] if max(row) >= recognizer.threshold else "?" for row in line] for line in lines]
        numbers.append(["".join(line) for line in known] == [number.text for number in recognizer.numbers(picture)])
    return np.mean(fields), np.mean(digits), np.mean(numbers) if numbers else 1.0, max(differences)


def test_photographs_go_through_the_same_steps(shown, tflite, answers, embedded):
    """Turned, shaded, in colour, in noise: of lossless files every pixel of the field is the same."""
    from benchmarks import renderings

    random = np.random.default_rng(3)
    digits = embedded.test.images[:, 2:30, 2:30, 0]
    pictures = [png(renderings.photograph(digits[n], random, scales=(1, 6))) for n in range(24)]
    pictures += [png(renderings.photograph(digits[n], random, scales=(3, 6), extra="squared")) for n in range(24, 28)]
    pictures += [png(renderings.line(digits[n : n + 4], random, scales=(1, 3))) for n in range(28, 52, 4)]
    model = tflite("tanh", "float32")
    fields, ones, numbers, difference = agreement(shown(model), answers, Recognizer(model), pictures)
    assert (fields, ones, numbers) == (1, 1, 1)
    assert difference < 1e-4


def test_digits_as_mnist_has_them_are_taken_as_they_are(shown, tflite, answers, embedded):
    digits = embedded.test.images[:60, 2:30, 2:30, 0]
    pictures = [png(digit) for digit in digits[:30]] + [png(255 - digit) for digit in digits[30:]]
    for picture, (field, _, lines) in zip(digits, answers(shown(tflite("tanh", "int8")), pictures), strict=True):
        assert np.array_equal(field[2:30, 2:30], picture)
        assert len(lines) == len(lines[0]) == 1


def test_transparent_pictures_are_laid_on_the_ground_that_shows_them(shown, tflite, answers, embedded):
    model, pictures = tflite("tanh", "int8"), []
    strokes = np.kron(embedded.test.images[7, 2:30, 2:30, 0], np.ones((6, 6), np.uint8))
    for ink in (0, 255):
        picture = np.full((*strokes.shape, 4), ink, np.uint8)
        picture[..., 3] = strokes
        pictures.append(png(picture))
    pictures += [png(np.zeros((40, 40, 4), np.uint8)), png(np.full((40, 40), 255, np.uint8))]
    found = answers(shown(model), pictures)
    for picture, (field, _, _) in zip(pictures[:2], found, strict=False):
        expected = Recognizer(model).field(picture)[0][..., 0]
        assert np.abs(field.astype(int) - expected).max() <= 3  # alpha is rounded another way
    assert [field for field, _, _ in found[2:]] == [None, None]


@pytest.mark.needs_data
def test_a_thousand_digits_of_mnist(shown, tflite, answers, data_dir):
    from keras_classics import datasets

    digits = datasets.load("mnist", data_dir).test.images[:1000]
    pictures, model = [png(digit.squeeze()) for digit in digits], tflite("tanh", "float32")
    fields, same, _, difference = agreement(shown(model), answers, Recognizer(model), pictures)
    assert (fields, same) == (1, 1)
    assert difference < 1e-4


def test_photographs_by_many_hands(shown, tflite, answers, digit_photos):
    """As the browser decodes them; its JPEG may differ from Pillow's by a level here and there."""
    pictures = [file.read_bytes() for file in sorted(digit_photos.glob("*.*g"), key=lambda file: file.stat().st_size)]
    model = tflite("tanh", "float32")
    _, same, numbers, _ = agreement(shown(model), answers, Recognizer(model), pictures[:200:2])
    assert same >= 0.995
    assert numbers >= 0.95
