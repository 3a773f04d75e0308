"""The picture files of a folder. Hidden and system files and other formats are passed over, and counted."""

import hashlib
import os
import pathlib
import sys

from keras_classics.datasets.decoding import SUFFIXES
from keras_classics.errors import InputError

# What systems leave in folders, in lower case. What begins with a dot is passed over anyway.
_SYSTEM = {
    *("__macosx", "icon\r", "network trash folder", "temporary items"),  # macOS
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "recycler", "system volume information"),  # Windows
    *("@eadir", "#recycle", "#snapshot", "@recycle", "@__thumb", "@recently-snapshot"),  # network storage
    *("lost+found", "__pycache__"),
}

HIDDEN, SYSTEM, OTHER = "hidden", "of the operating system", "in other formats"
BROKEN, LOOP, SPECIAL = "links to nothing", "links that lead back", "no files"
EMPTY, LOOSE = "folders without a picture", "pictures outside the class folders"


class Skipped:
    """What was passed over below a folder: ``names``, paths relative to ``root`` by kind.

    Raises:
        InputError: there is no such folder.
    """

    def __init__(self, root):
        if not os.path.isdir(root):  # noqa: PTH112 (False for names that cannot be, where pathlib raises)
            raise InputError(f"there is no folder {root}.")
        self.root, self.names = root, {}
        root = pathlib.Path(root).resolve()
        self.above = {_identity(folder.stat()) for folder in (root, *root.parents)}  # where links lead back to

    def note(self, kind, path):
        self.names.setdefault(kind, []).append(os.path.relpath(path, self.root))

    def add(self, others):
        for kind, names in others.names.items():
            self.names.setdefault(kind, []).extend(names)

    def tell(self):
        """Print one line to stderr, unless there is nothing to tell."""
        if self.names:
            parts = [self._part(kind, names) for kind, names in self.names.items()]
            print(f"Skipped in {self.root}: {'; '.join(parts)}.", file=sys.stderr, flush=True)

    def _part(self, kind, names):
        if kind == OTHER:
            return f"{len(names):,} {kind} ({formats(names)})"
        return f"{len(names):,} {kind} ({'such as ' if len(names) > 1 else ''}{names[0]!r})"


def formats(names):
    """Suffixes of files and how many have them, the most frequent first: ``".heic 12, .txt 1"``."""
    counts = {}
    for name in names:
        suffix = pathlib.PurePath(name).suffix.lower() or "without a suffix"
        counts[suffix] = counts.get(suffix, 0) + 1
    return ", ".join(f"{suffix} {counts[suffix]:,}" for suffix in sorted(counts, key=lambda s: (-counts[s], s))[:10])


def folders_in(root, skipped):
    """``{name: path}`` of the folders in ``root`` that can hold data, by name; pictures beside them are noted.

    Raises:
        InputError: it cannot be read.
    """
    found = {}
    for entry in _entries(root, skipped):
        if entry.is_dir():
            found[entry.name] = entry.path
        elif _is_picture(entry, skipped):
            skipped.note(LOOSE, entry.path)
    return found


def pictures_below(folder, skipped):
    """Paths of the picture files in a folder and those below it, in the order of their parts.

    Links to folders are followed.

    Raises:
        InputError: a folder cannot be read, or the name of a picture is not UTF-8.
    """
    return sorted(_below(folder, skipped, skipped.above), key=lambda path: path.split(os.sep))  # noqa: PTH206


def has_pictures(folder, root):
    """Whether there is a picture in a folder below ``root``."""
    skipped = Skipped(root)
    return next(_below(folder, skipped, skipped.above), None) is not None


def in_folder(folder):
    """Paths of all pictures in and below ``folder``, in an order that has nothing to do with what they show.

    Raises:
        InputError: there is no such folder, or no picture in it.
    """
    skipped = Skipped(folder)
    paths = [pathlib.Path(path) for path in pictures_below(folder, skipped)]
    if not paths:
        others = skipped.names.get(OTHER, [])
        found = f"only files in other formats ({formats(others)})" if others else "nothing else either"
        raise InputError(f"the folder {folder} has no pictures ({', '.join(SUFFIXES)}) in it, {found}.")
    skipped.tell()
    return sorted(paths, key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode()).digest())


def _below(folder, skipped, above):
    above = {*above, _identity(os.stat(folder))}  # noqa: PTH116
    for entry in _entries(folder, skipped):
        if entry.is_dir():
            if _identity(entry.stat()) in above:
                skipped.note(LOOP, entry.path)
            else:
                yield from _below(entry.path, skipped, above)
        elif _is_picture(entry, skipped):
            yield entry.path


def _identity(facts):
    return facts.st_dev, facts.st_ino


def _entries(folder, skipped):
    """What is in a folder, but for hidden and system files, links to nothing, pipes and the like."""
    try:
        with os.scandir(folder) as entries:
            entries = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be read: {error.strerror or error}.") from error
    for entry in entries:
        if entry.name.startswith("."):
            skipped.note(HIDDEN, entry.path)
        elif entry.name.lower() in _SYSTEM:
            skipped.note(SYSTEM, entry.path)
        elif entry.is_dir() or entry.is_file():
            yield entry
        else:
            skipped.note(BROKEN if entry.is_symlink() else SPECIAL, entry.path)


def _is_picture(entry, skipped):
    if not entry.name.lower().endswith(SUFFIXES):
        skipped.note(OTHER, entry.path)
        return False
    try:
        entry.path.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"the name of {os.fsencode(entry.path)!r} is not UTF-8; rename it.") from error
    return True
