"""How every benchmark measures: alternating rounds, medians, one table, one JSON object.

A benchmark makes ``Row``s (most by ``compare``) and hands them to ``report``. A side is a callable without arguments
that does some work and returns what it measured, in the row's unit, or None to be timed; the first side is ours.
"""

import dataclasses
import importlib.util
import json
import math
import os
import pathlib
import platform
import statistics
import sys
import time

from keras_classics import cli, runtime, torch_first

_LIBRARIES = ("tensorflow", "keras", "torch", "onnxruntime", "ai-edge-litert", "numpy", "pillow")


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of a table: a quantity of ours and of its best peer."""

    name: str
    ours: float
    peer: float | None  # the best peer's; None: there is none at hand
    unit: str
    ratio: float | None  # how many times better ours is
    against: str = ""  # the best peer's name
    rounds: int = 1
    spread: tuple[float, float] | None = None  # lowest and highest ratio of any round
    note: str = ""


def better_is_less(unit):
    """Whether less is better of what is measured in ``unit``: of all but rates, such as images/s."""
    return "/s" not in unit


def alternate(sides, rounds):
    """What each of ``sides`` measured in each round: a round calls every side once, in an order that turns.

    Args:
        sides: ``{name: callable}``; a callable's result is what it measured, or None to take the seconds it ran.
        rounds: how many; what a side should not be judged by (tracing, warm-up) is done before.
    """
    found = {name: [] for name in sides}
    names = list(sides)
    for _ in range(rounds):
        for name in names:
            start = time.perf_counter()
            value = sides[name]()
            found[name].append(time.perf_counter() - start if value is None else value)
        names = names[1:] + names[:1]
    return found


def compare(name, sides, *, unit="s", rounds=5, note=""):
    """A ``Row`` of ``sides`` (the first is ours), from ``rounds`` alternating rounds.

    Values are medians; the best peer is that of the best median, and the ratio the median of the rounds' ratios, since
    a machine's speed drifts over a run and both sides of a round see the same of it.
    """
    return row_of(name, alternate(sides, rounds), unit=unit, note=note)


def row_of(name, found, *, unit, note=""):
    """The ``Row`` of values a side and a round, as ``alternate`` returns them."""
    (_, own), *peers = found.items()
    ours = statistics.median(own)
    if not peers:
        return Row(name, ours, None, unit, None, rounds=len(own), note=note)
    choose = min if better_is_less(unit) else max
    against, theirs = choose(peers, key=lambda item: statistics.median(item[1]))
    pairs = zip(own, theirs, strict=True)
    ratios = [peer / mine if better_is_less(unit) else mine / peer for mine, peer in pairs]
    spread = (min(ratios), max(ratios))
    median = statistics.median(ratios)
    return Row(name, ours, statistics.median(theirs), unit, median, against, len(own), spread, note)


def within(name, value, limit, *, unit, note=""):
    """A ``Row`` of something that has a limit instead of a peer; a ratio of 1 or more keeps it."""
    return Row(name, value, limit, unit, limit / value, against="limit", note=note)


def has(library):
    """Whether a peer is installed; a message on stderr if it is not."""
    if importlib.util.find_spec(library) is not None:
        return True
    print(
        f"{library} is not installed (pip install 'keras-classics[bench]'); this measures our side alone.",
        file=sys.stderr,
        flush=True,
    )
    return False


def start(*libraries):
    """Start TensorFlow beside those of ``libraries``, the peers, that are installed; a list of their names."""
    found = [library for library in libraries if has(library)]
    if "torch" in found:
        torch_first.load()
    runtime.start_tensorflow()
    return found


def parser(prog, description, *, rounds=5):
    """An argument parser with what every benchmark takes."""
    parser = cli.Parser(prog=prog, description=description)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument(
        "--rounds", type=cli.positive_int, default=rounds, metavar="N", help="alternating rounds (default: %(default)s)"
    )
    return parser


positive_int = cli.positive_int


def numbers(text):
    """Whole numbers from 1 up, with commas between them, for ``argparse``."""
    return [positive_int(part) for part in text.split(",")]


def environment():
    """Versions, processor and thread counts: what a figure cannot be compared without."""
    described = {
        "versions": runtime.versions(_LIBRARIES),
        "processor": _processor(),
        "cores": runtime.cores(),
        "threads": _threads(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "as TensorFlow chooses"),
    }
    return {**described, "measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def _processor():
    """Model name and the vector instructions that matter, as Linux reports them."""
    path = pathlib.Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor() or platform.machine()
    fields = dict(line.split("\t: ", 1) for line in path.read_text(encoding="utf-8").splitlines() if "\t: " in line)
    fields = {name.strip(): value for name, value in fields.items()}
    flags = fields.get("flags", "").split()
    vectors = [name for name in ("avx2", "fma", "avx512f", "avx512_vnni", "amx_tile") if name in flags]
    return f"{fields.get('model name', platform.machine())} ({', '.join(vectors) or 'no vector instructions listed'})"


def _threads():
    """Threads one operation may use in each library that this process has loaded; 0 means TensorFlow's choice."""
    threads = {}
    if "tensorflow" in sys.modules:
        threads["tensorflow"] = sys.modules["tensorflow"].config.threading.get_intra_op_parallelism_threads()
    if "torch" in sys.modules:
        threads["torch"] = sys.modules["torch"].get_num_threads()
    return threads


def table(rows):
    """``rows`` as a Markdown table."""
    lines = ["| what | ours | best peer | unit | times better |", "| --- | ---: | ---: | --- | ---: |"]
    for row in rows:
        peer = f"{_number(row.peer)} ({row.against})" if row.against else "–"
        ratio = "–" if row.ratio is None or math.isnan(row.ratio) else f"**{row.ratio:.2f}**"
        if row.spread and row.rounds > 1:
            ratio += f" ({row.spread[0]:.2f} to {row.spread[1]:.2f})"
        lines.append(f"| {row.name} | {_number(row.ours)} | {peer} | {row.unit} | {ratio} |")
    return "\n".join(lines)


def _number(value):
    if value is None or not math.isfinite(value):
        return "not reached"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def report(args, rows, **more):
    """Print the table, and with ``--json`` the last line: rows, versions, processor and whatever ``more`` says."""
    described = environment()
    print(f"\n{table(rows)}\n")
    notes = [f"{row.name}: {row.note}" for row in rows if row.note]
    print("".join(f"{note}\n" for note in notes), end="")
    versions = ", ".join(f"{name} {version}" for name, version in described["versions"].items())
    print(f"{described['processor']}, {described['cores']} cores; {versions}", flush=True)
    if args.json:
        objects = [{name: _finite(value) for name, value in dataclasses.asdict(row).items()} for row in rows]
        print(json.dumps({"rows": objects, **described, **more}, allow_nan=False), flush=True)


def _finite(value):
    """``value``, or None where JSON has no such number: a target that was never reached takes infinitely long."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
