"""Recognising a picture: any way the same digit is stored, and what is not a digit's picture."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from export.litert import metadata
from keras_classics.datasets import fields


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
