"""What tests need that not every machine has: four markers, and the rule that nothing is skipped without one.

- ``needs_extras("onnx", …)``: libraries that an extra of ``setup.py`` brings;
- ``needs_data``: prepared datasets in ``KERAS_CLASSICS_DATA_DIR``; the fixture ``data_dir`` brings the marker with it;
- ``needs_tools("c++|g++", …)``: programs in ``PATH``, of alternatives with ``|`` between them one;
- ``needs_registry``: a registry that pip can install packages from;
- ``needs_mounts``: the permission to mount a file system, as root or in a namespace of one's own.

A test whose needs are not met is skipped, by name and with what it needs. ``-m "needs_extras or needs_data"`` selects
what is skipped where there are neither extras nor data.
"""

import functools
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

DATA = "KERAS_CLASSICS_DATA_DIR"
COMPLETE = "KERAS_CLASSICS_TESTS_COMPLETE"  # set where all extras are installed: one that is absent is then an error


def has(library):
    """Whether a library can be imported, found out without importing it."""
    return importlib.util.find_spec(library) is not None


def tool(name):
    """Path of the first program of ``name`` ("c++|g++") that there is, or None."""
    return next(filter(None, map(shutil.which, name.split("|"))), None)


@functools.cache
def has_registry():
    """Whether pip finds a package that every registry has."""
    command = [sys.executable, "-m", "pip", "--retries", "0", "--timeout", "5", "index", "versions", "pillow"]
    try:
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


BESIDE = {"photographs": "imagenet_sample", "digit_photos": "digit_photos"}  # fixture → folder beside the datasets


def beside(fixture):
    """The folder of pictures, beside that of the prepared datasets, that a fixture gives."""
    return pathlib.Path(os.environ[DATA]).parent / BESIDE[fixture]


@functools.cache
def mounts():
    """Whether a process may mount a file system in a namespace of its own, with the programs of util-linux."""
    command = "unshare --map-root-user --mount setpriv --inh-caps=-all mount -t tmpfs none /mnt"
    return subprocess.run(command, shell=True, capture_output=True).returncode == 0


def photographs():
    """The folder ``imagenet_sample`` beside that of the prepared datasets."""
    return beside("photographs")


def unmet(item):
    """What a test needs and does not find: ``[(marker, sentence), …]``, empty where it can run."""
    found = []
    for mark in item.iter_markers("needs_extras"):
        absent = [name for name in mark.args if not has(name)]
        found += [("needs_extras", f"needs {', '.join(absent)}, of the extras in setup.py")] if absent else []
    if item.get_closest_marker("needs_data"):
        if not os.environ.get(DATA):
            found.append(("needs_data", f"needs prepared datasets; {DATA} says in which folder they are"))
        for fixture in set(BESIDE).intersection(item.fixturenames) if os.environ.get(DATA) else ():
            if not beside(fixture).is_dir():
                found.append(("needs_data", f"needs photographs in {beside(fixture)}"))
    for mark in item.iter_markers("needs_tools"):
        absent = [name for name in mark.args if not tool(name)]
        found += [("needs_tools", f"needs {', '.join(absent)} in PATH")] if absent else []
    if item.get_closest_marker("needs_registry") and not has_registry():
        found.append(("needs_registry", "needs a registry that pip can install packages from"))
    if item.get_closest_marker("needs_mounts") and not mounts():
        found.append(("needs_mounts", "needs the permission to mount a file system (unshare --map-root-user --mount)"))
    return found


def pytest_itemcollected(item):
    if "data_dir" in getattr(item, "fixturenames", ()):
        item.add_marker("needs_data")
    for marker, sentence in unmet(item):
        if marker != "needs_extras" or not os.environ.get(COMPLETE):
            item.add_marker(pytest.mark.skip(reason=sentence))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI, a skipped test whose needs are all met, or that is not marked with any, has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") and not unmet(item):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skips, but is not marked with what it needs (tests/needs.py): {call.excinfo}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """In CI, a module that skips itself has failed: no marker selects what is not collected."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skips itself; mark its tests with what they need (tests/needs.py)"
    return report
