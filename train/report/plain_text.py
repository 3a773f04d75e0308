"""Names of classes as plain text, in any script: in Markdown, as names of files, in plots."""

import functools
import re
import unicodedata

from keras_classics.text import in_a_line

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
_NO_FILE_NAME = re.compile(r'[/\\:*?"<>|]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # Windows' own
_FILE_NAME_BYTES = 150  # of 255, which an ending and a temporary name share
_WIDTH = 18  # columns of a class's name that fit under a small picture or beside a line


def visible(text):
    r"""``text`` in one line: control characters and what UTF-8 cannot say are escaped (``\n``, ``\udc80``)."""
    return in_a_line(text).encode("utf-8", "backslashreplace").decode()


def in_markdown(text):
    """``text`` as it is, in a line or a cell of a table of GitHub's Markdown."""
    return _MARKDOWN.sub(r"\\\1", visible(text))


def file_names(names):
    """A name of a file for each of ``names``, without its ending: legal anywhere, and different in any case."""
    found, taken = [], set()
    for number, name in enumerate(names):
        name = _NO_FILE_NAME.sub("-", visible(name)).encode()[:_FILE_NAME_BYTES].decode(errors="ignore")
        name = re.sub(r"^\.", "-", name).rstrip(". ") or "-"
        if _DEVICES.match(name):
            name = f"-{name}"
        if name.casefold() in taken:
            name = f"{name} ({number})"
        taken.add(name.casefold())
        found.append(name)
    return found


def short(names):
    """``names`` as plots can show them, cut to their room; those that would be the same have their number in them."""
    whole = [visible(name) for name in names]
    _, missing = fonts_for("".join(whole))
    whole = [drawable(name, missing) for name in whole]
    cut = [_cut(name, _WIDTH) for name in whole]
    seen = {}
    for name in cut:
        seen[name] = seen.get(name, 0) + 1
    return [
        short if seen[short] == 1 else f"{_cut(name, _WIDTH - 5)} {number}"
        for number, (name, short) in enumerate(zip(whole, cut, strict=True))
    ]


def _cut(name, width):
    """``name``, or as much of it as fits into ``width`` columns with an ellipsis."""
    if sum(map(_columns, name)) <= width:
        return name
    beginning, used = "", 1
    for character in name:
        used += _columns(character)
        if used > width:
            break
        beginning += character
    return f"{beginning}…"


def _columns(character):
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fonts_for(text):
    """Families of installed fonts that together draw ``text``, matplotlib's own first, and what none of them has.

    Returns:
        (list of str, set of characters).
    """
    missing = set(text) - _characters(_default_font()) - {"\n"}
    families = ["DejaVu Sans"]
    while missing:
        family, has = max(_installed(), key=lambda row: len(missing & row[1]), default=(None, set()))
        if not missing & has:
            break
        families.append(family)
        missing -= has
    return families, missing


def drawable(text, missing):
    r"""``text`` without ``missing`` characters: those that show nothing are left out, others escaped (``\u732b``)."""

    def replaced(character):
        if character not in missing:
            return character
        return "" if _columns(character) == 0 else character.encode("ascii", "backslashreplace").decode()

    return "".join(map(replaced, text))


def _default_font():
    from matplotlib import font_manager

    return font_manager.findfont("DejaVu Sans")  # comes with matplotlib


@functools.cache
def _characters(path):
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
        return {chr(code) for code in font.get_charmap()} if font.scalable else set()
    except Exception:  # a damaged or odd font is none
        return set()


@functools.cache
def _installed():
    """``(family, characters)`` of each installed font of regular shape."""
    from matplotlib import font_manager

    manager = font_manager.fontManager
    known = {entry.fname for entry in manager.ttflist}
    for path in font_manager.findSystemFonts():  # those that came after matplotlib listed them
        if path not in known:
            try:
                manager.addfont(path)
            except Exception:  # a damaged font
                continue
    regular = (entry for entry in manager.ttflist if entry.style == "normal")
    ranked = sorted(regular, key=lambda entry: (str(entry.weight) not in ("400", "normal", "regular"), entry.name))
    paths = {}
    for entry in ranked:
        # Fonts of coloured pictures have no outlines; the last resort has a box for everything.
        if not re.search("color|emojione|last ?resort", entry.name, re.IGNORECASE):
            paths.setdefault(entry.name, entry.fname)
    return [(family, _characters(path)) for family, path in paths.items()]
