"""The recognizer: what it takes, what it answers, what it does without."""

import io
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import keras_classics
from keras_classics.datasets import decoding
from keras_classics.errors import InputError
from keras_classics.recognition.recognizer import Answer

ROOT = pathlib.Path(keras_classics.__file__).parent.parent


@pytest.fixture(scope="module")
def reader():
    return keras_classics.Recognizer()


@pytest.fixture(scope="module")
def photograph(embedded):
    """A 7 as a photograph shows it, ``uint8 (height, width, 3)``."""
    digit = embedded.test.images[embedded.test.labels == 7][0][2:30, 2:30, 0]
    page = np.pad(np.asarray(Image.fromarray(255 - digit).resize((140, 140))), 50, constant_values=255)
    light = np.linspace(0.9, 0.5, page.shape[1])
    return np.stack([page * light, page * light * 0.9, page * light * 0.8], axis=-1).astype(np.uint8)


def test_the_packaged_model_reads_held_out_digits(reader, embedded):
    """Embedded digits are of MNIST's training set, so this says little of accuracy, and much of plumbing."""
    images, labels = embedded.test.images[:200, 2:30, 2:30], embedded.test.labels[:200]
    assert sum(reader.digit(image).label == str(label) for image, label in zip(images, labels, strict=True)) >= 195


def test_every_way_of_giving_a_picture_has_the_same_answer(reader, photograph, tmp_path):
    picture = Image.fromarray(photograph)
    picture.save(tmp_path / "seven.png")
    content = (tmp_path / "seven.png").read_bytes()
    rgba = np.concatenate([photograph, np.full((*photograph.shape[:2], 1), 255, np.uint8)], axis=-1)
    ways = [
        tmp_path / "seven.png",
        str(tmp_path / "seven.png"),
        content,
        io.BytesIO(content),
        picture,
        photograph,
        rgba,
        photograph / 255,
        photograph.astype(np.float32),
        photograph.astype(np.uint16) * 257,
        photograph.astype(int),
    ]
    answers = [reader.digit(way) for way in ways]
    assert answers[0].label == "7"
    assert set(answers) == {answers[0]}
    grey = picture.convert("L")
    for way in (grey, np.asarray(grey), np.asarray(grey)[..., None], np.asarray(grey.convert("LA"))):
        assert reader.digit(way).label == "7"


def test_what_is_no_picture_is_refused_in_a_sentence(reader):
    cases = {
        "type int": 3,
        "type list": [[0, 1]],
        "shape": np.zeros((2, 3, 4, 5)),
        "shape .*5": np.zeros((20, 20, 5), np.uint8),
        r"shape \(0, 4\)": np.zeros((0, 4)),
        "from -1 to": np.array([[-1.0, 0.5]]),
        "to 300": np.array([[0.0, 300.0]]),
        "nan": np.array([[0.0, np.nan]]),
        "complex": np.zeros((4, 4), complex),
        "of type <U1": np.full((4, 4), "a"),
        "no picture absent.png": "absent.png",
        "not a picture": b"words",
    }
    for sentence, case in cases.items():
        with pytest.raises(InputError, match=sentence) as refused:
            reader.digit(case)
        assert "\n" not in str(refused.value)


def test_booleans_are_black_and_white(reader, photograph):
    assert reader.digit(photograph.mean(axis=-1) > 60).label == "7"


def test_answers_below_the_threshold_are_unknown(photograph):
    sure = keras_classics.Recognizer().digit(photograph)
    strict = keras_classics.Recognizer(threshold=1.0).digit(photograph)
    assert strict.label == ("7" if sure.probability == 1 else "?")
    assert strict.top == sure.top
    assert sure.top[0][0] == "7"
    assert sum(probability for _, probability in sure.top) == pytest.approx(1, abs=0.01)
    with pytest.raises(InputError, match="threshold"):
        keras_classics.Recognizer(threshold=1.5)


def test_no_ink_is_no_digit(reader):
    assert reader.digit(np.full((200, 300), 190, np.uint8)) == Answer("?", 0.0, (), None)


@pytest.mark.parametrize("letter", list("AEHKMNRWX&#%"))
def test_letters_are_no_digits(reader, letter):
    import matplotlib
    from PIL import ImageDraw, ImageFont

    font = ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", 90)
    picture = Image.new("L", (160, 160), 255)
    ImageDraw.Draw(picture).text((80, 80), letter, 0, font, "mm")
    assert reader.digit(picture).label == "?"


def test_a_photograph_is_classified_by_its_middle_square():
    class Brightest:
        image_shape, classes = (8, 8, 3), 3

        def probabilities(self, images):
            return images.mean(axis=(1, 2)) / images.mean(axis=(1, 2)).sum(axis=1, keepdims=True)

    thing = keras_classics.Recognizer
    colours = thing.of(Brightest(), ("red", "green", "blue"), "colours")
    picture = np.zeros((40, 100, 3), np.uint8)
    picture[:, 30:70] = (10, 200, 20)
    picture[:, :30] = (255, 0, 0)
    answer = colours.classify(picture)
    assert (answer.label, answer.box) == ("green", None)
    with pytest.raises(InputError, match="takes images of 8 × 8 × 3"):
        colours.digit(picture)
    with pytest.raises(InputError, match="reads digits"):
        keras_classics.Recognizer().classify(picture)
    with pytest.raises(InputError, match="3 outputs and 2 labels"):
        thing.of(Brightest(), ("red", "green"), "colours")


def test_models_that_are_none_are_refused(tmp_path):
    (tmp_path / "words.tflite").write_text("not a model at all")
    cases = {
        tmp_path / "words.tflite": "not a TFLite model",
        tmp_path: "not a file",
        tmp_path / "absent": "cannot read",
        b"words": "the model is not a TFLite model",
    }
    for model, sentence in cases.items():
        with pytest.raises(InputError, match=sentence):
            keras_classics.Recognizer(model)


def test_the_explanation_says_which_ink_spoke_for_the_answer(reader, photograph):
    from keras_classics.recognition import explain

    field, _ = reader.field(photograph)
    spoke = explain.occlusion(reader, field, "7")
    assert spoke.shape == (32, 32)
    assert np.abs(spoke[field[..., 0] > 128]).mean() > 3 * np.abs(spoke[:5]).mean()
    page = explain.explained(reader, photograph)
    assert page.width > 5 * explain.PANEL
    assert explain.explained(reader, np.full((50, 50), 255, np.uint8)).width < page.width


WITHOUT = """
import sys

ABSENT = {"tensorflow", "keras", "tf_keras", "wrapt", "h5py", "mlxtend", "tensorflow_datasets", "matplotlib", "export"}

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import keras_classics
reader = keras_classics.Recognizer()
print(reader.digit(sys.argv[1]).label, reader.number(sys.argv[1]).text)
"""


def test_it_works_where_there_is_no_tensorflow(photograph, tmp_path):
    Image.fromarray(photograph).save(tmp_path / "seven.jpg")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, tmp_path / "seven.jpg"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("7 7\n", "")


def test_the_middle_square_is_what_training_sees():
    picture = np.zeros((30, 50, 3), np.uint8)
    picture[:, 10:40] = 200
    assert (decoding.middle_square(picture, 10) == 200).all()
