"""Text for screens and files: what a stream or an encoding cannot say, and what would break a line, is escaped."""

import json
import os
import re

_BREAKS_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def in_a_line(text):
    r"""``text`` with control characters and ends of lines escaped (``\n``, ``\x1b``): names of files may hold them."""
    return _BREAKS_A_LINE.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def message(text):
    """``text`` in a line that can be read: of typed words and texts of thousands of characters both ends are shown.

    No word has more than 1,000 characters then, and the whole no more than 4,000.
    """
    line = re.sub(r"\S{1001,}", lambda word: _ends(word[0], 200), in_a_line(text))
    return line if len(line) <= 4_000 else _ends(line, 1_500)


def _ends(text, length):
    return f"{text[:length]}… ({len(text):,} characters) …{text[-length:]}"


def of_path(path):
    """A path as text: in UTF-8, whatever the locale takes the names of files for."""
    return os.fsencode(path).decode("utf-8", "surrogateescape")


def as_json(content, encoding="utf-8", **options):
    r"""``content`` as JSON that ``encoding`` can say: with ``\uXXXX`` for all but ASCII where it cannot.

    UTF-8 cannot say a lone surrogate, which is how Python holds the bytes of a file's name that is not UTF-8.

    Args:
        content: what ``json.dumps`` takes.
        encoding: of the file or stream; None counts as ASCII.
        options: of ``json.dumps``.
    """
    text = json.dumps(content, ensure_ascii=False, **options)
    try:
        text.encode(encoding or "ascii")
    except UnicodeEncodeError:
        return json.dumps(content, ensure_ascii=True, **options)
    return text


def write(path, content):
    r"""Write ``content`` to ``path`` as UTF-8; what that cannot say (a lone surrogate) as ``\udcXX``."""
    path.write_text(content, encoding="utf-8", errors="backslashreplace")
