"""Rounds, medians and ratios, with values known beforehand."""

import json

import pytest

from benchmarks import measure


def test_ratio_is_the_median_of_rounds_against_the_best_peer():
    found = {"ours": [10.0, 30.0, 20.0], "slow": [1.0, 1.0, 1.0], "fast": [5.0, 10.0, 40.0]}
    row = measure.row_of("images", found, unit="images/s")
    assert (row.ours, row.peer, row.against) == (20.0, 10.0, "fast")
    assert row.ratio == 2.0  # of 2, 3 and 0.5
    assert row.spread == (0.5, 3.0)
    assert measure.row_of("seconds", found, unit="s").against == "slow"
    assert measure.row_of("seconds", found, unit="s").ratio == pytest.approx(1 / 20)


def test_a_round_calls_every_side_once_and_none_is_always_first():
    calls = []
    sides = {name: lambda name=name: calls.append(name) or 1.0 for name in "ab"}
    assert measure.alternate(sides, rounds=2) == {"a": [1.0, 1.0], "b": [1.0, 1.0]}
    assert calls == ["a", "b", "b", "a"]


def test_what_returns_nothing_is_timed():
    (seconds,) = measure.alternate({"ours": lambda: None}, rounds=1)["ours"]
    assert 0 < seconds < 0.1


def test_report_ends_with_one_object_where_asked(capsys):
    args = measure.parser("python -m benchmarks.x", "").parse_args(["--json"])
    rows = [
        measure.row_of("speed", {"ours": [6.0], "peer": [2.0]}, unit="images/s"),
        measure.within("t", 2, 1, unit="s"),
    ]
    measure.report(args, rows, batch=7)
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["ratio"] for row in printed["rows"]] == [3.0, 0.5]
    assert {"name", "ours", "peer", "unit", "ratio"} <= set(printed["rows"][0])
    assert printed["batch"] == 7
    assert {"versions", "processor", "threads"} <= set(printed)


def test_a_missing_peer_is_said_and_leaves_our_side(capsys):
    assert not measure.has("no_such_library")
    assert "measures our side alone" in capsys.readouterr().err
    row = measure.compare("alone", {"ours": lambda: 5.0}, unit="images/s", rounds=2)
    assert (row.ours, row.peer, row.ratio) == (5.0, None, None)
    assert "| alone | 5 | – | images/s | – |" in measure.table([row])
