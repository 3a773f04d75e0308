"""Files that anybody can send are refused in a sentence before an interpreter is brought down by them."""

import importlib.resources
import os
import re
import signal
import subprocess
import sys

import pytest
from ai_edge_litert import schema_py_generated as schema

from export.litert import flatbuffer
from keras_classics import recognition
from keras_classics.errors import InputError
from keras_classics.recognition import recognizer, structure, trial, untrusted
from tests.conftest import ROOT

MODEL = importlib.resources.files(recognition).joinpath(recognizer.PACKAGED).read_bytes()


def test_no_file_with_damaged_tables_brings_the_process_down(tmp_path):
    (tmp_path / "model.tflite").write_bytes(MODEL)
    command = [sys.executable, "-m", "tests.hostile.tables", tmp_path / "model.tflite", "300"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    rows = re.findall(r"^ *([\d,]+)  (.+)$", done.stdout, re.MULTILINE)
    counts = {said: int(number.replace(",", "")) for number, said in rows}
    assert sum(counts.values()) == 300
    assert counts["the model is a damaged TFLite "] > 100
    assert counts["an answer"] > 10
    assert "TRACEBACK" not in done.stdout


def test_every_field_of_the_schema_is_known():
    classes = [kind for kind in vars(schema).values() if hasattr(kind, "Init")]
    fields = [(kind, field) for kind in classes for field in structure._fields(kind)]
    assert len(fields) > 300
    for kind, (slot, _, reads, name) in fields:
        assert slot >= 4, (kind, name)
        assert reads in (1, 2, 4, 8, str) or isinstance(reads, type), (kind, name)


def changed(change):
    content = flatbuffer.load(MODEL)
    change(content, content.subgraphs[0])
    return flatbuffer.dump(content)


def set_to(of, **values):
    for name, value in values.items():
        setattr(of, name, value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda model, graph: set_to(graph.operators[1], opcodeIndex=99), "operator 1 names operator code 99"),
        (lambda model, graph: set_to(graph.operators[1], inputs=[0, 1, 5000]), "operator 1 names tensor 5000"),
        (lambda model, graph: set_to(graph.operators[1], outputs=[-1]), "operator 1 names tensor -1"),
        (lambda model, graph: set_to(graph, inputs=[77]), "its list of inputs names tensor 77"),
        (lambda model, graph: set_to(graph.tensors[0], shape=[1, -32, 32, 1]), "tensor 0 has a negative side"),
        (lambda model, graph: set_to(graph.tensors[0], shape=[1, 2**15, 2**15, 4]), "claim more than"),
        (lambda model, graph: set_to(graph.tensors[0], buffer=4000), "tensor 0 names buffer 4000"),
        (lambda model, graph: set_to(graph.tensors[0], type=120), "tensor 0 is of an unknown type, 120"),
        (lambda model, graph: set_to(graph.tensors[graph.operators[1].inputs[1]], shape=[9]), "where its shape needs"),
        (lambda model, graph: set_to(model.metadata[0], buffer=999), "its metadata names buffer 999"),
        (lambda model, graph: set_to(model, subgraphs=[]), "it has no graph"),
        (
            lambda model, graph: set_to(
                graph.tensors[0], quantization=schema.QuantizationParametersT(scale=[float("nan")], zeroPoint=[0])
            ),
            "tensor 0 has a scale",
        ),
    ],
)
def test_what_tables_say_of_each_other_is_checked(change, said):
    with pytest.raises(InputError, match=f"the model is a damaged TFLite model: .*{said}"):
        recognizer.Recognizer(changed(change))


@pytest.mark.parametrize("length", [0, 7, 8, 40, len(MODEL) // 2, len(MODEL) * 9 // 10])
def test_a_file_that_was_cut_short_is_refused(length):
    with pytest.raises(InputError, match=r"the model is (not a|a damaged) TFLite model"):
        untrusted.check(MODEL[:length], "the model")


@pytest.fixture(params=["fork", "python"])
def child(request, monkeypatch):
    """Children of either kind."""
    if request.param == "fork":
        monkeypatch.setattr(trial, "_NO_FORK", ())
        monkeypatch.setattr(trial.threading, "active_count", lambda: 1)
    return request.param


def test_what_only_the_interpreter_finds_is_a_sentence(child):
    def without_weights(model, graph):
        operator = graph.operators[1]
        graph.operators[1].inputs = [operator.inputs[0]]

    trial.check(MODEL, "good.tflite")
    with pytest.raises(InputError, match=r"^LiteRT cannot run bad\.tflite: \S"):
        trial.check(changed(without_weights), "bad.tflite")


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGSEGV, "it ends in SIGSEGV"), (signal.SIGXCPU, "one image takes more than 5 s")]
)
def test_a_child_that_dies_is_a_sentence(number, said, monkeypatch):
    monkeypatch.setattr(trial, "_NO_FORK", ())
    monkeypatch.setattr(trial.threading, "active_count", lambda: 1)
    monkeypatch.setattr(trial, "_attempt", lambda *_: os.kill(os.getpid(), number))
    with pytest.raises(InputError, match=rf"LiteRT cannot run bad\.tflite: {said}"):
        trial.check(MODEL, "bad.tflite")


def test_a_child_may_not_take_all_memory():
    program = "from keras_classics.recognition import trial; trial._confine(0); bytearray(2 * trial.MEMORY)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stderr.endswith("MemoryError\n")
