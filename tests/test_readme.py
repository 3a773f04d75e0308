"""The README in both languages: the same commands, code and numbers; two lines that do everything; links that exist."""

import pathlib
import re

import pytest

from keras_classics import commands

ROOT = pathlib.Path(__file__).parent.parent
ENGLISH, CHINESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))


def code(text):
    """Blocks of code without their comments, which are in the reader's language."""
    blocks = re.findall(r"```(\w*)\n(.*?)```", text, flags=re.DOTALL)
    return [(language, re.sub(r" *#.*", "", block)) for language, block in blocks]


def numbers(text):
    """Numbers outside code and links, with digits in groups of three as one, however often each stands there."""
    prose = re.sub(r"```.*?```|\]\([^)]*\)", "", text, flags=re.DOTALL)
    return set(re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", prose))


def test_both_languages_have_the_same_commands_and_code():
    assert code(ENGLISH) == code(CHINESE)


def test_both_languages_have_the_same_numbers():
    english, chinese = numbers(ENGLISH), numbers(CHINESE)
    assert english == chinese, english ^ chinese


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
def test_exactly_two_lines_install_and_run(text):
    assert sum(line.startswith("python3 -m venv ") for line in text.splitlines()) == 2


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_links_lead_to_files(path):
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), target


def test_every_command_is_documented():
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for command in commands.COMMANDS:
        assert command.module in text, command.module
