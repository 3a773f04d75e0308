"""At every moment that a command can be cut off, files are whole or as they were, and what is said is a sentence."""

import itertools
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from export import demo
from keras_classics import files, locks
from keras_classics.datasets import disk_cache
from tests.conftest import ROOT
from tests.hostile.common import packaged, picture
from tests.hostile.writers import WRITERS

WRITER = """
import pathlib, sys
from keras_classics import files, locks
from keras_classics.datasets import disk_cache
folder = pathlib.Path(sys.argv[1])
locks.claim(folder, "set")
print("ready", flush=True)
for number in range(10**9):
    for name in "abc":
        with files.whole_file(folder / name) as partial:
            partial.write_text(f"{number:09}" * 20_000)
"""


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model.tflite").write_bytes(packaged())
    (tmp_path / "3.png").write_bytes(picture("PNG")[0])
    return tmp_path / "model.tflite"


def temporary(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".") and path.name != ".set.lock"]


def test_files_are_whole_after_each_of_twenty_kills_and_what_was_begun_is_swept(tmp_path):
    chance, begun = random.Random(0), 0
    for _ in range(20):
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        assert not [name for name in temporary(tmp_path) if not name.startswith(f".{process.pid}@")]
        time.sleep(chance.uniform(0.001, 0.05))
        process.kill()
        process.communicate()
        for path in tmp_path.iterdir():
            if not path.name.startswith("."):
                text = path.read_text()
                assert text == text[:9] * 20_000
        begun += bool(temporary(tmp_path))
    assert begun  # temporary files were there, or the test would show nothing
    locks.claim(tmp_path, "set")
    locks.release()
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "c"}


@pytest.mark.parametrize("module", WRITERS)
def test_ctrl_c_at_every_stage_of_writing_leaves_nothing_half_written(module, model, tmp_path, monkeypatch, capsys):
    """Stages are the calls that write, flush and name files."""
    out = tmp_path / "out"
    out.mkdir()
    for stage in range(100):
        calls = 0

        def interrupted(call, *args, stage=stage, **options):
            nonlocal calls
            calls += 1
            if calls == stage + 1:
                raise KeyboardInterrupt
            return call(*args, **options)

        with monkeypatch.context() as patched, pytest.raises(SystemExit) as end:
            for of, name in ((files, "flush"), (pathlib.Path, "replace"), (pathlib.Path, "write_text")):
                call = getattr(of, name)
                patched.setattr(of, name, lambda *args, call=call, **options: interrupted(call, *args, **options))
            WRITERS[module](out)
        said = capsys.readouterr().err.strip()
        if end.value.code == 0:
            break
        assert end.value.code == 130
        assert said == f"python -m {module}: interrupted; no file was left half-written."
        assert not [path for path in out.rglob("*") if path.name.startswith(".")]
    assert stage == {"export.c": 12, "export.demo": 3}[module]


@pytest.mark.parametrize("module", WRITERS)
def test_a_limit_of_file_sizes_is_a_sentence_and_the_earlier_file_stays(module, model, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "page.html").write_text("earlier")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))

    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.hostile.writers", module, str(out)]
    done = subprocess.run(command, env=environment, preexec_fn=limit, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"python -m {module}: cannot write ")
    assert done.stderr.endswith(": File too large.\n")
    assert (out / "page.html").read_text() == "earlier"
    assert {path.name for path in out.rglob("*") if path.is_file()} == {"page.html"}


def test_a_folder_that_cannot_be_written_to_is_a_sentence(model, capsys):
    with pytest.raises(SystemExit) as end:
        demo.main([str(model), "--out", "/proc/absent/page.html"])
    said = capsys.readouterr().err
    assert (end.value.code, said.count("\n")) == (2, 1)
    assert "cannot write to the folder /proc/absent" in said


@pytest.mark.parametrize("absent", ["HOME", "TMPDIR", "USER", "PATH", "LANG"])
def test_pictures_are_recognised_without(absent, model):
    environment = {name: value for name, value in os.environ.items() if name != absent}
    environment |= {"PYTHONPATH": str(ROOT)} | ({"TMPDIR": "/absent"} if absent == "TMPDIR" else {})
    command = [sys.executable, "-m", "export.predict", str(model), str(model.with_name("3.png"))]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_output_that_is_closed_early_or_from_the_start_is_no_traceback(model):
    command = f'"{sys.executable}" -m export.predict "{model}" "{model.with_name("3.png")}"'
    for end in (">&-", ">&- 2>&-", "| true"):
        done = subprocess.run(f"{command} {end}", shell=True, cwd=ROOT, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), end
    done = subprocess.run(f"{command} > /dev/full", shell=True, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "python -m export.predict: output: No space left on device.\n")


def test_an_interrupt_while_waiting_for_a_picture_is_a_sentence(model):
    command = [sys.executable, "-m", "export.predict", str(model), "-"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell may have it ignored
    )
    waits = pathlib.Path(f"/proc/{process.pid}/wchan")
    deadline = time.monotonic() + 60
    while "pipe_read" not in waits.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == b"\npython -m export.predict: interrupted; no file was left half-written.\n"


def test_a_clock_that_goes_back_changes_nothing(tmp_path, monkeypatch):
    """Files of the year 2100, and a clock that is earlier each time it is read."""
    now = itertools.count(4_102_444_800, -86_400)
    monkeypatch.setattr(time, "time", lambda: next(now))
    monkeypatch.setenv("KERAS_CLASSICS_CACHE_DIR", str(tmp_path))
    for number in range(3):
        locks.claim(tmp_path, "set")
        with files.whole_file(tmp_path / "a") as partial:
            partial.write_text(str(number))
        kept = disk_cache.arrays("kind", b"content", lambda number=number: {"first": np.array([number])})
        assert kept["first"] == [0]  # computed once
        dead = tmp_path / f".{2**22 + number}@{files._machine()}.b"  # no process has that number
        dead.touch()
        for path in tmp_path.iterdir():
            os.utime(path, (4_102_444_800, 4_102_444_800 - number))
        locks.release()
        files.output_folder(tmp_path)
        assert not dead.exists()
        assert (tmp_path / "a").read_text() == str(number)
    assert len(list(tmp_path.iterdir())) == 2
