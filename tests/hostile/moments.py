"""``python -m tests.hostile.moments NAME COUNT [KILL|INT] [SEED]``: a command ended at random moments.

NAME is one of ``COMMANDS`` or ``LOOPS``. The command runs again and again in one folder, where an earlier run has left
its files, and gets a signal: SIGKILL between its first output and its end, or SIGINT (Ctrl-C) from its start on. After
each of them every file is the earlier one or a new one, whole; at the end it runs undisturbed, and no temporary file is
left. Exports in C are of two models in turn.
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile

from tests.hostile.common import packaged
from tests.hostile.worker import ROOT

_LASTING = (".keras", ".tflite", ".json", ".onnx", ".c", ".h", ".cc", ".html")
_TEXTS = (".c", ".h", ".cc", ".html")
_LENET = ("lenet5", "--weights", "mnist", "--dataset", "embedded")
COMMANDS = {
    "train": ("train.lenet", "--dataset", "embedded", "--steps", "60", "--checkpoint-steps", "10"),
    "tflite": ("export.tflite", *_LENET, "--test-images", "50"),
    "saved_model": ("export.saved_model", *_LENET),
    "onnx": ("export.onnx", *_LENET),
    "c": ("export.c", "MODEL"),
    "micro": ("export.micro", "MODEL"),
    "demo": ("export.demo", "MODEL"),
}
LOOPS = ("index", "weights")  # of ``tests.hostile.loops``


def started(name, folder, model, **streams):
    if name in LOOPS:
        words = ("tests.hostile.loops", name, str(folder))
    else:
        out = folder / "page.html" if name == "demo" else folder
        words = (*(str(model) if word == "MODEL" else word for word in COMMANDS[name]), "--out", str(out))
    return subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, **streams)


def finished(name, folder, model):
    """Seconds to the first output, and from there to the end, of an undisturbed run."""
    began = time.monotonic()
    with started(name, folder, model, stderr=subprocess.DEVNULL) as process:
        process.stdout.readline()
        first = time.monotonic()
        process.stdout.read()
    assert process.returncode == 0, f"exit code {process.returncode}"
    return first - began, time.monotonic() - first


def models(name, folder):
    """Paths of the models that a command is given in turn."""
    if "MODEL" not in COMMANDS.get(name, ()):
        return [None]
    if name == "demo":
        (folder / "model.tflite").write_bytes(packaged())
        return [folder / "model.tflite"]
    found = []
    for seed in ("0", "1"):  # of the calibration images
        words = ("export.tflite", *_LENET, "--target", "micro", "--test-images", "50", "--seed", seed)
        out = folder / seed
        subprocess.run([sys.executable, "-m", *words, "--out", out], cwd=ROOT, check=True, capture_output=True)
        found.append(out / "lenet5_int8.tflite")
    return found


def check_whole(folder, texts):
    """Every file that has its final name can be read to its end; those of ``_TEXTS`` are among ``texts``, if any."""
    import numpy as np

    from keras_classics.recognition import structure

    for path in folder.rglob("*"):
        if any(part.startswith(".") or part.endswith("_checkpoints") for part in path.relative_to(folder).parts):
            continue
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix in (".keras", ".npz"):
            assert zipfile.ZipFile(path).testzip() is None, path
            if path.suffix == ".npz":
                assert np.load(path)["places"].size
        elif path.suffix == ".tflite":
            structure.check(path.read_bytes())
        elif path.suffix == ".onnx":
            import onnx

            onnx.checker.check_model(onnx.load(path))
        elif path.name.endswith(".weights.h5"):
            import h5py

            with h5py.File(path) as kept:
                assert sum(len(layer["vars"]) == 2 for layer in kept["layers"].values()) == 5, path
        elif path.suffix in _TEXTS and texts:
            assert path.read_text() in texts, path
        elif path.name == "saved_model.pb":
            assert path.stat().st_size > 1000, path
            assert (path.parent / "variables" / "variables.index").is_file(), path


def hidden(folder):
    """What is left of files that were being written: paths."""
    return [str(path) for path in folder.rglob(".*")]


def disturbed(name, folder, model, kind, seconds, chance):
    """Whether a run was ended by a signal, at a random moment."""
    before, after = seconds
    if kind == "KILL":
        with started(name, folder, model, stderr=subprocess.DEVNULL) as process:
            if name == "demo":  # it speaks when it is done
                time.sleep(chance.uniform(before / 2, before))
            else:
                process.stdout.readline()
                time.sleep(chance.uniform(0, after))
            ended = process.poll() is None
            process.kill()
        return ended
    usual = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # a shell may have it ignored
    with started(name, folder, model, stderr=subprocess.PIPE, **usual) as process:
        time.sleep(chance.uniform(0.3, before + after))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode in (0, 130), process.returncode
    assert "Traceback" not in said, said
    assert not hidden(folder), hidden(folder)
    return process.returncode == 130


def main(name, count, kind="KILL", seed="0"):
    chance = random.Random(int(seed))
    with tempfile.TemporaryDirectory() as root:
        folder = pathlib.Path(root, "out")
        folder.mkdir()
        texts, given = set(), models(name, pathlib.Path(root))
        for model in given:
            seconds = finished(name, folder, model)
            texts |= {path.read_text() for path in folder.iterdir() if path.suffix in _TEXTS}
        # A report and its pictures go as soon as there is a new model that they do not describe.
        names = {path.name for path in folder.iterdir() if path.is_dir() or path.suffix in _LASTING}
        killed = runs = begun = 0
        while killed < int(count):
            killed += disturbed(name, folder, given[runs % len(given)], kind, seconds, chance)
            runs += 1
            check_whole(folder, texts)
            begun += bool(hidden(folder))
            lost = {left for left in names if not (folder / left).exists()}
            assert not lost, f"{lost} are gone"
        finished(name, folder, given[0])
        check_whole(folder, texts)
        assert not hidden(folder), hidden(folder)
    print(f"{name}: {kind} {killed} times in {runs} runs; every file whole; {begun} times something begun, then swept")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main(*sys.argv[1:])
