"""SavedModel and ONNX: operators that everybody has, the answers of Keras, and the same gate."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_classics
from export import onnx, saved_model
from export.convert.device_model import PLAIN, device_model
from keras_classics import alexnet, lenet
from keras_classics.errors import InputError


@pytest.fixture(scope="module")
def normalized():
    """AlexNet's convolutions with normalization and towers, for small pictures: ``(graph, pictures, maps)``."""
    keras.utils.set_random_seed(0)
    network = keras_classics.AlexNet(include_top=False, input_shape=(67, 67, 3))
    network.set_weights([3 * weights for weights in network.get_weights()])
    preprocessing = alexnet.VARIANTS["paper"].preprocessing
    pictures = np.random.default_rng(0).integers(0, 256, (3, 67, 67, 3), np.uint8)
    graph = device_model(network, preprocessing, "uint8", PLAIN, batch=None)
    graph(pictures[:1])
    return graph, pictures, network.predict(preprocessing(pictures, "channels_last"), verbose=0)


def test_saved_model_normalizes_by_tensorflows_operator_and_not_by_code_compiled_for_this_cpu(normalized, tmp_path):
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    graph, pictures, expected = normalized
    saved_model.write(graph, tmp_path / "maps", {"labels": []})
    found = saved_model.run(tmp_path / "maps", pictures)
    np.testing.assert_allclose(found, expected, atol=3e-5 * np.abs(expected).max())
    content = SavedModel.FromString((tmp_path / "maps" / "saved_model.pb").read_bytes())
    functions = content.meta_graphs[0].graph_def.library.function
    operators = {node.op for function in functions for node in function.node_def}
    assert "LRN" in operators
    assert not any(function.attr["_XlaMustCompile"].b for function in functions)
    assert json.loads((tmp_path / "maps" / "assets.extra" / "keras_classics.json").read_text()) == {"labels": []}


@pytest.mark.needs_extras("onnx", "tf2onnx")
def test_onnx_normalizes_by_its_own_operator(normalized, tmp_path):
    import onnx as library

    graph, pictures, expected = normalized
    onnx.write(graph, tmp_path / "maps.onnx", {"labels": ["é"]})
    found = onnx.run(tmp_path / "maps.onnx", pictures)
    np.testing.assert_allclose(found, expected, atol=3e-5 * np.abs(expected).max())
    model = library.load(tmp_path / "maps.onnx")
    nodes = [node.op_type for node in model.graph.node]
    assert nodes.count("LRN") == 2
    assert nodes.count("Conv") == 8  # conv2, conv4 and conv5 have two towers
    assert {node.domain for node in model.graph.node} == {""}
    assert json.loads(model.metadata_props[0].value) == {"labels": ["é"]}


@pytest.mark.needs_extras("onnx", "tf2onnx")
def test_without_onnx_runtime_the_reference_answers(monkeypatch, embedded, tmp_path):
    model = keras_classics.LeNet5(weights="mnist")
    graph = device_model(model, lenet.PREPROCESSING, "uint8", PLAIN, batch=None)
    images = embedded.test.images[:5]
    graph(images)
    onnx.write(graph, tmp_path / "digits.onnx", {})
    monkeypatch.setattr(onnx, "has_runtime", lambda: False)
    expected = model.predict(lenet.preprocess_input(images), verbose=0)
    np.testing.assert_allclose(onnx.run(tmp_path / "digits.onnx", images), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("module", "ending"),
    [
        ("saved_model", "_saved_model"),
        pytest.param("onnx", ".onnx", marks=pytest.mark.needs_extras("onnx", "tf2onnx")),
    ],
)
def test_what_is_written_has_passed_the_gate(called, module, ending, run_folder, tmp_path):
    given = (f"export.{module}", "lenet5", "--model", run_folder / "lenet5.keras", "--out", tmp_path)
    refused = called(*given, "--max-size", 1_000)
    assert refused.returncode == 1
    assert "more than --max-size 1,000" in refused.stdout
    assert list(tmp_path.iterdir()) == []
    for _ in range(2):  # the second takes the place of the first
        done = called(*given, "--test-images", 300)
        assert done.returncode == 0, done.stdout + done.stderr
    names = {f"lenet5{ending}", f"lenet5{ending}.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    report = json.loads((tmp_path / f"lenet5{ending}.json").read_text())
    assert report["agreement"] == 1
    assert report["largest_probability_difference"] < 1e-5
    assert report["test_images"] == 300


def test_a_saved_model_needs_nothing_of_this_package(called, run_folder, tmp_path):
    called("export.saved_model", "lenet5", "--model", run_folder / "lenet5.keras", "--out", tmp_path)
    program = (
        "import sys, tensorflow as tf\n"
        "serve = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "(rows,) = serve(tf.zeros((3, 32, 32, 1), tf.uint8)).values()\n"
        "assert rows.shape == (3, 10) and abs(float(tf.reduce_sum(rows)) - 3) < 1e-4\n"
        "assert not {'keras_classics', 'export'} & set(sys.modules)"
    )
    path = tmp_path / "lenet5_saved_model"
    done = subprocess.run([sys.executable, "-c", program, path], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.needs_extras("onnx", "tf2onnx", "onnxruntime")
def test_an_onnx_file_that_cannot_be_run_is_one_sentence_and_nothing_is_printed(tmp_path, capsys):
    import onnx as library

    node = library.helper.make_node("NoSuchOperator", ["pixels"], ["answers"])
    values = [
        library.helper.make_tensor_value_info(name, library.TensorProto.UINT8, [1]) for name in ("pixels", "answers")
    ]
    library.save(
        library.helper.make_model(library.helper.make_graph([node], "g", [values[0]], [values[1]])), tmp_path / "x.onnx"
    )
    with pytest.raises(InputError, match=r"x\.onnx cannot be run: .*NoSuchOperator.*\.$"):
        onnx.run(tmp_path / "x.onnx", np.zeros(1, np.uint8))
    assert capsys.readouterr().out == ""
