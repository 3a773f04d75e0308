"""What a machine lacks skips a test by name; what is skipped without a marker is an error in CI."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

TESTS = """
import pytest

@pytest.fixture
def data_dir():
    raise AssertionError("asked for on a machine without data")

@pytest.mark.needs_extras("no_such_library", "pytest")
def test_library():
    raise AssertionError

def test_data(data_dir):
    raise AssertionError

@pytest.mark.needs_tools("no_such_program|sh")
def test_alternative():
    pass

@pytest.mark.needs_tools("no_such_program")
def test_program():
    raise AssertionError

def test_plain():
    pass
"""
UNMARKED = """
import pytest

def test_unmarked():
    pytest.importorskip("no_such_library")

@pytest.mark.needs_tools("sh")
def test_met():
    pytest.skip("for another reason")
"""
UNCOLLECTED = "import pytest; pytest.importorskip('no_such_library')"


@pytest.fixture
def outcome(tmp_path):
    """``outcome(text, …)``: exit code and output of pytest on a file of that text, on a machine without data."""

    def run(text, *arguments, **variables):
        (tmp_path / "test_it.py").write_text(text)
        environment = {
            name: value for name, value in os.environ.items() if name not in ("CI", "KERAS_CLASSICS_DATA_DIR")
        }
        command = [sys.executable, "-m", "pytest", "-n0", "-c", ROOT / "pyproject.toml", "-p", "tests.needs"]
        command += arguments
        done = subprocess.run(
            [*command, tmp_path / "test_it.py"], cwd=ROOT, env=environment | variables, capture_output=True, text=True
        )
        return done.returncode, done.stdout

    return run


def test_what_is_absent_is_named_and_nothing_fails(outcome):
    code, said = outcome(TESTS, CI="true")
    assert code == 0, said
    assert "2 passed, 3 skipped" in said
    for need in (
        "needs no_such_library, of the extras in setup.py",
        "KERAS_CLASSICS_DATA_DIR",
        "no_such_program in PATH",
    ):
        assert need in said


def test_one_expression_selects_what_extras_and_data_would_run(outcome):
    code, said = outcome(TESTS, "-m", "needs_extras or needs_data", CI="true")
    assert "2 skipped, 3 deselected" in said, said
    code, said = outcome(TESTS, "-m", "needs_extras or needs_data", KERAS_CLASSICS_TESTS_COMPLETE="1")
    assert code == 1
    assert "1 failed, 1 skipped, 3 deselected" in said, said  # where extras are said to be complete


def test_a_skip_that_no_marker_explains_is_an_error_in_ci(outcome):
    code, said = outcome(UNMARKED, CI="true")
    assert code == 1
    assert "2 failed" in said, said
    assert "is not marked with what it needs" in said
    code, said = outcome(UNCOLLECTED, CI="true")
    assert code != 0, said
    assert "mark its tests with what they need" in said
    assert outcome(UNMARKED)[0] == 0
