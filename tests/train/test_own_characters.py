"""LeNet-5 learns people's own characters, from a folder or IDX files, is exported and answers with their names."""

import argparse
import functools
import json
import struct
import types

import keras
import numpy as np
import pytest
from PIL import Image, ImageDraw

import keras_classics
from keras_classics import datasets
from keras_classics.datasets import fields
from keras_classics.datasets.unreadable import Unreadable
from keras_classics.errors import InputError
from train import arguments, fine_tuning, recipes

NAMES = ("$5_$10", "a|b", "con", "猫")
SHAPES = ("line", "ellipse", "rectangle", "arc")


def character(shape, random, size=(40, 52)):
    """One of four shapes in dark ink on light paper, a little different each time."""
    picture = Image.new("L", size, 250)
    draw = ImageDraw.Draw(picture)
    left, top, right, bottom = np.array([8, 8, size[0] - 8, size[1] - 8]) + random.integers(-3, 4, 4)
    box = (int(left), int(top), int(right), int(bottom))
    if shape == "arc":
        draw.arc(box, 0, 180, fill=10, width=4)
    else:
        getattr(draw, shape)(box, **{"fill" if shape == "line" else "outline": 10}, width=4)
    pixels = np.asarray(picture).astype(int) + random.integers(-5, 6, size[::-1])
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.fixture(scope="module")
def characters(tmp_path_factory):
    random, root = np.random.default_rng(0), tmp_path_factory.mktemp("own $x|_") / "my letters"
    for name, shape in zip(NAMES, SHAPES, strict=True):
        (root / name).mkdir(parents=True)
        for number in range(15):
            character(shape, random).save(root / name / f"{number}.png")
    (root / NAMES[0] / "0.png").write_bytes(b"not a picture")
    return root


@pytest.fixture(scope="module")
def run(characters, called, tmp_path_factory):
    """What training the last layers on them leaves."""
    out = tmp_path_factory.mktemp("out")
    tuned = ("--weights", "mnist", "--freeze", "conv", "--epochs", 60, "--learning-rate", 0.005)
    done = called("train.lenet", "--dataset", f"folder:{characters}", *tuned, "--out", out)
    assert done.returncode == 0, done.stderr
    return types.SimpleNamespace(out=out, **vars(done))


def test_the_screen_says_what_is_trained_on(run):
    assert "LeNet-5 (from mnist, convolutions frozen): 61,196 parameters" in run.stdout  # 84 weights a class
    assert "Classes (train/validation/test): $5_$10 " in run.stdout
    assert run.stderr.startswith("Cannot decode ")
    assert "0.png; it is left out." in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_every_plot_and_sample_of_names_like_mathematics_is_there(run):
    kinds = ("curves", "rate", "classes", "confusion", "filters")
    assert {f"lenet5_{kind}.png" for kind in kinds} <= {path.name for path in run.out.iterdir()}
    samples = {path.stem for path in (run.out / "test_digits").iterdir()}
    assert samples == {"$5_$10", "a-b", "-con", "猫"}


def test_convolutions_stay_and_the_last_layer_begins_anew(run):
    trained = keras_classics.LeNet5(weights="mnist")
    tuned = keras.models.load_model(run.out / "lenet5.keras")
    assert tuned.output_shape == (None, 4)
    for layer in filter(lambda layer: layer.weights, trained.layers):
        same = np.array_equal(layer.get_weights()[0], tuned.get_layer(layer.name).get_weights()[0])
        assert same == (layer.name in ("C1", "C3", "C5")), layer.name


def test_it_is_exported_and_answers_with_the_names_of_the_folders(run, characters, command, called, tmp_path):
    history = json.loads((run.out / "lenet5_history.json").read_text(encoding="utf-8"))
    assert history["test"]["accuracy"] > 0.8
    done = command("export.tflite", run.out / "lenet5.keras", "--out", tmp_path, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "lenet5_int8.json").read_text(encoding="utf-8"))
    assert report["held_out"] is True
    assert report["keras_accuracy"] == pytest.approx(history["test"]["accuracy"])
    samples = run.out / "test_digits"
    done = called("export.predict", tmp_path / "lenet5_int8.tflite", samples, "--json")
    assert done.returncode == 0, done.stderr
    found = {row["path"].rsplit("/", 1)[1]: row["label"] for row in json.loads(done.stdout)}
    expected = {"$5_$10.png": "$5_$10", "a-b.png": "a|b", "-con.png": "con", "猫.png": "猫"}
    assert set(found) == set(expected)
    assert sum(found[name] == expected[name] for name in expected) >= 3


def test_the_network_of_1998_takes_ten_classes_at_most(called, tmp_path):
    for name in "abcdefghijk":
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "data" / name / f"{number}.png").write_bytes(name.encode() + bytes([number]))
    told = ("--variant", "1998", "--out", tmp_path / "out")
    done = called("train.lenet", "--dataset", f"folder:{tmp_path / 'data'}", *told)
    assert done.returncode == 2
    assert "has 11 classes; the network of 1998 has prototypes of ten. Take --variant modern." in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_letters_in_idx_files_are_trained_on_by_their_names(called, tmp_path):
    """Files called, and labels counted, as EMNIST's are."""
    random = np.random.default_rng(0)
    for part, count in (("train", 130), ("test", 52)):
        labels = (np.arange(count) % 26 + 1).astype(np.uint8)
        for what, array in (
            ("images-idx3", random.integers(0, 256, (count, 28, 28), np.uint8)),
            ("labels-idx1", labels),
        ):
            head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            (tmp_path / f"emnist-letters-{part}-{what}-ubyte").write_bytes(head + array.tobytes())
    data = datasets.load(f"idx:{tmp_path}")
    assert data.class_names == tuple(map(str, range(1, 27)))
    assert set(data.validation.labels) == set(data.train.labels) == set(range(26))
    mapping = "".join(f"{label} {64 + label} {96 + label}\n" for label in range(1, 27))
    (tmp_path / "emnist-letters-mapping.txt").write_text(mapping)
    assert datasets.load(f"idx:{tmp_path}").class_names == tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    done = called("train.lenet", "--dataset", f"idx:{tmp_path}", "--steps", 2, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert keras.models.load_model(tmp_path / "out" / "lenet5.keras").output_shape == (None, 26)
    assert (tmp_path / "out" / "test_digits" / "Q.png").is_file()
    (tmp_path / "emnist-letters-mapping.txt").write_text("1 65\n")
    with pytest.raises(InputError, match="does not say what the labels 1 to 26 are"):
        datasets.load(f"idx:{tmp_path}")


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
@pytest.mark.parametrize("variant", ["modern", "1998"])
def test_weights_of_another_number_of_classes_begin_all_but_the_last_layer(ending, variant, tmp_path):
    network = functools.partial(keras_classics.LeNet5, variant=variant, classifier_activation="softmax")
    trained = network(classes=7)
    path = tmp_path / f"trained{ending}"
    (trained.save if ending == ".keras" else trained.save_weights)(path)
    args = argparse.Namespace(weights=str(path), freeze="conv")
    model = fine_tuning.builder(network, args, 4, 10)()
    assert model.output_shape == (None, 4)
    for name in ("C1", "C5", "F6"):
        both = zip(model.get_layer(name).get_weights(), trained.get_layer(name).get_weights(), strict=True)
        assert all(np.array_equal(*pair) for pair in both)
        assert model.get_layer(name).trainable == (name == "F6")


def test_weights_that_cannot_be_had_are_named():
    network = functools.partial(keras_classics.LeNet5, activation="sigmoid")
    for weights, said in (("mnist", "no weights 'mnist' for variant='modern'"), ("x.keras", "weights is 'x.keras'")):
        with pytest.raises(InputError, match=said):
            fine_tuning.builder(network, argparse.Namespace(weights=weights, freeze=None), 4, 10)
    with pytest.raises(InputError, match="unless --weights names trained ones"):
        fine_tuning.check(argparse.Namespace(weights=None, freeze="conv"), recipes.LENET5["default"])


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("size", [(28, 28), (32, 32), (90, 60), (300, 500)])
def test_a_character_of_any_size_and_ink_fills_the_field(invert, size, tmp_path):
    picture = character("ellipse", np.random.default_rng(0), size)
    (picture.point(lambda value: 255 - value) if invert else picture).save(tmp_path / "a.png")
    for side in (32, 28):
        field = fields.read_field(tmp_path / "a.png", side)
        assert (field.shape, field.dtype) == ((side, side, 1), np.uint8)
        across, down = (np.ptp(np.flatnonzero(field[..., 0].max(axis=axis) > 128)) + 1 for axis in (0, 1))
        assert 18 <= max(across, down) <= 21  # MNIST's box
        assert np.median(field) == 0


def test_a_picture_without_ink_is_an_empty_field(tmp_path):
    Image.new("L", (40, 40), 200).save(tmp_path / "a.png")
    assert not fields.read_field(tmp_path / "a.png", 32).any()


def test_a_digit_of_mnist_is_read_as_it_is(embedded, tmp_path):
    for image in embedded.test.images[:5]:
        Image.fromarray(image[2:30, 2:30, 0]).save(tmp_path / "a.png")
        np.testing.assert_array_equal(fields.read_field(tmp_path / "a.png", 32), image)


def test_folders_become_fields_and_bad_pictures_are_left_out(characters):
    unreadable = Unreadable(1)
    data = datasets.load(f"folder:{characters}").padded(32, unreadable)
    assert unreadable.names == [str(characters / NAMES[0] / "0.png")]
    splits = (data.train, data.validation, data.test)
    assert sum(map(len, splits)) == 59
    for split in splits:
        assert split.images.shape[1:] == (32, 32, 1)
        row = len(split) - 1
        np.testing.assert_array_equal(split.images[row], fields.read_field(split.name_of(row), 32))
    with pytest.raises(InputError, match="is not a picture that can be read"):
        datasets.load(f"folder:{characters}").padded(32)


@pytest.mark.parametrize(
    ("images", "devices", "batch"), [(10_000, 1, 128), (46, 1, 16), (46, 2, 16), (2, 1, 1), (100, 3, 128)]
)
def test_batches_shrink_to_few_images_unless_they_are_given(images, devices, batch):
    recipe, strategy = recipes.LENET5["default"], types.SimpleNamespace(num_replicas_in_sync=devices)
    args = argparse.Namespace(batch_size=None, batch_size_per_device=None, learning_rate=None)
    found = arguments.fitted(recipe, args, strategy, images)
    assert (found.batch_size, found.learning_rate) == (batch, pytest.approx(recipe.learning_rate * batch / 128))
    args.batch_size = 128
    assert arguments.fitted(recipe, args, strategy, images) == recipe
