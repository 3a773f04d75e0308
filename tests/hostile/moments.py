"""``python -m tests.hostile.moments train|tflite|saved_model COUNT``: SIGKILL at random moments of a command.

The command runs again and again in one folder, where an earlier run has left its files, and is killed at a moment
between its first output and its end. After each of them every file is the earlier one or a new one, whole; at the end
it runs undisturbed, and no temporary file is left.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import zipfile

from tests.hostile.worker import ROOT

_LASTING = (".keras", ".tflite", ".json")
COMMANDS = {
    "train": ("train.lenet", "--dataset", "embedded", "--steps", "60", "--checkpoint-steps", "10"),
    "tflite": ("export.tflite", "lenet5", "--weights", "mnist", "--dataset", "embedded", "--test-images", "50"),
    "saved_model": ("export.saved_model", "lenet5", "--weights", "mnist", "--dataset", "embedded"),
}


def started(name, folder):
    command = [sys.executable, "-m", *COMMANDS[name], "--out", str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def finished(name, folder):
    """Seconds from the first output to the end of an undisturbed run."""
    with started(name, folder) as process:
        process.stdout.readline()
        began = time.monotonic()
        process.stdout.read()
        seconds = time.monotonic() - began
    assert process.returncode == 0, f"exit code {process.returncode}"
    return seconds


def check_whole(folder):
    """Every file that has its final name can be read to its end."""
    from keras_classics.recognition import structure

    for path in folder.rglob("*"):
        if any(part.startswith(".") or part.endswith("_checkpoints") for part in path.relative_to(folder).parts):
            continue
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".keras":
            assert zipfile.ZipFile(path).testzip() is None, path
        elif path.suffix == ".tflite":
            structure.check(path.read_bytes())
        elif path.name == "saved_model.pb":
            assert path.stat().st_size > 1000, path
            assert (path.parent / "variables" / "variables.index").is_file(), path


def main(name, count, seed="0"):
    chance = random.Random(int(seed))
    with tempfile.TemporaryDirectory() as root:
        folder = pathlib.Path(root)
        seconds = finished(name, folder)
        # A report and its pictures go as soon as there is a new model that they do not describe.
        names = {path.name for path in folder.iterdir() if path.is_dir() or path.suffix in _LASTING}
        killed = runs = 0
        while killed < int(count):
            runs += 1
            process = started(name, folder)
            process.stdout.readline()
            time.sleep(chance.uniform(0, seconds))
            killed += process.poll() is None
            process.kill()
            process.communicate()
            check_whole(folder)
            lost = {left for left in names if not (folder / left).exists()}
            assert not lost, f"{lost} are gone"
        finished(name, folder)
        check_whole(folder)
        left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
        assert not left, f"{left} are left"
    print(f"{name}: killed {killed} times in {runs} runs; every file whole, nothing left over")


if __name__ == "__main__":
    main(*sys.argv[1:])
