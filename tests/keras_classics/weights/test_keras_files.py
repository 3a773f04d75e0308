"""Model files from outside run no code, lead to no other files and take no more memory than they hold."""

import io
import json
import os
import pathlib
import pickle
import resource
import zipfile

import h5py
import keras
import numpy as np
import pytest

from export.inputs import networks
from keras_classics import LeNet5
from keras_classics.errors import InputError
from keras_classics.weights import importers, keras_files


@pytest.fixture(scope="module")
def model():
    return LeNet5()


@pytest.fixture
def file(model, tmp_path):
    model.save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def changed(path, *, configuration=None, weights=None, more=()):
    """Write a ``.keras`` again, with its configuration or its weights (an open HDF5 file) changed, or more in it."""
    with zipfile.ZipFile(path) as packed:
        content = {name: packed.read(name) for name in packed.namelist()}
    if configuration:
        said = json.loads(content["config.json"])
        content["config.json"] = json.dumps(configuration(said) or said)
    if weights:
        stream = io.BytesIO(content["model.weights.h5"])
        with h5py.File(stream, "r+") as opened:
            weights(opened)
        content["model.weights.h5"] = stream.getvalue()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in [*content.items(), *more]:
            packed.writestr(name, data)


def dense(configuration, name="F6"):
    return next(layer["config"] for layer in configuration["config"]["layers"] if layer["config"]["name"] == name)


def first_vars(content):
    return next(layer["vars"] for layer in content["layers"].values() if len(layer.get("vars", ())))


def test_a_sound_file_is_read(file, model):
    found = networks.load_model(file)
    for left, right in zip(found.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_code_in_a_file_is_not_run(tmp_path):
    ran = tmp_path / "ran"
    evil = keras.Sequential(
        [keras.Input((2,)), keras.layers.Lambda(lambda x, path=str(ran): [pathlib.Path(path).touch(), x][1])]
    )
    ran.unlink(missing_ok=True)
    evil.save(tmp_path / "evil.keras")
    with pytest.raises(InputError, match=r"evil\.keras cannot be read as a Keras model"):
        networks.load_model(tmp_path / "evil.keras")
    assert not ran.exists()


@pytest.mark.parametrize(
    "evil",
    [
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["touch", "RAN"]}},
        {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"},
        {"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"},
        {"module": "evil_module", "class_name": "Layer", "config": {}},
    ],
    ids=lambda evil: evil["module"],
)
def test_a_file_can_name_nothing_but_layers(evil, file, tmp_path, monkeypatch):
    ran = tmp_path / "RAN"
    (tmp_path / "evil_module.py").write_text(f"import pathlib\npathlib.Path({str(ran)!r}).touch()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    evil["config"] = evil["config"] if evil["module"] != "subprocess" else {"args": ["touch", str(ran)]}
    changed(file, configuration=lambda said: dense(said).update(activation=evil))
    with pytest.raises(InputError, match="cannot be read as a Keras model"):
        networks.load_model(file)
    changed(file, configuration=lambda said: evil)
    with pytest.raises(InputError, match="cannot be read as a Keras model"):
        networks.load_model(file)
    assert not ran.exists()


def test_layers_that_claim_more_weights_than_the_file_holds_are_not_built(file):
    def grow(said):
        for layer in said["config"]["layers"]:
            layer.pop("build_config", None)
        dense(said)["units"] = 30_000_000

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    changed(file, configuration=grow)
    with pytest.raises(InputError, match=r"claims weights of 15,\d+,\d+,\d+ bytes and holds \d+,\d+"):
        networks.load_model(file)
    with keras.StatelessScope():  # Keras fills variables that wait for it when such a scope ends
        pass
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KB


def test_a_users_own_layers_are_found_in_their_scope(tmp_path):
    class Doubled(keras.layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    keras.Sequential([keras.Input((3,)), Doubled(), keras.layers.Dense(2)]).save(tmp_path / "own.keras")
    with pytest.raises(InputError, match="cannot be read"):
        networks.load_model(tmp_path / "own.keras")
    with keras.saving.custom_object_scope({"Doubled": Doubled}):
        assert isinstance(networks.load_model(tmp_path / "own.keras").layers[0], Doubled)


HOSTILE_WEIGHTS = {
    "external link": (
        lambda found: found.__setitem__("more", h5py.ExternalLink("/etc/hostname", "/x")),
        "holds a link",
    ),
    "soft link": (lambda found: found.__setitem__("more", h5py.SoftLink("/layers")), "holds a link"),
    "data elsewhere": (
        lambda found: first_vars(found).create_dataset("9", (64,), "uint8", external=[("/etc/passwd", 0, 64)]),
        "lie in another file",
    ),
    "shape bomb": (
        lambda found: first_vars(found).create_dataset("9", (2**20, 2**12), "float32", chunks=(64, 64)),
        "claims weights of 17",
    ),
    "circle": (lambda found: first_vars(found).__setitem__("more", found["layers"]), "nested without end"),
}


@pytest.mark.parametrize("what", HOSTILE_WEIGHTS)
@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_weights_lead_to_no_other_files(ending, what, file, model, tmp_path):
    change, said = HOSTILE_WEIGHTS[what]
    if ending == ".keras":
        changed(file, weights=change)
        with pytest.raises(InputError, match=said):
            networks.load_model(file)
        return
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "r+") as content:
        change(content)
    with pytest.raises(ValueError, match=rf"does not hold the weights of this network: .*{said}"):
        importers.load(LeNet5(), path)
    assert importers.classes_in(path) is None


def test_an_archive_unpacks_to_no_more_than_it_may_and_nowhere_else(file, monkeypatch):
    good = file.read_bytes()
    changed(file, more=[("../outside", b"x")])
    with pytest.raises(InputError, match=r"holds a file '\.\./outside'"):
        networks.load_model(file)
    file.write_bytes(good)
    changed(file, configuration=lambda said: {**said, "x": "0" * 17_000_000})
    with pytest.raises(InputError, match=r"its config\.json has more than 16,777,216 bytes"):
        networks.load_model(file)
    monkeypatch.setattr(keras_files, "LARGEST", 2**20)
    with pytest.raises(InputError, match=r"unpacks to 17,\d+,\d+ bytes; expected 1,048,576 at most"):
        networks.load_model(file)


def test_what_would_be_waited_for_is_no_model(tmp_path):
    os.mkfifo(tmp_path / "pipe.keras")
    with pytest.raises(InputError, match="it is not a file"):
        networks.load_model(tmp_path / "pipe.keras")


@pytest.mark.needs_extras("torch")
def test_a_pickle_is_not_executed(tmp_path):
    class Evil:
        def __reduce__(self):
            return pathlib.Path.touch, (tmp_path / "ran",)

    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"state_dict": Evil()}))
    with pytest.raises(ValueError, match="cannot be read as a PyTorch state dictionary"):
        importers.load(LeNet5(), tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.needs_extras("onnx")
@pytest.mark.parametrize(
    ("location", "length", "said"),
    [
        ("../secret", 16, "no file beside it"),
        ("/etc/passwd", 16, "no file beside it"),
        ("link", 16, "no file beside it"),
        ("absent", 16, "no file beside it"),
        ("data", 10**12, "claims more than data holds"),
    ],
)
def test_onnx_data_outside_of_its_folder_is_refused(location, length, said, tmp_path):
    import onnx

    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(64))
    (folder / "data").write_bytes(bytes(64))
    (folder / "link").symlink_to(tmp_path / "secret")
    tensor = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[4])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("length", str(length))):
        tensor.external_data.add(key=key, value=value)
    graph = onnx.helper.make_graph([], "graph", [], [], initializer=[tensor])
    (folder / "model.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    with pytest.raises(ValueError, match=rf"model\.onnx cannot be read as an ONNX model: w .*{said}"):
        importers.load(LeNet5(), folder / "model.onnx")


def test_the_checks_know_keras_own_files(file):
    assert keras_files.configuration_of(file)["class_name"] == "Functional"
    keras_files.check(file)


def test_a_model_saved_after_fit_is_read_like_any_other(tmp_path):
    model = LeNet5()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.zeros((2, 32, 32, 1), "float32"), np.zeros(2), verbose=0)
    model.save(tmp_path / "x.keras")
    loaded = keras_files.load_model(tmp_path / "x.keras")
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
