"""Each command is given what nobody should trust: one sentence, exit code 2, nothing half-written, little memory."""

import pytest

from tests.hostile import corpus, worker

MOST_MEMORY = 1_200  # megabytes that a process may grow by


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    return worker.run(corpus.cases(tmp_path_factory.mktemp("corpus")))


def complaints(case, outcome):
    """What is wrong with how a command took a bad input: sentences."""
    if outcome.code is None:
        yield outcome.stderr
        return
    if outcome.code not in ((2,) if case.refused else (0, 1, 2)):
        yield f"it ends with {outcome.code!r}"
    if "Traceback" in outcome.stderr:
        yield "a traceback"
    last = outcome.stderr.rstrip("\n").rpartition("\n")[2]
    if outcome.code == 2 and not last.startswith(f"python -m {case.module}: "):
        yield f"its last line is {last!r}"
    if outcome.code == 2 and len(last) > 5_000:
        yield f"its last line has {len(last):,} characters"
    if outcome.code == 2 and outcome.left:
        yield f"it left {outcome.left}"
    if outcome.megabytes > MOST_MEMORY:
        yield f"it took {outcome.megabytes:,.0f} MB"


def test_every_bad_input_is_one_sentence(outcomes):
    assert len(outcomes) >= 300
    wrong = [f"{case.name}: {said}" for case, outcome in outcomes for said in complaints(case, outcome)]
    assert not wrong, "\n".join(wrong)
    assert sum(outcome.code == 2 for _, outcome in outcomes) >= 300
