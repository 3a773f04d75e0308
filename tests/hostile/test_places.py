"""Disks that are full, files that may not grow, folders without permission, and Ctrl-C at each stage: a sentence."""

import pytest

from tests import needs
from tests.hostile import places, worker
from tests.hostile.common import packaged

DIGITS = ("--dataset", "embedded")
COMMANDS = {
    "training": ("train.lenet", *DIGITS, "--steps", "2", "--out", "OUT"),
    "checkpoints": ("train.lenet", *DIGITS, "--steps", "2", "--checkpoint-steps", "1", "--out", "OUT"),
    "tflite": (
        *("export.tflite", "lenet5", "--weights", "mnist", *DIGITS, "--mode", "float32", "--test-images", "20"),
        *("--out", "OUT"),
    ),
    "saved_model": (
        "export.saved_model",
        "lenet5",
        "--weights",
        "mnist",
        *DIGITS,
        "--test-images",
        "20",
        "--out",
        "OUT",
    ),
    "page": ("export.demo", "MODEL", "--out", "OUT/page.html"),
}
# What is called at each stage of a command.
STAGES = {
    "training": (
        "keras_classics.datasets:load",
        "train.engine.trainer:Trainer.__init__",
        "train.engine.loop:train",
        "train.engine.trainer:Trainer.evaluate",
        "train.engine.trainer:Trainer.test",
        "train.report.artifacts:write",
        "keras_classics.files:flush",
        "train.report.plots_of_run:of_run",
    ),
    "checkpoints": ("train.engine.checkpoints:Checkpoints.save", "keras_classics.files:flush"),
    "tflite": (
        "export.inputs.data:load",
        "export.inputs.networks:build",
        "export.gate.metrics:keras_reference",
        "export.convert.quantize:run",
        "export.convert.quantize:convert",
        "export.gate.metrics:measure",
        "export.gate:write_if_accepted",
        "keras_classics.files:flush",
    ),
}


def cases(model, mounts):
    def case(name, **more):
        module, *arguments = (str(model) if word == "MODEL" else word for word in COMMANDS[name])
        return worker.Case(name, module, tuple(arguments), **more)

    for place in places.PLACES:
        if place and (mounts or place not in places.MOUNTED):
            yield from (case(name, place=place) for name in COMMANDS)
    for name, stages in STAGES.items():
        yield from (case(name, interrupted=stage) for stage in stages)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    model = tmp_path_factory.mktemp("model") / "model.tflite"
    model.write_bytes(packaged())
    mounts = needs.mounts()
    return worker.run(list(cases(model, mounts)), 1, places.prefix(mounts))


def complaints(case, outcome, fits=()):
    """What is wrong with how a command ended that could not write: sentences; ``fits``: names of those that could."""
    last = outcome.stderr.rstrip("\n").rpartition("\n")[2]
    if outcome.code != (0 if case.name in fits else 2):
        yield f"it ends with {outcome.code!r}: {last}"
    elif outcome.code and not last.startswith(f"python -m {case.module}: "):
        yield f"its last line is {last!r}"
    elif len(last) > 300:
        yield f"its last line is long: {last!r}"
    if "Traceback" in outcome.stderr:
        yield "a traceback"
    hidden = [name for name in outcome.left if name.rpartition("/")[2].startswith(".") or "/." in f"/{name}"]
    if hidden:
        yield f"it left {hidden}"


def wrong(outcomes, place, fits=()):
    chosen = [(case, outcome) for case, outcome in outcomes if case.place == place and not case.interrupted]
    assert len(chosen) == len(COMMANDS)
    return [f"{case.name}: {said}" for case, outcome in chosen for said in complaints(case, outcome, fits)]


@pytest.mark.needs_mounts
def test_a_full_disk_is_one_sentence(outcomes):
    assert not wrong(outcomes, "full disk")


@pytest.mark.needs_mounts
def test_a_full_disk_of_temporary_files_is_one_sentence(outcomes):
    assert not wrong(outcomes, "full temporary disk", fits=("page", "saved_model"))


@pytest.mark.parametrize("place", ["limited files", "closed folder", "unreadable folder"])
def test_a_folder_that_does_not_take_files_is_one_sentence(place, outcomes):
    assert not wrong(outcomes, place)


def test_ctrl_c_at_every_stage_of_training_and_export_leaves_nothing_half_written(outcomes):
    chosen = [(case, outcome) for case, outcome in outcomes if case.interrupted]
    assert len(chosen) == sum(map(len, STAGES.values()))
    for case, outcome in chosen:
        where = f"{case.name} at {case.interrupted}: {outcome.code} {outcome.stderr}"
        assert "reached" in outcome.stdout, where
        assert outcome.code == 130, where
        assert "Traceback" not in outcome.stderr, where
        assert not [name for name in outcome.left if "/." in f"/{name}"], (where, outcome.left)
