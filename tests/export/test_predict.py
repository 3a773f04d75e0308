"""Recognising a picture: any way the same digit is stored, and what is not a digit's picture."""

import csv
import json
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from export.litert import metadata
from export.prediction import recognition
from keras_classics.datasets import fields
from keras_classics.errors import InputError


@pytest.fixture
def seven(embedded):
    return embedded.test.images[embedded.test.labels == 7][0][2:30, 2:30, 0]


def test_held_out_digits_are_recognised(command, int8_file, run_folder):
    done = command("export.predict", int8_file, run_folder / "test_digits", "--json")
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert [set(result) for result in results] == [{"path", "label", "probability"}] * 10
    right = sum(pathlib.Path(result["path"]).stem == result["label"] for result in results)
    assert right >= 8
    assert all(0 <= result["probability"] <= 1 for result in results)


def test_one_line_a_picture(command, int8_file, run_folder):
    pictures = [run_folder / "test_digits" / f"{name}.png" for name in (1, 0)]
    done = command("export.predict", int8_file, *pictures)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [str(path) for path in pictures]
    assert lines[0].endswith("%)")


def test_prediction_needs_no_tensorflow(int8_file, run_folder):
    program = (
        "import sys\n"
        "from export import predict\n"
        "try:\n"
        "    predict.main(sys.argv[1:])\n"
        "except SystemExit as done:\n"
        "    sys.exit(done.code or 'tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    root = pathlib.Path(metadata.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, int8_file, run_folder / "test_digits"],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_bad_picture_is_named_and_the_others_are_answered(command, int8_file, run_folder, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 50)
    good = run_folder / "test_digits" / "1.png"
    done = command("export.predict", int8_file, tmp_path / "broken.png", good, tmp_path / "absent.png", "--json")
    assert done.returncode == 2
    assert [result["path"] for result in json.loads(done.stdout)] == [str(good)]
    assert "broken.png is not a picture" in done.stderr
    assert "there is no picture" in done.stderr
    assert done.stderr.count("\n") == 2


def test_an_empty_folder_is_refused_and_the_rest_answered(command, int8_file, run_folder, tmp_path):
    done = command("export.predict", int8_file, tmp_path, run_folder / "test_digits" / "1.png")
    assert done.returncode == 2
    assert done.stdout.count("\n") == 1
    assert "has no pictures" in done.stderr


def test_a_tflite_without_labels_or_damaged_is_refused(command, int8_file, run_folder, tmp_path):
    whole = int8_file.read_bytes()
    few, wrong = dict(metadata.read(whole, int8_file), labels=["0"]), {"network": "x", "mode": "y", "labels": 3}
    bare = whole.replace(b"keras_classics", b"keras_strangers"[:14])
    cases = {
        "few": (metadata.embed(bare, few), "10 outputs and 1 labels"),
        "wrong": (metadata.embed(bare, wrong), "damaged"),
        "unlabelled": (bare, "does not say what its classes are"),
        "cut": (whole[:5_000], "damaged"),
    }
    for name, (content, named) in cases.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(content)
        done = command("export.predict", path, run_folder / "test_digits")
        assert done.returncode == 2, done.stderr
        assert named in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr


def test_a_digit_is_read_alike_however_it_is_stored(seven, tmp_path):
    field = np.pad(seven, 2)[..., None]
    stored = {
        "grey.png": Image.fromarray(seven),
        "colour.png": Image.fromarray(seven).convert("RGB"),
        "field.bmp": Image.fromarray(np.pad(seven, 2)),
        "inverted.png": Image.fromarray(255 - seven),
        "wide.png": Image.fromarray(seven.astype(np.uint16) * 257),
        "float.tif": Image.fromarray(seven.astype(np.float32) / 255),
        "transparent.png": Image.merge("LA", [Image.new("L", (28, 28), 0), Image.fromarray(seven)]),
    }
    for name, picture in stored.items():
        picture.save(tmp_path / name)
        np.testing.assert_array_equal(fields.read_field(tmp_path / name, 32), field, err_msg=name)


def test_orientation_of_a_photograph_counts(seven, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    Image.fromarray(np.rot90(seven)).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(fields.read_field(tmp_path / "turned.png", 28)[..., 0], seven)


def test_pixels_that_are_no_numbers_are_refused(tmp_path):
    Image.fromarray(np.full((28, 28), np.nan, np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(InputError, match="not a picture"):
        fields.read_field(tmp_path / "nan.tif", 32)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match="is not a file"):
        fields.read_field(tmp_path / "pipe.png", 32)


@pytest.fixture
def photograph(seven, tmp_path):
    """A 7 as a photograph shows it, 600×400 pixels, uneven light, as JPEG."""
    page = np.full((400, 600), 255.0)
    page[120:288, 300:468] = np.asarray(Image.fromarray(255 - seven).resize((168, 168)))
    page *= np.linspace(0.9, 0.5, 600)
    Image.fromarray(page.astype(np.uint8)).save(tmp_path / "photograph.JPG", quality=70)
    return tmp_path / "photograph.JPG"


@pytest.fixture
def number(embedded, tmp_path):
    """A file that shows 7 and 1 side by side, twice the size of MNIST's digits."""
    row = np.concatenate([embedded.test.images[embedded.test.labels == label][0][..., 0] for label in (7, 1)], axis=1)
    Image.fromarray(255 - row.repeat(2, 0).repeat(2, 1)).save(tmp_path / "number.png")
    return tmp_path / "number.png"


def test_a_photograph_is_recognised_by_either_kind_of_model(called, int8_file, run_folder, photograph):
    for model in (int8_file, run_folder / "lenet5.keras"):
        done = called("export.predict", model, photograph)
        assert done.stdout.startswith(f"{photograph}: 7 ("), done.stderr


def test_a_line_is_a_number_with_a_probability_for_each_digit_and_for_all(called, int8_file, number):
    done = called("export.predict", int8_file, "--line", number, "--json")
    (result,) = json.loads(done.stdout)
    assert result["number"] == "71"
    assert [digit["label"] for digit in result["digits"]] == ["7", "1"]
    assert result["probability"] == pytest.approx(np.prod([one["probability"] for one in result["digits"]]), abs=1e-4)
    done = called("export.predict", int8_file, "--line", number)
    assert re.fullmatch(re.escape(str(number)) + r": 71 \([\d.]+%\): 7 \([\d.]+%\) 1 \([\d.]+%\)\n", done.stdout)


def test_a_page_without_ink_is_no_number(called, int8_file, tmp_path):
    clouds = ndimage.gaussian_filter(np.random.default_rng(4).normal(0, 1, (200, 300)), 5)
    Image.fromarray(np.clip(120 + 400 * clouds, 0, 255).astype(np.uint8)).save(tmp_path / "clouds.png")
    Image.new("L", (300, 200), 210).save(tmp_path / "blank.png")
    done = called("export.predict", int8_file, "--line", tmp_path / "clouds.png", tmp_path / "blank.png", "--json")
    assert [(result["number"], result["digits"]) for result in json.loads(done.stdout)] == [("", []), ("", [])]


def test_tables_top_classes_and_thresholds(called, int8_file, photograph, number):
    done = called("export.predict", int8_file, photograph, number, "--csv", "--top", 2, "--threshold", 1)
    header, *rows = list(csv.reader(done.stdout.splitlines()))
    assert header == ["path", "label", "probability", "label_1", "probability_1", "label_2", "probability_2"]
    assert rows[0][:2] == [str(photograph), "?"] or float(rows[0][2]) == 1
    assert rows[0][3] == "7"
    assert len(rows) == 2
    done = called("export.predict", int8_file, photograph, "--json", "--top", 3)
    (result,) = json.loads(done.stdout)
    assert result["top"][0]["label"] == "7"
    assert len(result["top"]) == 3
    for wrong in ("2", "-0.1", "x", "nan"):
        assert "from 0 to 1" in called("export.predict", int8_file, photograph, "--threshold", wrong).stderr


def test_patterns_folders_below_folders_and_standard_input(command, int8_file, run_folder, photograph):
    pattern = run_folder / "test_digits" / "[0-2].png"
    below = photograph.parent / "more" / "below"
    below.mkdir(parents=True)
    (below / "a.png").write_bytes((run_folder / "test_digits" / "3.png").read_bytes())
    done = command("export.predict", int8_file, pattern, photograph.parent, "--csv")
    assert [row.split(",")[0] for row in done.stdout.splitlines()[1:]] == [
        *(str(run_folder / "test_digits" / f"{digit}.png") for digit in range(3)),
        str(below / "a.png"),
        str(photograph),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "export.predict", int8_file, "-"],
        input=photograph.read_bytes(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(metadata.__file__).parents[2])},
    )
    assert done.stdout.startswith(b"-: 7 (")


def test_many_pictures_are_shared_by_processes_and_stay_in_order(called, int8_file, run_folder, monkeypatch):
    monkeypatch.setattr(recognition, "MANY", 20)
    monkeypatch.setattr(recognition, "_CHUNK", 4)
    names = [run_folder / "test_digits" / f"{index % 10}.png" for index in range(31)]
    names[7] = run_folder / "absent.png"
    done = called("export.predict", int8_file, *names)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [
        str(name) for name in names if name.name != "absent.png"
    ]


def test_the_explanation_is_a_picture_of_the_steps(called, int8_file, photograph, tmp_path):
    done = called("export.predict", int8_file, photograph, "--explain", tmp_path / "steps.png")
    assert done.returncode == 0
    with Image.open(tmp_path / "steps.png") as steps:
        assert steps.width > 1000
    done = called("export.predict", int8_file, photograph, "--explain", tmp_path)
    assert done.returncode == 2
    assert "there is a folder of that name" in done.stderr


def test_pictures_in_colour_are_read_for_a_network_that_takes_colours(called, tmp_path):
    """One that tells the brightest colour; the picture is larger than its input, and not square."""
    import keras
    import tensorflow as tf

    from export.convert import quantize

    image = keras.Input((8, 8, 3), batch_size=1)
    network = keras.Model(image, keras.layers.Softmax()(keras.layers.GlobalAveragePooling2D()(image)))
    tflite = quantize.run(tf.lite.TFLiteConverter.from_keras_model(network).convert)
    said = {"network": "colours", "mode": "float32", "labels": ["red", "green", "blue"]}
    (tmp_path / "colours.tflite").write_bytes(metadata.embed(tflite, said))
    Image.new("RGB", (40, 30), (10, 200, 20)).save(tmp_path / "leaf.png")
    done = called("export.predict", tmp_path / "colours.tflite", tmp_path / "leaf.png")
    assert done.stdout == f"{tmp_path / 'leaf.png'}: green (100.0%)\n"
