"""Results as text, JSON or CSV, each written as soon as it is there."""

import contextlib
import csv
import sys

from keras_classics import text

DECIMALS = 6


@contextlib.contextmanager
def writer(args, settings):
    """``write(path, result)`` for the form that the arguments name; what was begun is ended on leaving.

    Args:
        args: of ``export.predict``: ``json``, ``csv``, ``top``.
        settings: a ``recognition.Settings``.
    """
    if args.json:
        with _json(args.top, settings.line) as write:
            yield write
    elif args.csv:
        table = csv.writer(sys.stdout, lineterminator="\n")
        names = [f"{name}_{place}" for place in range(1, (args.top or 0) + 1) for name in ("label", "probability")]
        table.writerow(["path", "number" if settings.line else "label", "probability", *names])
        yield lambda path, result: table.writerow(_row(path, result, args.top))
    else:
        yield lambda path, result: print(text.in_a_line(_sentence(path, result, args.top)))


@contextlib.contextmanager
def _json(top, line):
    """One array, written element by element."""
    first = True

    def write(path, result):
        nonlocal first
        record = text.as_json(_record(path, result, top, line), sys.stdout.encoding, indent=2)
        print(("[" if first else ",") + "\n  " + record.replace("\n", "\n  "), end="")
        first = False

    yield write
    print("[]" if first else "\n]")


def _record(path, result, top, line):
    if not line:
        return {"path": text.of_path(path), **_answer(result, top)}
    return {
        "path": text.of_path(path),
        "number": result.text,
        "probability": round(result.probability, DECIMALS),
        "digits": [{**_answer(digit, top), "box": list(digit.box)} for digit in result.digits],
    }


def _answer(answer, top):
    record = {"label": answer.label, "probability": round(answer.probability, DECIMALS)}
    if top:
        record["top"] = [{"label": label, "probability": round(p, DECIMALS)} for label, p in answer.top[:top]]
    return record


def _row(path, result, top):
    label = result.text if hasattr(result, "digits") else result.label
    best = () if hasattr(result, "digits") else result.top[: top or 0]
    rounded = [value for label, probability in best for value in (label, round(probability, DECIMALS))]
    return [path, label, round(result.probability, DECIMALS), *rounded]


def _sentence(path, result, top):
    if hasattr(result, "digits"):
        each = " ".join(f"{digit.label} {_digit(digit, top)}" for digit in result.digits)
        return f"{path}: {result.text or '?'} ({result.probability:.1%}){': ' if each else ''}{each}"
    return f"{path}: {result.label} {_digit(result, top)}"


def _digit(answer, top):
    """The probability of an answer in brackets, or those of the most probable classes."""
    if not top or not answer.top:
        return f"({answer.probability:.1%})"
    return "(" + ", ".join(f"{label} {probability:.1%}" for label, probability in answer.top[:top]) + ")"
