"""Errors of the library name things; commands add the arguments by which those are given."""

import ast
import pathlib
import re

import pytest

from keras_classics import cli
from keras_classics.errors import InputError

ROOT = pathlib.Path(cli.__file__).parents[1]
COMMANDS = ("cli", "commands", "launch", "__main__")
FOLDERS = (
    *("keras_classics", "train/engine", "train/report"),
    *(f"export/{name}" for name in ("inputs", "convert", "litert", "finetune", "gate", "microcontroller")),
)
PATHS = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if path.stem not in COMMANDS]
LIBRARY = sorted(path.relative_to(ROOT) for path in (*PATHS, ROOT / "train" / "run.py"))
ARGUMENT = re.compile(r"(?:^|[\s('\"])--[a-z]")


def texts_in(node):
    """Every text in a node, an f-string as one with {} for its values."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from texts_in(child)


def raised_texts(tree):
    """Every text in a raise statement, and those that the names in it were given anywhere in the module."""
    given = [
        (target.id, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Raise):
            names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            for value in (statement, *(value for name, value in given if name in names)):
                yield from texts_in(value)


@pytest.mark.parametrize("path", LIBRARY, ids=str)
def test_a_library_module_raises_no_text_with_an_argument_of_a_command(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    # What stands between backquotes is another program's command.
    texts = [re.sub(r"`[^`]*`", "", text) for text in raised_texts(tree)]
    assert [text for text in texts if ARGUMENT.search(text)] == []


def test_such_a_text_would_be_found():
    source = "TEXT = 'give --fresh to begin anew'\ndef f(x):\n    raise InputError(f'{x} is damaged; {TEXT}')"
    assert [text for text in raised_texts(ast.parse(source)) if ARGUMENT.search(text)] == ["give --fresh to begin anew"]


def test_a_command_adds_the_arguments(capsys):
    def fail():
        raise InputError("the folder holds a run; discard it.", settings=("fresh", "cache_mb"))

    with pytest.raises(SystemExit) as ended:
        cli.run(fail, "python -m train.x")
    assert ended.value.code == 2
    expected = "python -m train.x: the folder holds a run; discard it (--fresh, --cache-mb).\n"
    assert capsys.readouterr().err == expected
