"""Commands do the same whatever the user's folders, settings, locale and environment are."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_classics import datasets, files, text
from tests.conftest import ROOT
from train.engine.checkpoints import Checkpoints, last_in
from train.report.tensorboard import Logs

NAMES = [
    *("run[1]", "a*b?", 'it\'s "q"', "#%20\\", "new\nline", "-dash", "é", "e\u0301", "日本", "{a}%s", "~", "x" * 250),
    *("gs:/bucket", "file:/x", os.fsdecode(b"not \xff UTF-8")),
]


class Trainer:
    """What a checkpoint takes of a trainer."""

    def __init__(self):
        keras.utils.set_random_seed(0)
        self.model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        self.optimizer = keras.optimizers.SGD(0.1)
        self.optimizer.build(self.model.trainable_variables)
        self.step = 0


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_run_goes_on_in_a_folder_of_any_name(name, tmp_path):
    folder = tmp_path / name / "checkpoints"
    trainer = Trainer()
    checkpoints = Checkpoints(folder, {"recipe": 1}, keep=2)
    assert checkpoints.attach(trainer) is None
    for step in (9, 10, 11):
        trainer.model.layers[0].bias.assign(3 * [step])
        checkpoints.save(step, {"training": [step]})
    assert {path.name.split(".")[0] for path in folder.iterdir()} == {"ckpt-10", "ckpt-11"}
    (folder / "ckpt-11.index").rename(folder / "ckpt-12")  # as if the process had ended before the index was written
    again = Trainer()
    assert Checkpoints(folder, {"recipe": 1}).attach(again) == {"training": [10]}
    assert again.step == 10
    np.testing.assert_array_equal(again.model.layers[0].bias, 3 * [10])
    Logs(tmp_path / name / "logs", 1).add_evaluation("test", 1, {"loss": 1.0, "accuracy": 0.5})
    assert list((tmp_path / name / "logs" / "test").iterdir())


def test_a_folder_that_a_pattern_would_match_is_another_one(tmp_path):
    for name in ("run1", "run[1]"):
        (tmp_path / name).mkdir()
    (tmp_path / "run1" / "ckpt-7.index").touch()
    assert last_in(tmp_path / "run[1]") is None


@pytest.mark.parametrize("name", ["da[t]a *", "new\nline", "é"], ids=ascii)
@pytest.mark.needs_data
def test_prepared_data_lies_in_a_folder_of_any_name(name, data_dir, tmp_path):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "mnist").symlink_to(f"{data_dir}/mnist")
    found = datasets.load("mnist", folder)
    assert (len(found.train), len(found.test), found.spec["data_dir"]) == (55_000, 10_000, str(folder))


def test_a_tilde_is_the_users_folder(monkeypatch, tmp_path):
    from export import tflite
    from train import alexnet, lenet

    monkeypatch.setenv("HOME", str(tmp_path))
    args = lenet.parser().parse_args(["--out", "~/a", "--data-dir", "~/b", "--dataset", "idx:~/c"])
    assert (args.out, args.data_dir, args.dataset) == (f"{tmp_path}/a", f"{tmp_path}/b", f"idx:{tmp_path}/c")
    args = alexnet.parser().parse_args(["--dataset", "folder:~/c", "--weights", "~/w.h5"])
    assert (args.dataset, args.weights) == (f"folder:{tmp_path}/c", f"{tmp_path}/w.h5")
    told = ["~/m.keras", "--model=~/n", "--pictures=~/p", "--dataset=folder:~/c", "--calibration=folder:~/d"]
    args = tflite.parser().parse_args(told)
    assert (args.network, args.model, args.pictures) == tuple(f"{tmp_path}/{name}" for name in ("m.keras", "n", "p"))
    assert (args.dataset, args.calibration) == (f"folder:{tmp_path}/c", f"folder:{tmp_path}/d")
    with pytest.raises(datasets.catalog.InputError, match=f"there is no folder {tmp_path}/absent"):
        datasets.load("idx:~/absent")


def test_a_file_of_the_longest_name_is_written_whole(tmp_path):
    path = tmp_path / ("é" * 120 + ".weights.h5")
    with files.whole_file(path) as partial:
        assert partial.name.endswith(".weights.h5")
        partial.write_text("x")
    assert list(tmp_path.iterdir()) == [path]


def test_text_that_an_encoding_cannot_say_is_escaped(tmp_path):
    content = {"é日😀": os.fsdecode(b"\xff"), "n": "a\nb"}
    for encoding in ("utf-8", "ascii", "latin-1", "utf-16", None):
        said = text.as_json(content, encoding).encode(encoding or "ascii")
        assert json.loads(said.decode(encoding or "ascii")) == content
    text.write(tmp_path / "file", "é" + os.fsdecode(b"\xff"))
    assert (tmp_path / "file").read_text(encoding="utf-8") == "é\\udcff"
    assert text.in_a_line("a\n\x1b[1mb\u2028é") == "a\\n\\x1b[1mb\\u2028é"
    assert text.message(f"--set {'x' * 100_000}=1: why.") == (
        f"--set {'x' * 200}… (100,003 characters) …{'x' * 197}=1: why."
    )
    assert 4_000 > len(text.message("--set " + "word " * 30_000 + ": why.")) > 3_000
    assert text.message("word " * 200) == "word " * 200


# Everything that was seen to break a command, at once.
HOSTILE = {
    **{"KERAS_BACKEND": "jax", "TF_USE_LEGACY_KERAS": "1", "KERAS_MAX_EPOCHS": "x", "MPLBACKEND": "junk"},
    **{"MPLCONFIGDIR": "/proc/absent", "OMP_NUM_THREADS": "junk", "CUDA_VISIBLE_DEVICES": "junk", "TZ": "no/where"},
    **{"PYTHONWARNINGS": "error", "TMPDIR": "/absent", "COLUMNS": "20", "NO_COLOR": "1"},
    **{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
}
SETTINGS = '{"image_data_format": "channels_first", "floatx": "float16", "backend": "jax", "epsilon": 0.1}'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """``hostile(module, …)`` runs a command in the worst of surroundings."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / ".keras").mkdir()
    (folder / ".keras" / "keras.json").write_text(SETTINGS)
    (folder / "matplotlibrc").write_text("backend: TkAgg\nfont.size: 80\nno setting\n")

    def run(module, *arguments):
        environment = {**os.environ, **HOSTILE, "PYTHONPATH": str(ROOT), "HOME": str(folder)}
        command = [sys.executable, "-m", module, *map(str, arguments)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, umask=0o077)
        assert done.returncode == 0, done.stderr[-2000:]
        assert not done.stderr or module == "export.tflite", done.stderr
        return done.stdout

    return run


def test_commands_work_in_the_worst_of_surroundings(hostile, tmp_path):
    folder = tmp_path / "café 日本"
    common = ("--dataset", "embedded", "--out", folder)
    hostile("train.lenet", *common, "--epochs", 1)
    history = json.loads((folder / "lenet5_history.json").read_text(encoding="utf-8"))
    assert history["test"]["accuracy"] > 0.5
    assert keras.models.load_model(folder / "lenet5.keras").get_layer("C1").data_format == "channels_last"
    hostile("export.tflite", "lenet5", "--model", folder / "lenet5.keras", *common, "--test-images", 100)
    file, picture = folder / "lenet5_int8.tflite", folder / "test_digits" / "3.png"
    found = json.loads(hostile("export.verify", file, "--dataset", "embedded", "--test-images", 100, "--json"))
    assert found["passed"]
    assert json.loads(hostile("export.predict", file, picture, "--json"))[0]["path"] == str(picture)
    assert hostile("export.predict", file, picture).isascii()


@pytest.mark.parametrize("module", ["train.lenet", "train.table", "export.tflite", "export.c", "export.predict"])
def test_help_is_shown_without_docstrings_on_a_narrow_screen_that_knows_ascii(module):
    environment = {**os.environ, **HOSTILE, "PYTHONOPTIMIZE": "2"}
    command = [sys.executable, "-m", module, "--help"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "usage:" in done.stdout


def test_a_working_directory_that_is_gone_is_one_sentence(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    program = 'import os, runpy; os.rmdir(os.getcwd()); runpy.run_module("train.lenet", run_name="__main__")'
    command = [sys.executable, "-c", program, "--dataset", "embedded", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=gone, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.endswith("the working directory is gone; change to another and repeat the command.\n")
    assert len(done.stderr.splitlines()) == 1


def test_commands_do_not_wait_for_packages_that_keras_could_use():
    """Which are there to import afterwards; a user's own program finds them in Keras."""
    commands = (
        "from keras_classics.runtime import start_tensorflow; start_tensorflow(); import sys; "
        "print(*sorted({'pandas', 'sklearn', 'matplotlib'} & set(sys.modules))); import matplotlib, pandas, sklearn"
    )
    users = (
        "import keras_classics, pandas, keras; print(keras.src.trainers.data_adapters.array_slicing.pandas is pandas)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for program, expected in ((commands, "\n"), (users, "True\n")):
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, expected), done.stderr


@pytest.mark.parametrize("settings", ["[1]", '{"floatx": "float8", "epsilon": 1}', SETTINGS])
def test_keras_starts_alike_whatever_its_settings_say_and_users_keep_theirs(settings, tmp_path):
    (tmp_path / "keras.json").write_text(settings)
    program = (
        "from keras_classics import runtime; runtime.start_tensorflow(); import keras, os; c = keras.config; "
        "print(c.backend(), c.floatx(), c.image_data_format(), c.epsilon(), c.dtype_policy().name); "
        "print(os.environ['KERAS_HOME'])"
    )
    if settings == SETTINGS:  # a user's own code
        program = "import keras_classics; print(keras_classics.LeNet5().input_shape)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = f"tensorflow float32 channels_last 1e-07 float32\n{tmp_path}\n"
    assert done.stdout == ("(None, 1, 32, 32)\n" if settings == SETTINGS else expected)
    assert (tmp_path / "keras.json").read_text() == settings
