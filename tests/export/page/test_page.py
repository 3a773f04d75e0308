"""The page as a file: one, small, bound to itself; what is no LeNet-5 does not become one."""

import base64
import hashlib
import re

import pytest

from export.page import page, steps
from keras_classics.errors import InputError


def test_a_float_page_has_less_than_400_kilobytes_and_an_8_bit_one_less_than_200(tflite, page_of):
    assert page_of(tflite("tanh", "float32")).stat().st_size < 400_000
    assert page_of(tflite("tanh", "int8")).stat().st_size < 200_000


def test_the_policy_allows_the_pages_own_script_and_style_and_nothing_else(tflite, page_of):
    text = page_of(tflite("tanh", "int8")).read_text(encoding="utf-8")
    policy = dict(part.split(" ", 1) for part in re.search(r'Policy" content="([^"]+)"', text)[1].split("; "))
    assert policy["default-src"] == "'none'"
    for name, element in (("script-src", '<script type="module">'), ("style-src", "<style>")):
        content = text.split(element)[1].split(f"</{element[1:].split(' ')[0].rstrip('>')}>")[0]
        assert policy[name] == f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def test_the_page_names_no_host_and_has_no_handlers_or_styles_in_its_elements(tflite, page_of):
    text = page_of(tflite("tanh", "int8")).read_text(encoding="utf-8")
    assert not re.search(r"(https?:)?//[a-z]+\.[a-z]", text.split('id="weights"')[0])
    assert not re.search(r"<[^>]*\s(on\w+|style|src)=", re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL))


def test_labels_cannot_end_the_element_that_holds_them(tflite):
    network, weights = steps.read(tflite("tanh", "int8"), "x")
    text = page.assembled({**network, "labels": ["</script><b>{{weights}}", *"123456789"]}, weights)
    assert text.count("</script>") == 3
    assert "{{weights}}" in text  # a label, not a place to fill


def test_the_constants_of_the_steps_are_those_of_the_python_modules():
    from keras_classics.recognition import field, recognizer

    script = page.script_text()
    assert f'"BOX": {field.BOX},' in script
    assert f'"THRESHOLD": {recognizer.THRESHOLD},' in script


@pytest.mark.parametrize("mode", ["float32", "float16", "dynamic", "int8", "int16x8"])
def test_every_mode_has_the_layers_that_are_shown(tflite, mode):
    network, _ = steps.read(tflite("tanh", mode), "x")
    assert set(network["views"]) == {"C1", "C3", "F6"}
    assert network["mode"] == mode


def test_other_networks_and_damaged_files_are_refused(tflite):
    from export.litert import metadata

    whole = tflite("tanh", "int8")
    alexnet = metadata.embed(whole, {"network": "AlexNet", "mode": "int8", "labels": ["a"]})
    few = metadata.embed(whole, {"network": "LeNet-5", "mode": "int8", "labels": ["a"]})
    for content, sentence in ((alexnet, "AlexNet; the page is for LeNet-5"), (few, "for each of its 1 labels")):
        with pytest.raises(InputError, match=sentence):
            steps.read(_described_last(content), "x")
    with pytest.raises(InputError, match="not a TFLite model"):
        steps.read(b"nonsense", "x")
    for end in range(100, len(whole), 9_001):
        with pytest.raises(InputError, match=r"x (is a damaged|does not|has)"):
            steps.read(whole[:end], "x")


def _described_last(content):
    """``content`` whose last description comes first, where it is found."""
    from export.litert import flatbuffer

    model = flatbuffer.load(content)
    model.metadata = model.metadata[::-1]
    return flatbuffer.dump(model)


def test_the_command_writes_the_page_of_a_tflite_or_of_a_keras_file(called, tflite, tmp_path):
    from keras_classics import LeNet5

    (tmp_path / "model.tflite").write_bytes(tflite("tanh", "int8"))
    LeNet5(weights="mnist").save(tmp_path / "model.keras")
    for model, mode in ((tmp_path / "model.tflite", "int8"), (tmp_path / "model.keras", "float32")):
        done = called("export.demo", model, "--out", tmp_path / "new" / "digits.html")
        assert done.returncode == 0, done.stderr
        assert f"LeNet-5, {mode}" in done.stdout
        assert f'"mode":"{mode}"' in (tmp_path / "new" / "digits.html").read_text(encoding="utf-8")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["digits.html"]


def test_a_page_that_cannot_be_made_leaves_the_old_one(called, tflite, tmp_path):
    target, model, broken = tmp_path / "digits.html", tmp_path / "model.tflite", tmp_path / "broken.tflite"
    target.write_text("old")
    model.write_bytes(tflite("tanh", "int8"))
    broken.write_bytes(b"0000TFL3" + bytes(99))
    (tmp_path / "words.txt").write_text("words")
    (tmp_path / "folder.tflite").mkdir()
    for arguments, sentence in (
        ((broken, "--out", target), "damaged TFLite model"),
        ((tmp_path / "words.txt", "--out", target), "expected a file whose name ends in .tflite or .keras"),
        ((tmp_path / "absent.tflite", "--out", target), "there is no model file"),
        ((tmp_path / "folder.tflite", "--out", target), "there is no model file"),
        ((model, "--out", tmp_path / "folder.tflite"), "there is a folder of that name"),
        ((model, "--out", tmp_path / "." / "model.tflite"), "would take the place of the model"),
        ((model, "--out", model / "x.html"), "cannot write"),
        ((model, "--out", "/proc/none/x.html"), "cannot write"),
    ):
        done = called("export.demo", *arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert sentence in done.stderr
    assert target.read_text() == "old"
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"broken.tflite", "digits.html", "folder.tflite", "model.tflite", "words.txt"}
