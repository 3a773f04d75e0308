"""What lies beside a model, and what others wrote into one, fails in no other way than by a sentence."""

import hashlib
import json
import shutil

import pytest

from export import saved_model
from export.inputs import networks
from keras_classics.recognition import description
from tests.hostile.common import packaged

DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "report",
    [
        {"network": "lenet5", "source": {"model": 7}},
        {"network": "lenet5", "source": {"weights": ["x"]}},
        {"network": "lenet5", "source": {}, "dataset": {"spec": {"kind": "pictures"}}},
    ],
    ids=lambda report: str(report["source"]),
)
def test_a_report_that_makes_no_sense_is_one_sentence(report, called, tmp_path):
    (tmp_path / "model.tflite").write_bytes(packaged())
    (tmp_path / "model.json").write_text(json.dumps(report))
    done = called("export.verify", tmp_path / "model.tflite", "--test-images", 10)
    assert done.returncode == 2
    assert done.stderr.rstrip("\n").rpartition("\n")[2].startswith("python -m export.verify: ")


@pytest.mark.parametrize(("claimed", "warnings"), [("0" * 64, 1), (hashlib.sha256(packaged()).hexdigest(), 0)])
def test_a_report_of_another_model_than_the_one_beside_it_is_warned_of(claimed, warnings, called, tmp_path):
    """As a process leaves them that is killed between two renames."""
    (tmp_path / "model.tflite").write_bytes(packaged())
    report = {"network": "lenet5", "source": {"weights": "mnist"}, "model_sha256": claimed}
    (tmp_path / "model.json").write_text(json.dumps(report))
    data = ("--dataset", "embedded", "--test-images", 10)
    done = called("export.verify", tmp_path / "model.tflite", *data, "--max-drop", 100)
    assert done.returncode == 0, done.stdout + done.stderr
    said = f"Warning: {tmp_path / 'model.json'} describes another model than {tmp_path / 'model.tflite'}.\n"
    assert done.stderr.count(said) == warnings


@pytest.mark.parametrize("text", [DEEP, "[]", "7", '{"labels": 3}', '{"labels": [3]}', '{"labels": [], "network": []}'])
def test_a_description_is_a_json_object_with_labels(text, tmp_path):
    with pytest.raises(ValueError, match="labels"):
        description.parsed(text)
    folder = tmp_path / "saved_model"
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "assets.extra" / "keras_classics.json").write_text(text)
    assert saved_model.describe(folder) is None
    assert networks.described_network(saved_model.describe(folder)) is None
    shutil.rmtree(folder)
