"""``keras-classics``: every command under one name, which nothing in the working directory can shadow."""

import dataclasses
import pathlib
import sys

import keras_classics
from keras_classics import cli, launch
from keras_classics.errors import InputError

NAME = "keras-classics"


@dataclasses.dataclass(frozen=True)
class Command:
    """What is typed after ``keras-classics``, the module that is run, and a line about it."""

    words: str
    module: str
    about: str


COMMANDS = (
    Command("train lenet", "train.lenet", "train LeNet-5 on handwritten digits"),
    Command("train alexnet", "train.alexnet", "train AlexNet on photographs or on small pictures"),
    Command("train teacher", "train.teacher", "train a larger network on digits, for LeNet-5 to learn from"),
    Command("train table", "train.table", "train recipes from several seeds and write their table of accuracies"),
    Command(
        "train claims", "train.claims", "test what is said of both networks, each claim as networks that are trained"
    ),
    Command("train pretrained", "train.pretrained", "train the weights that come with the package anew"),
    Command("export tflite", "export.tflite", "write a network as verified TFLite models"),
    Command("export onnx", "export.onnx", "write a network as a verified ONNX model"),
    Command("export saved_model", "export.saved_model", "write a network as a verified SavedModel"),
    Command("export verify", "export.verify", "check any TFLite file against Keras"),
    Command("export micro", "export.micro", "write an int8 digit model as C++ source for a microcontroller"),
    Command("export c", "export.c", "write an int8 digit model as plain C for a microcontroller"),
    Command("export demo", "export.demo", "write one HTML file to draw digits on, with a model inside"),
    Command("export predict", "export.predict", "say what pictures show, with a TFLite model"),
    Command("predict", "export.predict", "short for export predict"),
)


def matching(words):
    """The ``Command`` that the words on a command line begin with, and how many of them name it; or (None, 0)."""
    for command in COMMANDS:
        named = command.words.split()
        if words[: len(named)] == named:
            return command, len(named)
    return None, 0


def usage(program, rows):
    """The text of ``--help``: a line for each ``Command`` of ``rows``."""
    width = max(len(row.words) for row in rows)
    lines = [f"  {row.words:{width}}  {row.about}" for row in rows]
    lines = [f"usage: {program} COMMAND ...", "", *lines, "", "COMMAND --help says what it takes.", ""]
    return "\n".join(lines)


def run(program, words):
    """Run the command that ``words``, typed after ``program``, name: it ends the process. Or show help.

    Raises:
        InputError: there is no such command.
    """
    command, count = matching(words)
    if command:
        cli.call_it(f"{program} {command.words}")
        launch.run(command.module, words[count:])
    group = next((word for word in words[:1] if any(row.words.startswith(f"{word} ") for row in COMMANDS)), None)
    rows = [row for row in COMMANDS if group in (None, row.words.split()[0])]
    rest = words[1:] if group else words
    if rest[:1] in (["-h"], ["--help"]):
        print(usage(program, rows), end="")
    elif rest == ["--version"] and not group:
        print(f"{NAME} {keras_classics.__version__}")
    else:
        cli.call_it(" ".join(filter(None, (program, group))))
        offered = dict.fromkeys(row.words.split()[1 if group else 0] for row in rows)
        found = f"there is no command {rest[0]!r}" if rest else "a command is missing"
        raise InputError(f"{found}; expected one of {', '.join(offered)}.")


def main():
    """What the console script calls, and ``python -m keras_classics``."""
    module = pathlib.PurePath(sys.argv[0]).name == "__main__.py"
    program = "python -m keras_classics" if module else NAME
    cli.run(lambda: run(program, sys.argv[1:]), program)
