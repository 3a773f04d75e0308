"""The benchmark of recognition: what it draws, what it counts."""

import numpy as np
import pytest
from PIL import Image

from benchmarks import no_digits, photographs, renderings, thresholds


def test_errors_among_digits_are_edits():
    cases = {("123", "123"): 0, ("13", "123"): 1, ("1223", "123"): 1, ("", "12"): 2, ("921", "129"): 2}
    assert {case: photographs.edits(*case) for case in cases} == cases


def test_renderings_show_the_digit_and_differ(embedded):
    digit = embedded.test.images[0, 2:30, 2:30, 0]
    first, second = (renderings.photograph(digit, np.random.default_rng(seed), scales=(1, 2)) for seed in (1, 2))
    assert first.ndim == 3
    assert first.shape != second.shape
    again = renderings.photograph(digit, np.random.default_rng(1), scales=(1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.ptp(first.astype(int).mean(axis=-1)) > 40


def test_pictures_without_digits_come_in_kinds():
    found = no_digits.pictures(np.random.default_rng(0), 2)
    assert set(found) == {"letters", no_digits.ALIKE, "textures", "blank pages"}
    assert all(picture.dtype == np.uint8 and picture.ndim == 3 for pictures in found.values() for picture in pictures)


def test_a_folder_is_measured_by_its_labels(embedded, tmp_path, monkeypatch, capsys):
    for number in range(4):
        Image.fromarray(embedded.test.images[number, 2:30, 2:30, 0]).save(tmp_path / f"{number}.png")
    labels = [str(label) for label in embedded.test.labels[:3]] + ["x"]
    rows = [f"{number}.png,single,{label},scan" for number, label in enumerate(labels)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,kind,label,medium", *rows, "0.png,line,0,photo"]) + "\n")

    class Here:
        map = staticmethod(lambda function, jobs, chunksize: map(function, jobs))

    found = photographs.of_folder(Here, None, tmp_path, errors=True)
    single = next(row for row in found if row["name"] == "single digits")
    assert (single["right"], single["total"]) == (3, 4)
    assert "3.png: x read as" in capsys.readouterr().out


@pytest.mark.needs_data
def test_fewer_are_answered_the_higher_the_threshold(data_dir, capsys):
    with pytest.raises(SystemExit) as end:
        thresholds.main(["--count", "12", "--fonts", str(no_digits.fonts()[0].parent), "--data-dir", data_dir])
    assert end.value.code == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    rows = [[float(cell.strip(" %")) for cell in line.strip("|").split("|")] for line in lines]
    assert [row[0] for row in rows] == list(thresholds.THRESHOLDS)
    right, rejected, *answered = zip(*(row[1:] for row in rows), strict=True)
    assert right[1] > 75
    assert list(rejected) == sorted(rejected)
    assert all(list(column) == sorted(column, reverse=True) for column in (right, *answered))


def test_a_folder_without_fonts_is_a_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        thresholds.main(["--fonts", str(tmp_path)])
    assert end.value.code == 2
    assert "holds no .ttf files" in capsys.readouterr().err
