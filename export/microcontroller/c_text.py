"""Texts of the C files: kernels and files with placeholders, and numbers and strings as C has them."""

import functools
import hashlib
import pathlib
import re
import string

_HERE = pathlib.Path(__file__).parent
_WIDTH = 116  # columns of numbers


# The kernels that multiply are files with placeholders: for one output position, or for four at once.
_MULTIPLY = ("dense", "indexed", "sparse")
_ONE = {
    "positions": "One output position of all maps.",
    **dict.fromkeys(("suffix", "offsets", "both", "next", "and_next"), ""),
    "sums": "sum = o->bias[map]",
    "add": "sum += factor * *value++;",
    "finish": "y[map] = finished(sum, o, map);",
}
_FOUR = {
    "positions": "Four output positions of all maps, across and down from the first; a weight is read once for them.",
    "suffix": "_4",
    "offsets": "\n                              int across, int down,",
    "both": "\n    const int both = down + across;",
    "next": " ++value",
    "and_next": ", ++value",
    "sums": "a = o->bias[map], b = a, c = a, d = a",
    "add": "\n                ".join(
        f"{each} += factor * value[{place}];"
        for each, place in zip("abcd", ("0", "across", "down", "both"), strict=True)
    ),
    "finish": "finish_4(a, b, c, d, o, map, y);",
}


def kernel_text(name):
    """The C source of a kernel; "dense_4" is "dense" for four output positions at once."""
    kind = name.removesuffix("_4")
    if kind not in _MULTIPLY:
        return _kernel_file(name)
    return string.Template(_kernel_file(kind)).substitute(_ONE if kind == name else _FOUR)


def _kernel_file(name):
    return (_HERE / "kernels" / f"{name}.c").read_text(encoding="utf-8")


@functools.cache
def template(name):
    """A file of the folder ``files`` with its placeholders."""
    return string.Template((_HERE / "files" / name).read_text(encoding="utf-8"))


def stamped(templates, fields):
    """``{file name: text}`` of files that belong together: each holds a stamp (``$stamp``, 8 hexadecimal digits) that
    another export has not, so that a compiler refuses a mixture of two.

    Args:
        templates: ``{file name: string.Template}``.
        fields: of their other placeholders.
    """
    digest = hashlib.sha256()
    for name, template in templates.items():
        digest.update(f"{name}\n{template.substitute(fields, stamp='')}".encode())
    return {name: template.substitute(fields, stamp=digest.hexdigest()[:8]) for name, template in templates.items()}


def array(kind, name, values):
    """``static const`` of numbers, in lines of a readable width."""
    return f"static const {kind} {name}[{len(values)}] = {{\n{rows(values)}\n}};\n"


def rows(values, indent=4):
    """Numbers with commas between them, in lines."""
    lines, line = [], ""
    for value in values:
        # The least number of 32 bits has no literal of its own type.
        text = "INT32_MIN" if int(value) == -(2**31) else str(int(value))
        if len(line) + len(text) + 2 > _WIDTH:
            lines.append(line)
            line = ""
        line += f"{' ' if line else ''}{text},"
    return "\n".join(" " * indent + each for each in [*lines, line]).removesuffix(",")


def table(values):
    return ",\n".join(f"    {{\n{rows(row, 8)}\n    }}" for row in values)


def comment(text):
    """``text`` as it may stand in a comment of C and C++, in one line."""
    return re.sub(r"[^ -~]|\*/|\?\?|\\", "_", text)


def escaped(text):
    """``text`` between the quotes of a C string, as UTF-8."""
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}" for byte in text.encode())
