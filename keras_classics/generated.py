"""The part of a Markdown file that a command writes, between two lines of marks."""

import pathlib

from keras_classics import files
from keras_classics.errors import InputError


def check(path, begin, end):
    """Refuse a file without a place for what is to be written.

    Raises:
        InputError: the file cannot be read, or does not have the marks once, in order.
    """
    _around(path, begin, end)


def replace(path, begin, end, content):
    """Write ``content`` between the marks ``begin`` and ``end`` of the file ``path``, in place of what stands there.

    Raises:
        InputError: as ``check``.
    """
    before, _, after = _around(path, begin, end)
    with files.whole_file(path) as partial:
        partial.write_text(f"{before}{begin}{content}{end}{after}", encoding="utf-8")


def content(path, begin, end):
    """What stands between the marks ``begin`` and ``end`` of the file ``path``.

    Raises:
        InputError: as ``check``.
    """
    return _around(path, begin, end)[1]


def _around(path, begin, end):
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"there is no text file {path} to write the table into.") from error
    before, first, rest = text.partition(begin)
    between, second, after = rest.partition(end)
    if not (first and second) or begin in rest or end in after:
        raise InputError(f"{path} needs one line {begin} and, below, one line {end}.")
    return before, between, after
