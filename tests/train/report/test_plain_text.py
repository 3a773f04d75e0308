"""Names of classes are plain text wherever a run writes them, in any script."""

import logging
import re
import warnings

import matplotlib
import numpy as np
import pytest
from PIL import Image

from keras_classics.datasets import Split
from train.report import history, plain_text, plots

NAMES = (
    *(
        "$5_$10",
        "$\\frac{1}{$",
        "^x",
        "_private",
        "100%",
        "{x}",
        "\\",
        "a|b",
        "`tick`",
        "<b>",
        "*star*",
        "#1",
        "[x](y)",
    ),
    *("line\nbreak", "tab\there", "\x1b[31mred", "&amp;", "con", ".hidden", "a/b", "-rf", "猫", "ネコ", "고양이"),
    *("قطة", "बिल्ली", "חתול", "Ελληνικά", "кошка", "😀🦄", "👩\u200d🔬", "e\u0301", "\U000f0000", "x" * 300),
)


@pytest.fixture
def no_warnings(caplog):
    """Neither Python's warnings nor matplotlib's log may complain (of glyphs, fonts, layouts)."""
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        yield
    assert not caplog.records


def drawn(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L")).std() > 5


@pytest.mark.parametrize("settings", [{}, {"text.usetex": True, "font.family": ["no such font"]}])
def test_plots_of_any_names_are_drawn_without_a_warning(settings, tmp_path, no_warnings):
    """Whatever the user's own settings of matplotlib."""
    count, path = len(NAMES), tmp_path / "plot.png"
    with matplotlib.rc_context(settings):
        plots.write_confusion(path, counts=np.eye(count, k=1, dtype=int) * 3, names=NAMES)
        assert drawn(path)
        spread = np.tile([0.2, 0.9], (count, 1))
        plots.write_classes(path, names=NAMES, accuracies=np.full(count, 0.5), intervals=spread, overall=0.5)
        assert drawn(path)
        images = np.zeros((count, 8, 8, 1), np.uint8)
        plots.write_mistakes(path, images=images, texts=[f"{name}\n→ {name}, 50%" for name in plain_text.short(NAMES)])
        assert drawn(path)
        rows = [{"epoch": 1.0, "loss": 1.0, "accuracy": 0.5}, {"epoch": 2.0, "loss": 0.5, "accuracy": 0.6}]
        plots.write_curves(path, title=" ".join(NAMES), loss="loss", training=rows, validation=rows, test=0.7)
        assert drawn(path)


def test_dollars_and_braces_are_drawn_as_they_are(tmp_path):
    """As text that has neither looks different, and mathematics would be narrower."""
    widths = []
    for name in ("$5_$10", "S5_S10"):
        plots.write_mistakes(tmp_path / "x.png", images=np.zeros((1, 8, 8, 1), np.uint8), texts=[name])
        with Image.open(tmp_path / "x.png") as picture:
            text = np.asarray(picture.convert("L"))[-70:] < 128  # below the picture
        widths.append(np.ptp(np.flatnonzero(text.any(axis=0))))
    assert abs(widths[0] - widths[1]) <= 3


def test_what_no_font_has_is_escaped_and_marks_that_show_nothing_are_left_out():
    families, missing = plain_text.fonts_for("cat\U000f0000\u200d")
    assert families[0] == "DejaVu Sans"
    assert "\U000f0000" in missing
    assert not missing & set("cat")
    assert plain_text.drawable("c\U000f0000t\U000e0001", {"\U000f0000", "\U000e0001"}) == "c\\U000f0000t"


def test_short_names_stay_different():
    names = [f"{'x' * 60}{end}" for end in "abc"] + ["a\nb", "a\\nb", "y"]
    found = plain_text.short(names)
    assert len(set(found)) == len(names)
    assert max(map(len, found)) <= 21
    assert found[-1] == "y"


def test_any_name_is_one_cell_of_a_markdown_table():
    for name in NAMES:
        cell = plain_text.in_markdown(name)
        assert "\n" not in cell
        unescaped = re.sub(r"\\.", "", cell)
        assert not set(unescaped) & set("|`*_<>[]$#~&\\{}"), name
        assert re.sub(r"\\(.)", r"\1", cell) == plain_text.visible(name)


def test_any_name_is_the_name_of_a_file(tmp_path):
    names = (*NAMES, "\0", "", ".", "..", "A", "a", "NUL.txt", "猫" * 100, "con ")
    found = plain_text.file_names(names)
    assert len({name.casefold() for name in found}) == len(names)
    for name in found:
        (tmp_path / f"{name}.png").write_text("")
        assert not name.startswith(".")
        assert len(f"{name}.png".encode()) < 200
    assert len(list(tmp_path.iterdir())) == len(names)


def test_samples_are_of_the_classes_that_have_test_images(tmp_path, capsys):
    images = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1) * np.ones((1, 4, 4, 1), np.uint8)
    history.save_samples(tmp_path / "s", Split(images, np.array([2, 2, 0])), ("a/b", "none", "b"))
    assert {path.name: np.asarray(Image.open(path))[0, 0] for path in (tmp_path / "s").iterdir()} == {
        "a-b.png": 2,
        "b.png": 0,
    }
    (tmp_path / "file").write_text("")
    history.save_samples(tmp_path / "file" / "s", Split(images, np.array([2, 2, 0])), ("a", "b", "c"))
    assert "Warning: cannot write test images to" in capsys.readouterr().err
