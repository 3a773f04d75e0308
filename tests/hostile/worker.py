"""A process that runs commands one after another and reports on each; ``run`` gives them to some such processes.

``python -m tests.hostile.worker`` reads a ``Case`` a line from standard input, as JSON, and writes what came of it.
"""

import concurrent.futures
import contextlib
import dataclasses
import importlib
import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import time

from tests.hostile import places

ROOT = pathlib.Path(__file__).parent.parent.parent

_STREAMS = ("stdout", "stderr")
PATIENCE = 40  # seconds until a command counts as hanging; they answer within one on a machine that has nothing to do


@dataclasses.dataclass(frozen=True)
class Case:
    """A command that is given something bad.

    Args:
        name: of the case.
        module: of the command.
        arguments: of the command line; "OUT", or what begins with "OUT/", is a folder of its own.
        environment: variables that are set.
        refused: whether it has to be refused; else the file may have stayed sound.
        place: where "OUT" is: "" (a folder), or a name of ``tests.hostile.places.PLACES``.
        interrupted: "module:name" of what is interrupted by Ctrl-C when it is called; "": nothing.
    """

    name: str
    module: str
    arguments: tuple
    environment: dict = dataclasses.field(default_factory=dict)
    refused: bool = True
    place: str = ""
    interrupted: str = ""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a ``Case``: its exit code (None: it ended the process, or hung), what was said, and its costs."""

    code: int | None
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0  # that the process grew by at most
    left: tuple = ()  # files in "OUT"


def run(cases, workers=2, prefix=()):
    """``[(Case, Outcome), …]``, in order; ``prefix``: words of a command that starts the workers."""
    shares = [cases[number::workers] for number in range(workers)]
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(lambda share: _run_share(share, prefix), shares))
    return [parts[number % workers][number // workers] for number in range(len(cases))]


def _run_share(cases, prefix):
    worker, found = None, []
    try:
        for case in cases:
            worker = worker or _started(prefix)
            worker.stdin.write(json.dumps(dataclasses.asdict(case)).encode() + b"\n")
            worker.stdin.flush()
            answer = _answer(worker, PATIENCE)
            if answer is None:
                worker.kill()
                code = worker.wait()
                found.append((case, Outcome(None, stderr=f"the process ended with code {code}, or hung")))
                worker = None
            else:
                found.append((case, Outcome(**json.loads(answer))))
    finally:
        if worker:
            worker.stdin.close()
            worker.wait()
    return found


def _started(prefix):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_NUM_INTRAOP_THREADS": "1"}
    command = [*prefix, sys.executable, "-m", "tests.hostile.worker"]
    worker = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert _answer(worker, 300) == b"ready\n"
    return worker


def _answer(worker, seconds):
    """The next line of a worker; None if it ends or takes longer. It writes no more than is asked of it."""
    ready, _, _ = select.select([worker.stdout], [], [], seconds)
    return (worker.stdout.readline() or None) if ready else None


def _outcome(case, folder):
    with places.PLACES[case["place"]](pathlib.Path(tempfile.mkdtemp(dir=folder))) as out:
        return _outcome_in(out, case, folder)


def _outcome_in(out, case, folder):
    arguments = [str(out) + word[3:] if word.partition("/")[0] == "OUT" else word for word in case["arguments"]]
    for descriptor, name in enumerate(_STREAMS, start=1):
        stream = os.open(pathlib.Path(folder, name), os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(stream, descriptor)
        os.close(stream)
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
    before, began, code = _memory("VmRSS"), time.monotonic(), 0
    with _environment(case["environment"]), places.interrupted(case["interrupted"]):
        try:
            importlib.import_module(case["module"]).main(arguments)
        except SystemExit as end:
            code = end.code
        except BaseException as error:
            code = f"{type(error).__name__}: {error}"
    seconds, grown = time.monotonic() - began, _memory("VmHWM") - before
    sys.stdout.flush()
    sys.stderr.flush()
    said = [pathlib.Path(folder, name).read_text(errors="replace") for name in _STREAMS]
    out.stat().st_mode & 0o700 or out.chmod(0o700)
    left = sorted(str(path.relative_to(out)) for path in out.rglob("*") if not path.is_dir())
    return Outcome(code, *said, seconds, grown, tuple(left))


@contextlib.contextmanager
def _environment(variables):
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _memory(what):
    """Megabytes of this process, by a row of ``/proc/self/status``."""
    rows = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) / 1024 for row in rows if row.startswith(what + ":"))


def main():
    from keras_classics.datasets import prepared
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    prepared._answers = lambda url: False  # no network
    answers = os.fdopen(os.dup(1), "w")
    print("ready", file=answers, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        for line in sys.stdin:
            outcome = _outcome(json.loads(line), folder)
            print(json.dumps(dataclasses.asdict(outcome)), file=answers, flush=True)


if __name__ == "__main__":
    main()
