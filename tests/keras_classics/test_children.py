"""A child that crashes in native code reaches the user as a sentence and an exit code, whatever command started it."""

import os
import pathlib
import signal
import subprocess
import sys
import time
import types

import pytest

from benchmarks import all as every
from benchmarks import import_time, memory
from export.microcontroller import interpreter
from keras_classics import children, cli
from keras_classics.errors import InputError
from train import finished_runs

ROOT = pathlib.Path(__file__).parent.parent.parent
DIES = "import os, signal; os.kill(os.getpid(), signal.{})"


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("SIGSEGV", 139, "crashed in native code (SIGSEGV); with PYTHONFAULTHANDLER=1"),
        ("SIGABRT", 134, "crashed in native code (SIGABRT)"),
        ("SIGKILL", 137, "was ended by SIGKILL, as when memory runs out"),
        ("SIGTERM", 143, "was ended by SIGTERM"),
        ("SIGRTMIN", 162, "was ended by SIGRTMIN"),
    ],
)
def test_a_signal_is_a_sentence_and_the_exit_code_of_a_shell(name, code, said, capsys):
    with pytest.raises(SystemExit) as end:
        cli.run(lambda: children.run([sys.executable, "-c", DIES.format(name)], "the benchmark"), "p")
    assert end.value.code == code
    error = capsys.readouterr().err
    assert error.startswith(f"p: the benchmark {said}")
    assert error.count("\n") == 1


def test_an_error_is_passed_on_in_its_last_line():
    program = [sys.executable, "-c", "import sys; sys.exit('first\\nthere is no such thing.')"]
    with pytest.raises(InputError, match=r"^it ended with exit code 1: there is no such thing\.$"):
        children.run(program, "it", capture_output=True, text=True)
    with pytest.raises(InputError, match=r"^it ended with exit code 1; see above\.$"):
        children.run(program, "it")
    assert children.run([sys.executable, "-c", "print(1)"], "it", capture_output=True).stdout == b"1\n"


@pytest.fixture
def python_crashes(tmp_path, monkeypatch):
    """Every child of this process ends by SIGSEGV at once."""
    crash = tmp_path / "python"
    crash.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crash.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crash))
    monkeypatch.setattr(interpreter, "check_installed", lambda: None)


@pytest.mark.parametrize(
    "start",
    [
        lambda folder: finished_runs.history(folder, "train.lenet", ["--steps", 1]),
        lambda folder: interpreter.run(b"", []),
        lambda folder: every.run_one("lrn", types.SimpleNamespace(rounds=1, data_dir=None)),
        lambda folder: memory.peak("ours-lenet", types.SimpleNamespace(steps=1, batch=1, data_dir=None)),
        lambda folder: memory.digits(types.SimpleNamespace(data_dir=None)),
        lambda folder: import_time.rows(types.SimpleNamespace(rounds=1, commands=[])),
    ],
    ids=["training", "microcontroller", "benchmarks.all", "memory", "digits", "import_time"],
)
def test_every_command_that_starts_a_child_says_that_it_crashed(start, python_crashes, tmp_path):
    with pytest.raises(cli.Stopped, match=r"crashed in native code \(SIGSEGV\)") as stop:
        start(tmp_path)
    assert stop.value.code == 139


def test_a_child_is_ours_whatever_lies_in_the_working_directory(tmp_path):
    (tmp_path / "train.py").write_text("raise SystemExit('not ours')")
    for command in (
        children.module("train.lenet", "--help"),
        children.module("export.microcontroller.runner", "--help"),
    ):
        for variables in ({}, {"PYTHONPATH": str(tmp_path)}, {"PYTHONSAFEPATH": "1"}):
            done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            assert f"usage: python -m {command[2]}" in done.stdout


def test_processes_of_a_pool_end_when_theirs_is_killed(tmp_path):
    code = (
        "import os, pathlib, signal, time\n"
        "from keras_classics import children\n"
        "if __name__ == '__main__':\n"
        "    with children.pool(2) as pool:\n"
        "        found = {pool.submit(os.getpid).result() for _ in range(20)}\n"
        "        pathlib.Path('pids').write_text(' '.join(map(str, found)))\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "program.py").write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=environment, timeout=60)
    assert done.returncode == -signal.SIGKILL
    numbers = [int(number) for number in (tmp_path / "pids").read_text().split()]
    assert numbers
    deadline = time.monotonic() + 20
    while any(_runs(number) for number in numbers):
        assert time.monotonic() < deadline, "a process of the pool still runs"
        time.sleep(0.1)


def _runs(number):
    try:
        return pathlib.Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
