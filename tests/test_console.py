"""``keras-classics``: the commands of ``python -m``, from an installed wheel, in folders full of namesakes."""

import importlib
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

from keras_classics import commands
from tests.conftest import ROOT

CONSOLE = "import sys; sys.argv[0] = '/usr/bin/keras-classics'; from keras_classics.commands import main; main()"
NAMESAKE = "raise SystemExit('a namesake was executed')"


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """A wheel, and a source distribution, built from a copy of what is installed."""
    source = tmp_path_factory.mktemp("source")
    for name in ("keras_classics", "train", "export"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    program = "from setuptools import build_meta as b; print(b.build_sdist('out')); print(b.build_wheel('out'))"
    done = subprocess.run([sys.executable, "-c", program], cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return source / "out"


@pytest.fixture(scope="module")
def installed(distributions, tmp_path_factory):
    """A folder that modules are found in, with the content of the wheel."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(next(distributions.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    return folder


@pytest.fixture
def typed(installed, tmp_path):
    """``typed(…)``: the finished process of the console script with these words, in a folder of namesakes."""
    for name in ("train.py", "export.py", "commands.py", "cli.py", "launch.py"):
        (tmp_path / name).write_text(NAMESAKE)

    def run(*words, start=("-c", CONSOLE), path=(), **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment["PYTHONPATH"] = os.pathsep.join(map(str, (*path, installed)))
        command = [sys.executable, *start, *map(str, words)]
        return subprocess.run(command, cwd=tmp_path, env=environment | variables, capture_output=True, text=True)

    return run


def test_wheel_and_source_hold_what_is_imported_and_nothing_else(distributions):
    with zipfile.ZipFile(next(distributions.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        scripts = next(name for name in names if name.endswith("entry_points.txt"))
        assert "keras-classics = keras_classics.commands:main" in wheel.read(scripts).decode()
    assert "keras_classics/py.typed" in names
    for package in ("keras_classics", "train", "export"):
        files = [path for path in (ROOT / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert {str(path.relative_to(ROOT)) for path in files} <= names
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"keras_classics", "train", "export"}
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as source:
        inside = {name.partition("/")[2] for name in source.getnames()}
    assert {name for name in names if "dist-info" not in name} | {"setup.py", "README.md", "LICENSE"} <= inside


def test_a_network_is_trained_by_an_installed_command_among_namesakes(typed, tmp_path):
    done = typed("train", "lenet", "--steps", 20, "--dataset", "embedded", path=[tmp_path])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "saved_models" / "lenet5.keras").is_file()


@pytest.mark.parametrize(
    "start",
    [("-c", CONSOLE), ("-m", "keras_classics"), ("-P", "-m", "keras_classics")][: 2 + (sys.version_info >= (3, 11))],
)
def test_namesakes_are_not_executed(typed, start, tmp_path):
    package = tmp_path / "elsewhere" / "export"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(NAMESAKE)
    for words in (("train", "lenet"), ("export", "verify"), ("predict",)):
        done = typed(*words, "--help", start=start, path=[tmp_path, package.parent])
        assert done.returncode == 0, done.stderr
        assert "usage: " in done.stdout


@pytest.mark.parametrize("row", commands.COMMANDS, ids=lambda row: row.words)
def test_every_command_is_called_as_it_was_typed(row, monkeypatch, capsys):
    monkeypatch.setattr("keras_classics.cli._typed", None)
    monkeypatch.setattr(sys, "argv", ["/usr/bin/keras-classics", *row.words.split(), "--no-such-option"])
    monkeypatch.delitem(sys.modules, row.module, raising=False)
    with pytest.raises(SystemExit) as end:
        commands.main()
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(f"keras-classics {row.words}: ")
    about = importlib.import_module(row.module).__doc__
    assert f"python -m {row.module}" in about


def test_every_command_of_train_and_export_has_a_row():
    files = [file for name in ("train", "export") for file in (ROOT / name).glob("*.py")]
    marked = {f"{file.parent.name}.{file.stem}" for file in files if "\nPROG = " in file.read_text(encoding="utf-8")}
    assert {row.module for row in commands.COMMANDS} == marked


@pytest.mark.parametrize("words", [(), ("train",), ("export",)])
def test_help_lists_the_commands_a_line_each(words, capsys):
    with pytest.raises(SystemExit) as end:
        run_in_this_process(*words, "--help")
    assert end.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [row for row in commands.COMMANDS if not words or row.words.startswith(f"{words[0]} ")]
    assert [line.split("  ")[1] for line in lines if line.startswith("  ")] == [row.words for row in rows]
    assert all(line.isascii() and len(line) <= 100 for line in lines)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "keras-classics: a command is missing; expected one of train, export, predict."),
        (("trian", "lenet"), "keras-classics: there is no command 'trian'; expected one of train, export, predict."),
        (("--no-such-option",), "keras-classics: there is no command '--no-such-option'; expected one of train,"),
        (
            ("train", "vgg"),
            "keras-classics train: there is no command 'vgg'; expected one of lenet, alexnet, teacher, table,",
        ),
        (("export",), "keras-classics export: a command is missing; expected one of tflite, onnx, saved_model,"),
    ],
)
def test_what_there_is_not_is_one_sentence(words, said, capsys):
    with pytest.raises(SystemExit) as end:
        run_in_this_process(*words)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(said)
    assert error.count("\n") == 1


def run_in_this_process(*words):
    from keras_classics import cli

    try:
        cli.run(lambda: commands.run("keras-classics", list(words)), "keras-classics")
    finally:
        cli.call_it(None)


def test_help_comes_at_once(typed):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert typed("--help").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of the processor, which other processes do not change; about 0.15.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_the_program_is_what_was_typed(typed):
    assert typed("--version").stdout.startswith("keras-classics ")
    done = typed("predict", "absent.tflite", "x.png")
    assert done.stderr.startswith("keras-classics predict: cannot read the model absent.tflite")
    done = typed("train", "--epochs", start=("-m", "keras_classics"))
    assert done.stderr.startswith("python -m keras_classics train: there is no command '--epochs'")
