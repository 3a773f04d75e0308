"""The files of a finished run: model, history, plots and report."""

import contextlib
import pathlib
import tempfile

from keras_classics import files, text
from keras_classics.errors import InputError
from train.report import history, markdown, plots_of_run
from train.report.optional import optional

# Every file that ``write`` may leave behind a run's name. The pictures that a run has no use for are removed.
ENDINGS = (
    *(".keras", "_history.json", "_history.csv", "_report.md"),
    *("_curves.png", "_rate.png", "_classes.png", "_confusion.png", "_mistakes.png", "_filters.png"),
)


def targets(folder, name):
    """Every path that ``write`` may write to."""
    return [pathlib.Path(folder) / f"{name}{ending}" for ending in ENDINGS]


def write(folder, name, *, model, record, loss, results, size, bgr=False):
    """Write model, history, pictures and report of a run to ``folder``; all but the model as far as it can be written.

    The model and its history come first. What an earlier run left of the rest is then removed, and each picture drawn;
    one that fails is a warning on stderr, as is a history or report that cannot be written.

    Args:
        folder, name: of ``targets``.
        model: the trained ``keras.Model``.
        record: what ``NAME_history.json`` is to hold.
        loss: what the loss is, with its unit.
        results: ``Results`` on the test split.
        size: side in pixels at which pictures read from files are shown.
        bgr: whether the network takes blue first.

    Returns:
        The names of the files that were written.

    Raises:
        InputError: the model cannot be written; the error says where it was written instead, if that was possible.
    """
    try:
        folder = files.output_folder(folder)  # somebody may have removed it meanwhile
        return _write(folder, name, model, record, loss, results, size, bgr)
    except InputError as error:
        raise InputError(f"{error}{_saved_elsewhere(model, name)}") from error


def _write(folder, name, model, record, loss, results, size, bgr):
    paths = dict(zip(ENDINGS, targets(folder, name), strict=True))
    written = {}

    def write_one(ending, write_to):
        with optional(paths[ending].name):
            with files.whole_file(paths[ending]) as partial:
                write_to(partial)
            written[ending] = paths[ending].name

    with files.whole_file(paths[".keras"]) as partial:
        model.save(partial)
        written[".keras"] = paths[".keras"].name
        described = {**record, "model_sha256": files.digest(partial)}
        write_one("_history.json", lambda path: history.write_json(path, described))
        write_one("_history.csv", lambda path: history.write_csv(path, record))
    for ending in set(ENDINGS) - set(written):
        with optional(paths[ending].name):
            paths[ending].unlink(missing_ok=True)  # of an earlier run
    with optional("plots"):
        for ending, draw in plots_of_run.of_run(record, loss, results, model, size, bgr).items():
            write_one(ending, draw)
    write_one("_report.md", lambda path: text.write(path, markdown.report(record, results, dict(written))))
    return list(written.values())


def _saved_elsewhere(model, name):
    """Write a trained model to the folder of temporary files: a sentence about it, empty if that fails too."""
    with contextlib.suppress(OSError, ValueError):
        path = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"), f"{name}.keras")
        model.save(path)
        return f" The trained model is in {path}."
    return ""
