"""Bad input gets one sentence and exit code 2; help comes at once; files are written atomically."""

import os
import pathlib
import subprocess
import sys
import time

import pytest

from keras_classics import cli, files
from keras_classics.errors import InputError

COMMANDS = [
    *("train.lenet", "train.alexnet", "train.teacher"),
    *("export.tflite", "export.verify", "export.saved_model", "export.onnx", "export.micro", "export.c"),
    *("export.predict", "export.demo"),
]


@pytest.mark.parametrize("module", COMMANDS)
def test_help_comes_before_tensorflow_is_imported(module):
    program = (
        "import runpy, sys\n"
        f"sys.argv = ['{module}', '--help']\n"
        "try:\n"
        f"    runpy.run_module('{module}', run_name='__main__')\n"
        "except SystemExit as done:\n"
        "    sys.exit(done.code or 'tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"python -m {module}" in done.stdout
    assert time.monotonic() - start < 5  # about 0.2 s; importing TensorFlow alone takes longer than this on two cores


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("train.lenet", "--epochs", "0"), "'0' is not a whole number from 1 up"),
        (("train.lenet", "--learning-rate", "nan"), "'nan' is not a number above 0"),
        (("train.lenet", "--learning-rate", "1e300"), "'1e300' is not a number above 0"),
        (("export.predict", "a" * 300, "x.png"), "File name too long"),
        (("train.lenet", "--seed", "-1"), "'-1' is not a whole number"),
        (("train.lenet", "--dataset", "cifar10"), "no dataset called 'cifar10'"),
        (("train.lenet", "--out", "/proc/models"), "cannot write to the folder /proc/models"),
        (("train.lenet", "--out", __file__), "cannot write to the folder"),
        (("train.lenet", "--no-such-option"), "--no-such-option"),
        (("train.alexnet", "--dataset", "mnist"), "no dataset called 'mnist'"),
        (("train.alexnet", "--variant", "vgg"), "'vgg'"),
        (("export.tflite", "vgg"), "no network 'vgg'"),
        (("export.tflite", "lenet5", "--mode", "int8,int4"), "'int8,int4' is not all, nor some of float32,"),
        (("export.tflite", "lenet5", "--calibration", "digits"), "expected folder:PATH"),
        (("export.tflite", "lenet5", "--mode", "float32", "--debug"), "--debug reports on int8"),
        (("export.tflite", "lenet5", "--weights", "random"), "lenet5 has trained weights"),
        (("export.tflite", "lenet5", "--variant", "caffe"), "--variant is of AlexNet"),
        (("export.tflite", "lenet5", "--dataset", "cifar10"), "no dataset called 'cifar10'"),
        (("export.tflite", "alexnet", "--dataset", "cifar10", "--pictures", "docs"), "exclude each other"),
        (("export.onnx", "alexnet"), "AlexNet is verified on pictures: give --pictures DIR"),
        (("export.saved_model", "alexnet", "--pictures", "absent"), "there is no folder absent"),
        (("export.tflite", "lenet5", "--pictures", "docs"), "--pictures is for AlexNet"),
        (("export.tflite", "absent.keras"), "there is no model absent.keras"),
        (("export.tflite", "lenet5", "--prune", "1"), "'1' is not a share between 0 and 1"),
        (("export.tflite", "lenet5", "--cluster", "1"), "'1' is not a whole number from 2 to 256"),
        (
            ("export.tflite", "lenet5", "--aware", "qat", "--mode", "all"),
            "dynamic,int8,int16x8 (--aware, --mode).",
        ),
        (("export.tflite", "alexnet", "--dataset", "cifar10", "--prune", "0.5"), "by the recipe pruned"),
        (("export.tflite", "lenet5", "--fine-tune-images", "9"), "(--fine-tune-images, --aware, --prune, --cluster)."),
        (("export.micro", "absent.tflite", "--out", "x"), "there is no model absent.tflite"),
        (("export.c", "absent.tflite", "--out", "x"), "there is no model absent.tflite"),
        (("export.c", __file__, "--out", "x"), "is not a TFLite model"),
        (("export.demo", "absent.tflite"), "there is no model file absent.tflite"),
        (("export.demo", __file__), "expected a file whose name ends in .tflite or .keras"),
        (("export.verify", "absent.tflite"), "there is no file absent.tflite"),
        (("export.verify", __file__), "is not a TFLite model"),
        (("export.tflite", "lenet5", "--max-drop", "-1"), "'-1' is not a number from 0 up"),
        (("export.tflite", "lenet5", "--model", "absent.keras"), "there is no model absent.keras"),
        (("export.tflite", "lenet5", "--model", __file__), "is not a Keras model file"),
        (("export.predict", "absent.tflite", "x.png"), "cannot read the model absent.tflite"),
        (("export.predict", __file__, "x.png"), "is not a TFLite model"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_2(command, arguments, named):
    done = command(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert named in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_a_reader_that_leaves_ends_the_command_unfinished(tmp_path):
    """Exit code 0 would say that the work was done."""
    program = (
        "from keras_classics import cli; cli.run(lambda: [print('x' * 99999, flush=True) for _ in range(99)], 'p')"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_full_output_device_is_one_sentence():
    program = "from keras_classics import cli; cli.run(lambda: print('x'), 'p')"
    with pathlib.Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "p: output: No space left on device.\n"


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), files.whole_file(path) as partial:
        partial.write_text("ne")
        raise RuntimeError("power cut")
    assert path.read_text() == "old"
    with files.whole_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_input_error(tmp_path):
    with (
        pytest.raises(InputError, match="cannot write"),
        files.whole_file(tmp_path / "absent" / "file.json") as partial,
    ):
        partial.write_text("x")


WAITS_IN_A_DESTRUCTOR = """
import atexit, time
from keras_classics import cli

class Iterator:
    def __del__(self):
        time.sleep(3600)

held = [Iterator()]
held.append(held)
atexit.register(print, "registered before")
cli.run(lambda: print("done") or 3, "p")
"""


def test_a_command_does_not_wait_for_tensorflow_s_destructors(tmp_path):
    """One waits for ever for a thread that decoded a picture in Python when the interpreter shut down."""
    program = tmp_path / "keras-classics"  # as the console script is called
    program.write_text(WAITS_IN_A_DESTRUCTOR)
    env = {**os.environ, "PYTHONPATH": str(pathlib.Path(cli.__file__).parents[1])}
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60, env=env)
    assert (done.returncode, done.stdout) == (3, "done\nregistered before\n"), done.stderr


def test_a_profiler_that_runs_a_command_writes_its_profile(command, tmp_path):
    profile = tmp_path / "profile"
    done = command("cProfile", "-o", profile, "-m", "export.predict", tmp_path / "absent.tflite", "x.png")
    assert "there is no" in done.stderr or "cannot read" in done.stderr, done.stderr
    assert profile.stat().st_size > 0
