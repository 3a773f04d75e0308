"""The training commands, run as a user runs them, on real data."""

import json
import pathlib

import keras
import numpy as np
import pytest
from PIL import Image

import keras_classics
from keras_classics import datasets


def test_a_run_leaves_model_history_curve_and_digits(run_folder):
    assert {path.name for path in run_folder.iterdir()} >= {
        "lenet5.keras",
        "lenet5_history.json",
        "lenet5_curves.png",
        "lenet5_report.md",
        "test_digits",
    }
    history = json.loads((run_folder / "lenet5_history.json").read_text())
    assert history["dataset"]["name"] == "embedded"
    assert history["recipe"]["epochs"] == 25
    assert history["test"]["accuracy"] > 0.9
    low, high = history["test"]["interval_95"]
    assert low < history["test"]["accuracy"] < high
    assert history["training"][-1]["step"] == history["steps"] == history["validation"][-1]["step"]
    assert history["versions"]["keras"] == keras.__version__
    with Image.open(run_folder / "lenet5_curves.png") as picture:
        assert picture.size >= (1000, 400)


def test_the_saved_model_is_the_one_that_was_tested(run_folder, model, embedded):
    history = json.loads((run_folder / "lenet5_history.json").read_text())
    images = keras_classics.lenet.preprocess_input(embedded.test.images)
    chosen = model.predict(images, verbose=0).argmax(axis=1)
    assert (chosen == embedded.test.labels).mean() == pytest.approx(history["test"]["accuracy"])


def test_sample_digits_are_held_out_pictures(run_folder, embedded):
    held_out = {image.tobytes() for image in embedded.test.images[:, 2:30, 2:30, 0]}
    for name in "0123456789":
        with Image.open(run_folder / "test_digits" / f"{name}.png") as picture:
            assert np.asarray(picture).tobytes() in held_out


@pytest.mark.parametrize("length", [("--epochs", 2), ("--steps", 1)])
def test_a_run_that_diverges_says_so_and_leaves_what_was_there(length, called, tmp_path):
    """The last update too, which only the evaluation sees."""
    (tmp_path / "lenet5.keras").write_text("earlier")
    done = called("train.lenet", "--dataset", "embedded", "--learning-rate", "1e38", *length, "--out", tmp_path)
    assert done.returncode == 2
    assert "Try a lower learning rate (--learning-rate)." in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "lenet5.keras").read_text() == "earlier"


def test_recipe_variant_and_numbers_are_as_told_and_recorded(command, tmp_path):
    told = ("--variant", "1998", "--recipe", "best", "--set", "weight_decay=0.1", "--set", "optimizer=sgd")
    told += ("--set", "learning_rate=1e-3", "--precision", "mixed_bfloat16")
    done = command("train.lenet", "--dataset", "embedded", *told, "--steps", 6, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "LeNet-5 (1998): 60,000 parameters" in done.stdout
    history = json.loads((tmp_path / "lenet5-1998_history.json").read_text())
    assert history["precision"] == "mixed_bfloat16"
    expected = {"weight_decay": 0.1, "optimizer": "sgd", "learning_rate": 1e-3, "augmentation": "elastic_digits"}
    assert expected.items() <= history["recipe"].items()
    assert history["recipe"]["loss"] == "maximum_a_posteriori"
    model = keras.models.load_model(tmp_path / "lenet5-1998.keras")
    assert model.get_layer("C1").compute_dtype == "float32"
    np.testing.assert_allclose(model.predict(np.zeros((1, 32, 32, 1)), verbose=0).sum(), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("speed=1", "with a field of batch_size, epochs"),
        ("epochs", "expected FIELD=VALUE"),
        ("epochs=many", "epochs is a whole number"),
        ("warmup=2", "warmup is 2.0; expected 0 to 1"),
        ("optimizer=lion", "optimizer is 'lion'; expected adamw or sgd"),
    ],
)
def test_a_setting_that_cannot_be_is_named(setting, said, called, tmp_path):
    done = called("train.lenet", "--dataset", "embedded", "--set", setting, "--steps", 1, "--out", tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_in_the_way_is_found_before_training(called, tmp_path):
    (tmp_path / "lenet5_curves.png").mkdir()
    done = called("train.lenet", "--dataset", "embedded", "--out", tmp_path)
    assert done.returncode == 2
    assert "there is a folder of that name" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["lenet5_curves.png"]


def test_alexnet_trains_on_a_folder_of_pictures(pictures, called, tmp_path):
    """As the paper's network would be trained on photographs."""
    arguments = ("train.alexnet", "--dataset", pictures, "--batch-size", 4, "--steps", 2)
    done = called(*arguments, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "AlexNet (paper): 56,876,418 parameters" in done.stdout  # fc8 has 2 classes


@pytest.fixture
def pictures(tmp_path):
    """Bright and dark noise, as a dataset of two classes."""
    random = np.random.default_rng(0)
    for name, low in (("bright", 128), ("dark", 0)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(30):
            noise = random.integers(low, low + 128, (40, 48, 3), np.uint8)
            Image.fromarray(noise).save(tmp_path / "pictures" / name / f"{number}.jpg")
    return f"folder:{tmp_path / 'pictures'}"


def test_fine_tuning_begins_with_what_was_trained_and_leaves_what_is_frozen(pictures, called, tmp_path):
    trained = keras_classics.AlexNet(variant="cifar10")  # of ten classes; the pictures have two
    trained.save_weights(tmp_path / "trained.weights.h5")
    told = ("--variant", "cifar10", "--dataset", pictures, "--weights", tmp_path / "trained.weights.h5")
    told += ("--freeze", "conv", "--batch-size", 8, "--steps", 3, "--set", "learning_rate=1e-3")
    done = called("train.alexnet", *told, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    tuned = keras.models.load_model(tmp_path / "out" / "alexnet.keras")
    assert tuned.output_shape == (None, 2)
    for name in ("conv1", "conv5"):
        np.testing.assert_array_equal(tuned.get_layer(name).get_weights()[0], trained.get_layer(name).get_weights()[0])
    before, after = (model.get_layer("fc7").get_weights()[0] for model in (trained, tuned))
    assert 0 < np.abs(after - before).max() < 0.05


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (("--freeze", "conv"), "unless --weights names trained ones"),
        (("--variant", "cifar10", "--weights", "nowhere.pth"), "nowhere.pth"),
        (("--weights", "imagenet"), "no weights 'imagenet' for variant='paper'"),
    ],
)
def test_weights_that_cannot_be_had_are_named(told, said, pictures, called, tmp_path):
    done = called("train.alexnet", "--dataset", pictures, *told, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("role", ["train", "test"])
def test_a_broken_picture_is_named(role, called, tmp_path):
    """One that spoils the evaluation is left out, another replaced, unless none is tolerated."""
    random = np.random.default_rng(0)
    for name in ("one", "two"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(20):
            Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(
                tmp_path / "pictures" / name / f"{number}.jpg"
            )
    name = f"folder:{tmp_path / 'pictures'}"
    broken = pathlib.Path(getattr(datasets.load(name), role).images[0])
    broken.write_bytes(broken.read_bytes()[:200])
    arguments = ("--variant", "cifar10", "--dataset", name, "--batch-size", 8, "--epochs", 1, "--out", tmp_path / "out")
    done = called("train.alexnet", *arguments, "--max-bad", 0)
    assert done.returncode == 2
    assert f"cannot decode 1 of the pictures, such as {broken}" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "out").iterdir()) == []
    done = called("train.alexnet", *arguments)
    assert done.returncode == 0, done.stderr
    assert f"Cannot decode {broken}; " in done.stderr
    history = json.loads((tmp_path / "out" / "alexnet_history.json").read_text())
    assert history["unreadable_pictures"] == [str(broken)]
    assert history["test"]["images"] == len(datasets.load(name).test) - (role == "test")


def test_default_recipe_reaches_988_permille_on_mnist(command, data_dir, tmp_path):
    done = command("train.lenet", "--dataset", "mnist", "--data-dir", data_dir, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    history = json.loads((tmp_path / "lenet5_history.json").read_text())
    assert history["test"]["images"] == 10_000
    assert history["test"]["accuracy"] >= 0.988
    # The history tells the export where the data was.
    done = command("export.tflite", "lenet5", "--model", tmp_path / "lenet5.keras", "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "lenet5_int8.json").read_text())
    assert report["test_images"] == 10_000
    assert report["held_out"] is True
    assert report["keras_accuracy"] == pytest.approx(history["test"]["accuracy"])
    assert report["drop"] <= 0.5
    done = command(
        "export.tflite", "lenet5", "--model", tmp_path / "lenet5.keras", "--dataset", "embedded", "--out", tmp_path
    )
    assert "not on held-out data" in done.stderr


def test_alexnet_loss_falls_on_cifar10(called, data_dir, tmp_path):
    done = called("train.alexnet", "--data-dir", data_dir, "--steps", 12, "--batch-size", 32, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    losses = [row["loss"] for row in json.loads((tmp_path / "alexnet_history.json").read_text())["training"]]
    assert np.mean(losses[-3:]) < np.mean(losses[:3]) - 0.2


@pytest.mark.parametrize("variant", ["modern", "1998"])
def test_a_network_learns_from_others_and_says_so(variant, run_folder, called, tmp_path):
    """As much as it would from labels alone, and its record names the files it learned from."""
    teacher = run_folder / "lenet5.keras"
    given = ("--dataset", "embedded", "--epochs", 6, "--variant", variant, "--out", tmp_path)
    done = called("train.lenet", *given, "--distil", f"{teacher},{teacher}", "--set", "distil=1")  # labels do not count
    assert done.returncode == 0, done.stderr
    history = json.loads(next(tmp_path.glob("*_history.json")).read_text())
    assert "distilled from 2 networks" in history["network"]
    assert [entry["file"] for entry in history["distil"]] == [str(teacher)] * 2
    assert len(history["distil"][0]["sha256"]) == 64
    assert history["test"]["accuracy"] > 0.85


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--distil", "nowhere.keras"), "cannot be read: No such file"),
        (("--distil", "README.md"), "cannot be read as a Keras model"),
        (
            ("--recipe", "distilled"),
            "and there is none; train.lenet takes them with --distil, and python -m train.teacher trains one",
        ),
    ],
)
def test_what_cannot_teach_is_a_sentence(arguments, reason, called, tmp_path):
    done = called("train.lenet", "--dataset", "embedded", *arguments, "--out", tmp_path)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_a_network_learns_from_what_was_said_once(run_folder, called, tmp_path):
    teacher = run_folder / "lenet5.keras"
    told = ("--distil", teacher, "--recipe", "distilled", "--set", "versions=2", "--epochs", 8, "--out", tmp_path)
    done = called("train.lenet", "--dataset", "embedded", *told)
    assert done.returncode == 0, done.stderr
    assert "2 versions of each of 3,500 training pictures" in done.stdout
    history = json.loads((tmp_path / "lenet5_history.json").read_text())
    assert (history["parameters"], history["recipe"]["versions"]) == (61_706, 2)
    assert history["test"]["accuracy"] > 0.85


def test_a_teacher_is_trained_and_can_be_asked(called, tmp_path):
    given = ("--dataset", "embedded", "--out", tmp_path, "--steps", 4)
    done = called("train.teacher", *given, "--batch-size", 32)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "teacher_history.json").read_text())["parameters"] == 478_762
    done = called("train.lenet", *given, "--distil", tmp_path / "teacher.keras")
    assert done.returncode == 0, done.stderr


def test_alexnet_asks_nobody(called, photographs, tmp_path):
    done = called("train.alexnet", "--dataset", f"folder:{photographs}", "--set", "versions=2", "--out", tmp_path)
    assert done.returncode == 2
    assert "and there is none; train.lenet takes them with --distil" in done.stderr


def test_windows_are_cut_all_the_way_or_not_at_all(called, photographs, tmp_path):
    told = ("--dataset", f"folder:{photographs}", "--set", "distortion=0.5", "--out", tmp_path)
    done = called("train.alexnet", *told)
    assert done.returncode == 2
    assert "distortion is 0.5; with the augmentation photographs it can only be 1." in done.stderr
