"""Two runs with the same results: the second is refused and told who the first is; the dead hold nothing."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys

import pytest

from keras_classics import files, locks
from keras_classics.errors import InputError
from tests.conftest import ROOT

HOLDS = """
import sys, time
from keras_classics import cli, locks

def command():
    locks.claim(sys.argv[1], *sys.argv[2:])
    print("held", flush=True)
    time.sleep(60)

cli.run(command, "first")
"""


@pytest.fixture
def holder():
    """``holder(folder, name)`` starts a process that claims the name, and returns it."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDS, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(autouse=True)
def released():
    yield
    locks.release()


@pytest.fixture
def no_flock(monkeypatch):
    """A file system without locks, as some network file systems are."""

    def flock(_file, _how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)


def assert_refused(folder, name, process):
    with pytest.raises(InputError) as refused:
        locks.claim(folder, name)
    for said in (f"process {process.pid} on ", "since 2", "python -c", f"is writing {name} in {folder}"):
        assert said in str(refused.value)


def test_the_second_is_refused_and_told_who_the_first_is(holder, tmp_path):
    first = holder(tmp_path, "lenet5")
    assert_refused(tmp_path, "lenet5", first)
    assert_refused(tmp_path / ".." / tmp_path.name, "lenet5", first)


def test_other_results_in_the_same_folder_are_free(holder, tmp_path):
    holder(tmp_path, "lenet5")
    locks.claim(tmp_path, "lenet5_int8.tflite", "alexnet")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_lock_of_a_process_that_ended_is_free(number, holder, tmp_path):
    first = holder(tmp_path, "lenet5")
    first.send_signal(number)
    first.wait()
    assert (tmp_path / ".lenet5.lock").exists() == (number == signal.SIGKILL)
    locks.claim(tmp_path, "lenet5")
    assert json.loads((tmp_path / ".lenet5.lock").read_text())["process"] == os.getpid()
    locks.release()
    assert not list(tmp_path.iterdir())


def test_without_locks_of_the_file_system_the_file_is_the_lock(holder, no_flock, tmp_path):
    first = holder(tmp_path, "lenet5")
    assert_refused(tmp_path, "lenet5", first)
    first.kill()
    first.wait()
    locks.claim(tmp_path, "lenet5")
    assert json.loads((tmp_path / ".lenet5.lock").read_text())["process"] == os.getpid()


def test_without_locks_another_machine_or_a_later_process_of_that_number_is_told_apart(no_flock, tmp_path):
    lock = tmp_path / ".lenet5.lock"
    locks.claim(tmp_path, "lenet5")
    owner = json.loads(lock.read_text())
    locks.release()
    lock.write_text(json.dumps({**owner, "host": "elsewhere", "process": 2**22 + 1}))
    with pytest.raises(InputError, match="on elsewhere"):
        locks.claim(tmp_path, "lenet5")
    lock.write_text(json.dumps({**owner, "started": owner["started"] - 1}))
    locks.claim(tmp_path, "lenet5")


@pytest.mark.parametrize("content", ["", "junk", "[1]", '{"process": "x"}'])
def test_a_lock_that_says_nothing_is_no_obstacle(content, tmp_path):
    (tmp_path / ".lenet5.lock").write_text(content)
    locks.claim(tmp_path, "lenet5")


def test_what_dead_processes_left_is_removed_and_nothing_else(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    mine = files._temporary_name("lenet5.keras")
    kept = [
        mine,
        f".{os.getpid()}.lenet5.keras",
        f".{gone.pid}@elsewhere.lenet5.keras",
        ".1999",
        "7.keras",
        ".hidden.7",
    ]
    for name in (*kept, f".{gone.pid}.lenet5.keras", mine.replace(str(os.getpid()), str(gone.pid))):
        (tmp_path / name).touch()
    (tmp_path / f".{gone.pid}.lenet5_saved_model").mkdir()
    (tmp_path / f".{gone.pid}.lenet5_saved_model" / "file").touch()
    locks.claim(tmp_path, "lenet5")
    locks.release()
    assert {path.name for path in tmp_path.iterdir()} == set(kept)


def test_a_second_training_in_a_folder_is_refused_before_tensorflow(holder, command, tmp_path):
    first = holder(tmp_path, "lenet5")
    done = command("train.lenet", "--dataset", "embedded", "--out", tmp_path)
    assert done.returncode == 2
    assert f"process {first.pid} on" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("config", "first"),
    [
        ("", True),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}', True),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}', False),
        ('{"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "worker", "index": 0}}', False),
        ('{"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "chief", "index": 0}}', True),
        ("not json", True),
    ],
)
def test_of_several_machines_the_first_claims_the_folder(config, first, monkeypatch, tmp_path):
    from train import arguments, lenet

    monkeypatch.setenv("TF_CONFIG", config)
    arguments.folder_of_run(lenet.parser().parse_args(["--out", str(tmp_path)]), "lenet5")
    assert (tmp_path / ".lenet5.lock").exists() == first
