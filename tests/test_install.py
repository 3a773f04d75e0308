"""The install without TensorFlow that docs/recognition.md names, in an environment of its own."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parent.parent
ABSENT = ("tensorflow", "keras", "tf_keras", "h5py", "matplotlib", "mlxtend")
PROGRAM = f"""
import importlib.util, sys
assert not [name for name in {ABSENT} if importlib.util.find_spec(name)]
import keras_classics
print(keras_classics.Recognizer().digit(sys.argv[1]).label)
"""


@pytest.mark.needs_registry
def test_the_documented_install_without_tensorflow_reads_a_digit(embedded, tmp_path):
    text = (ROOT / "docs" / "recognition.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^(pip install --no-deps .+)$", text, flags=re.MULTILINE)
    (more,) = re.findall(r"`export\.predict` needs `(\w+)` as well", text)
    source, environment = tmp_path / "source", tmp_path / "environment"
    unneeded = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "saved_models")
    shutil.copytree(ROOT, source, ignore=unneeded)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python, pip = environment / "bin" / "python", environment / "bin" / "pip"
    for command in (line.replace("pip ", f"{pip} -q "), f"{pip} -q install {more}"):
        done = subprocess.run(command, shell=True, cwd=source, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    digit = embedded.test.images[embedded.test.labels == 7][0][2:30, 2:30, 0]
    picture = tmp_path / "seven.png"
    Image.fromarray(255 - digit).resize((200, 200)).save(picture)
    done = subprocess.run([python, "-c", PROGRAM, picture], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("7\n", "")
    model = next(environment.glob("lib/*/site-packages/keras_classics/recognition/lenet5_photographs.tflite"))
    command = [python, "-m", "export.predict", model, picture]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{picture}: 7 (")
