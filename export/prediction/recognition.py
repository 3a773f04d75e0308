"""Paths of pictures → answers, in this process or, of many pictures, in several."""

import dataclasses
import functools
import itertools
import os
import pathlib
import sys

from keras_classics import children, runtime
from keras_classics.errors import InputError

MANY = 2_000  # pictures from which on starting further processes pays
_CHUNK = 250  # pictures a process is given at a time
_AHEAD = 4  # chunks a process


@dataclasses.dataclass(frozen=True)
class Settings:
    """What to recognise with: enough to do the same in another process.

    model: path of a ``.tflite`` or ``.keras`` file.
    threshold: of probability; None: the recognizer's own.
    line: whether pictures show numbers.
    """

    model: str
    threshold: float | None = None
    line: bool = False

    def check(self):
        """Raise an ``InputError`` if the model cannot be used."""
        recognizer = recognizer_of(self)
        if self.line and not recognizer.reads_digits:
            raise InputError(f"{self.model} does not read digits, let alone numbers of several.")


def recognizer_of(settings):
    """The ``Recognizer`` of some settings, loaded once a process as long as the file stays the same."""
    try:
        facts = os.stat(settings.model)  # noqa: PTH116 (once a picture)
        version = (facts.st_dev, facts.st_ino, facts.st_mtime_ns)
    except (OSError, ValueError):  # an error follows when it is opened
        version = None
    return _recognizer(settings.model, settings.threshold, version)


@functools.lru_cache(maxsize=1)
def _recognizer(model, threshold, _version):
    from keras_classics.recognition.recognizer import Recognizer

    if pathlib.Path(model).suffix == ".keras":
        from export.prediction.keras_model import KerasClassifier

        classifier = KerasClassifier(pathlib.Path(model))
        return Recognizer.of(classifier, classifier.labels, model, threshold=threshold)
    return Recognizer(model, threshold=threshold)


def results(settings, paths, *, progress=False):
    """``(path, result)`` of each path, in order: an ``Answer``, a ``Number``, or a sentence on what is wrong.

    Args:
        settings: the ``Settings``.
        paths: of pictures; "-" is standard input.
        progress: show a bar on standard error, if that is a terminal.
    """
    from tqdm import tqdm

    found = _in_processes(settings, paths) if len(paths) >= MANY else map(functools.partial(_one, settings), paths)
    bar = tqdm(zip(paths, found, strict=True), total=len(paths), unit=" pictures", disable=None if progress else True)
    yield from bar


def _in_processes(settings, paths):
    """As ``_one`` of each path, in order, by as many processes as there are processors."""
    workers = runtime.cores()
    chunks = (paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK))
    with children.pool(workers) as pool:
        waiting = [pool.submit(_several, settings, chunk) for chunk in itertools.islice(chunks, workers * _AHEAD)]
        while waiting:
            yield from waiting.pop(0).result()
            waiting += [pool.submit(_several, settings, chunk) for chunk in itertools.islice(chunks, 1)]


def _several(settings, paths):
    return [_one(settings, path) for path in paths]


def _one(settings, path):
    try:
        return recognized(settings, path)
    except InputError as error:
        return str(error)


def recognized(settings, path):
    """The ``Answer`` or ``Number`` of one picture.

    Raises:
        InputError: it cannot be read.
    """
    recognizer = recognizer_of(settings)
    image, name = picture_at(path)
    if settings.line:
        return recognizer.number(image, name=name)
    return recognizer.digit(image, name=name) if recognizer.reads_digits else recognizer.classify(image, name=name)


def picture_at(path):
    """``(image, name)`` of a path, or of standard input.

    Raises:
        InputError: it is a folder: one with pictures has been replaced by them.
    """
    if path == "-":
        return sys.stdin.buffer, "standard input"
    if os.path.isdir(path):  # noqa: PTH112 (a Path for each of a million files takes its time)
        from keras_classics.datasets import decoding

        raise InputError(f"the folder {path} has no pictures ({', '.join(decoding.SUFFIXES)}) in it.")
    return path, None
