"""Weights by name and from files: where they come from, what they are good for, what is refused."""

import hashlib
import sys

import keras
import numpy as np
import pytest

import keras_classics
from keras_classics import alexnet, datasets, lenet
from keras_classics.weights import registry

needs_torch, needs_onnx = pytest.mark.needs_extras("torch"), pytest.mark.needs_extras("onnx")
needs_peers = pytest.mark.needs_extras("torch", "onnx")  # which benchmarks.peers is written with
PACKAGED = [("modern", "tanh", 0.992), ("modern", "relu", 0.994), ("1998", None, 0.989)]


@pytest.fixture(scope="module")
def mnist(data_dir):
    return datasets.load("mnist", data_dir).padded(32).test


@pytest.mark.parametrize(("variant", "activation", "least"), PACKAGED)
def test_packaged_weights_recognise_mnist(variant, activation, least, mnist):
    model = keras_classics.LeNet5(
        weights="mnist", variant=variant, activation=activation, classifier_activation="softmax"
    )
    chosen = model.predict(lenet.preprocess_input(mnist.images), batch_size=500, verbose=0).argmax(axis=1)
    accuracy = (chosen == mnist.labels).mean()
    assert accuracy >= least
    name = activation or "scaled_tanh"
    row = next(row for row in keras_classics.list_weights("LeNet5") if (row.variant, row.activation) == (variant, name))
    assert 100 * accuracy == pytest.approx(row.accuracy["top1"], abs=0.02)


def test_packaged_weights_recognise_cifar10(data_dir):
    (row,) = (row for row in keras_classics.list_weights("AlexNet") if row.name == "cifar10")
    model = keras_classics.AlexNet(weights="cifar10", variant=row.variant)
    test = keras_classics.datasets.load("cifar10", data_dir).test
    prepared = alexnet.preprocess_input(test.images, variant=row.variant)
    chosen = model.predict(prepared, batch_size=500, verbose=0).argmax(axis=1)
    assert 100 * (chosen == test.labels).mean() == pytest.approx(row.accuracy["top1"], abs=0.05)
    for name, zeros in (("conv1", 0.0), ("conv3", 0.65), ("fc6", 0.98), ("fc8", 0.0)):
        assert (np.asarray(model.get_layer(name).kernel) == 0).mean() == pytest.approx(zeros, abs=0.001)


@pytest.mark.parametrize(
    "row",
    [row for row in keras_classics.list_weights() if row.url is None],
    ids=lambda row: f"{row.network}-{row.variant}-{row.activation}",
)
def test_packaged_files_are_small_and_those_recorded(row):
    content = (registry.importlib.resources.files("keras_classics.weights") / row.file).read_bytes()
    assert len(content) <= (300_000 if row.network == "LeNet5" else 3_000_000)
    assert hashlib.sha256(content).hexdigest() == row.sha256


def test_weights_are_listed_with_source_licence_and_accuracy():
    rows = keras_classics.list_weights()
    assert {(row.network, row.variant, row.name) for row in rows} == {
        ("LeNet5", "modern", "mnist"),
        ("LeNet5", "1998", "mnist"),
        ("AlexNet", "cifar10_batchnorm", "cifar10"),
        ("AlexNet", "torchvision", "imagenet"),
        ("AlexNet", "caffe", "imagenet"),
    }
    torchvision = next(row for row in rows if row.variant == "torchvision")
    assert (torchvision.accuracy["top1"], torchvision.accuracy["top5"]) == (56.522, 79.066)
    assert torchvision.url == "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"
    assert torchvision.sha256.startswith("7be5be79")
    assert all(row.licence for row in rows)
    with pytest.raises(ValueError, match="VGG16"):
        keras_classics.list_weights("VGG16")


def test_a_network_without_its_top_takes_the_weights_below_it(recwarn):
    whole = keras_classics.LeNet5(weights="mnist")
    features = keras_classics.LeNet5(weights="mnist", include_top=False, pooling="avg")
    for name in ("C1", "C3", "C5"):
        for ours, theirs in zip(
            features.get_layer(name).get_weights(), whole.get_layer(name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
    assert not [warning for warning in recwarn if "container" in str(warning.message)]


def test_weights_go_into_the_network_and_not_into_what_feeds_it():
    pixels = keras.Input((32, 32, 3))
    grey = keras.layers.Conv2D(1, 1, name="grey")
    model = keras_classics.LeNet5(weights="mnist", input_tensor=grey(pixels))
    assert model.input_shape == (None, 32, 32, 3)
    expected = keras_classics.LeNet5(weights="mnist").get_layer("C1").get_weights()
    np.testing.assert_array_equal(model.get_layer("C1").get_weights()[0], expected[0])


@pytest.mark.parametrize(
    ("build", "arguments", "said"),
    [
        ("LeNet5", {"weights": "mnist", "activation": "sigmoid"}, r"no weights 'mnist' for .*sigmoid.*there are for"),
        ("LeNet5", {"weights": "mnist", "classes": 5}, "have 10"),
        ("LeNet5", {"weights": "imagenet"}, "'imagenet'; expected None, mnist"),
        ("AlexNet", {"weights": "cifar10"}, r"variant='paper'; there are for variant='cifar10_batchnorm'"),
        ("AlexNet", {"weights": "imagenet"}, r"variant='paper'; there are for variant='torchvision'"),
        ("AlexNet", {"weights": "imagenet", "variant": "caffe", "classes": 7}, "have 1000"),
    ],
)
def test_names_that_do_not_fit_are_refused(build, arguments, said):
    with pytest.raises(ValueError, match=said):
        getattr(keras_classics, build)(**arguments)


@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
def test_a_file_of_another_network_is_refused(ending, tmp_path):
    path = tmp_path / f"other{ending}"
    other = keras_classics.LeNet5(classes=7)
    other.save(path) if ending == ".keras" else other.save_weights(path)
    with pytest.raises(ValueError, match="does not hold the weights of this network"):
        keras_classics.LeNet5(weights=path)
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="does not hold the weights of this network"):
        keras_classics.LeNet5(weights=path)


def test_an_absent_reader_is_named(monkeypatch, tmp_path):
    for ending, extra in ((".pth", "torch"), (".onnx", "onnx")):
        (tmp_path / f"network{ending}").write_bytes(b"")
        monkeypatch.setitem(sys.modules, extra, None)
        with pytest.raises(ImportError, match=rf"pip install 'keras-classics\[{extra}\]'"):
            keras_classics.LeNet5(weights=tmp_path / f"network{ending}")


@pytest.mark.parametrize("ending", [pytest.param(".pth", marks=needs_torch), pytest.param(".onnx", marks=needs_onnx)])
def test_a_damaged_file_is_named(ending, tmp_path):
    (tmp_path / f"network{ending}").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=rf"network{ending} cannot be read as"):
        keras_classics.LeNet5(weights=tmp_path / f"network{ending}")


@needs_peers
def test_layers_of_another_shape_are_named(tmp_path):
    import torch

    path = tmp_path / "network.pth"
    torch.save(torch.nn.Sequential(torch.nn.Conv2d(1, 6, 3)).state_dict(), path)
    with pytest.raises(ValueError, match="holds 1 layers with weights; this network has 5"):
        keras_classics.LeNet5(weights=path)
    with pytest.raises(ValueError, match="no counterpart"):
        keras_classics.LeNet5(weights=path, variant="1998")
    from benchmarks import peers

    torch.save(
        peers.torch_lenet5()[:10].state_dict() | {"end.weight": torch.zeros(7, 84), "end.bias": torch.zeros(7)}, path
    )
    with pytest.raises(ValueError, match=r"end.weight has shape \(7, 84\); layer output takes \(10, 84\)"):
        keras_classics.LeNet5(weights=path)


@needs_peers
def test_half_precision_and_wrapped_states_are_read(tmp_path):
    import torch

    from benchmarks import peers

    state = peers.torch_lenet5().state_dict()
    halves = {f"module.{name}": tensor.to(torch.bfloat16) for name, tensor in state.items()}
    torch.save({"state_dict": halves}, tmp_path / "network.pth")
    model = keras_classics.LeNet5(weights=tmp_path / "network.pth")
    np.testing.assert_allclose(model.get_layer("F6").get_weights()[0], state["9.weight"].numpy().T, rtol=1e-2)


@needs_peers
def test_what_a_file_holds_besides_is_not_dropped_in_silence(tmp_path):
    import torch

    from benchmarks import peers

    state = peers.torch_lenet5().state_dict() | {"norm.running_mean": torch.zeros(6)}
    torch.save(state, tmp_path / "network.pth")
    with pytest.raises(ValueError, match=r"holds norm.running_mean"):
        keras_classics.LeNet5(weights=tmp_path / "network.pth")


@needs_onnx
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda onnx, nodes: nodes[0].attribute.append(onnx.helper.make_attribute("alpha", 2.0)), "scales"),
        (lambda onnx, nodes: nodes.append(onnx.helper.make_node("Mul", ["y", "s"], ["z"])), "has the operator Mul"),
        (lambda onnx, nodes: nodes[0].input.pop(), "no constant weight and bias"),
    ],
)
def test_graphs_that_do_more_than_such_a_network_are_refused(change, said, tmp_path):
    import onnx

    nodes = [onnx.helper.make_node("Gemm", ["x", "w", "b"], ["y"])]
    change(onnx, nodes)
    constants = {"w": np.zeros((4, 2), "f4"), "b": np.zeros(2, "f4"), **({"s": np.ones(2, "f4")} if nodes[1:] else {})}
    initializers = [onnx.numpy_helper.from_array(values, name) for name, values in constants.items()]
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", [], [], initializers)), tmp_path / "g.onnx")
    with pytest.raises(ValueError, match=said):
        keras_classics.LeNet5(weights=tmp_path / "g.onnx")


@needs_onnx
def test_a_graph_with_another_normalization_is_refused(tmp_path):
    """The weights of Caffe's network have the shapes of the paper's."""
    import onnx

    nodes = [
        onnx.helper.make_node("Conv", ["x", "w", "b"], ["y"], strides=[4, 4]),
        onnx.helper.make_node("Relu", ["y"], ["z"]),
        onnx.helper.make_node("LRN", ["z"], ["n"], size=5, alpha=1e-4, beta=0.75, bias=1.0),
    ]
    graph = onnx.helper.make_graph(nodes, "caffe", [], [])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "caffe.onnx")
    with pytest.raises(ValueError, match=r"its LRN has alpha 0.0001, this network's 0.0005"):
        keras_classics.AlexNet(weights=tmp_path / "caffe.onnx", include_top=False)
    nodes[1].op_type = "Tanh"
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph(nodes, "caffe", [], [])), tmp_path / "caffe.onnx")
    with pytest.raises(ValueError, match="has the operator Tanh"):
        keras_classics.AlexNet(weights=tmp_path / "caffe.onnx", include_top=False)


def test_a_keras_file_that_says_it_is_another_network_is_refused(tmp_path):
    keras_classics.LeNet5(activation="relu").save(tmp_path / "relu.keras")
    with pytest.raises(ValueError, match="activation relu where this network has tanh"):
        keras_classics.LeNet5(weights=tmp_path / "relu.keras")
    keras_classics.LeNet5(weights=tmp_path / "relu.keras", activation="relu", include_top=False)
    inputs = keras.Input((32, 32, 1))
    normalised = keras_classics.LeNet5(input_tensor=keras.layers.BatchNormalization()(inputs))
    for ending in (".keras", ".weights.h5"):
        path = tmp_path / f"normalised{ending}"
        normalised.save(path) if ending == ".keras" else normalised.save_weights(path)
        with pytest.raises(ValueError, match=r"where this network has|this network 5"):
            keras_classics.LeNet5(weights=path)


@pytest.mark.parametrize("variant", ["paper", "single_tower", "caffe", "torchvision"])
def test_a_keras_file_serves_its_own_variant_of_alexnet_only(variant, tmp_path):
    def features(variant, **more):
        return keras_classics.AlexNet(variant=variant, include_top=False, input_shape=(96, 96, 3), **more)

    saved = features(variant)
    saved.save(tmp_path / "features.keras")
    again = features(variant, weights=tmp_path / "features.keras")
    np.testing.assert_array_equal(again.get_weights()[0], saved.get_weights()[0])
    other = "caffe" if variant == "paper" else "paper"
    with pytest.raises(ValueError, match="where this network has"):
        features(other, weights=tmp_path / "features.keras")


@needs_peers
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda torch, state: {name: (100 * tensor).to(torch.int8) for name, tensor in state.items()}, "torch.int8"),
        (lambda torch, state: state | {"9.bias": torch.full((84,), float("nan"))}, "no finite"),
        (lambda torch, state: {0: state["0.bias"]}, "names and tensors"),
        (
            lambda torch, state: dict(zip([n.replace("0.", "C3.") for n in state], state.values(), strict=True)),
            "C3.weight",
        ),
    ],
)
def test_states_that_are_not_what_they_seem_are_refused(change, said, tmp_path):
    import torch

    from benchmarks import peers

    torch.save(change(torch, peers.torch_lenet5().state_dict()), tmp_path / "network.pth")
    with pytest.raises(ValueError, match=said):
        keras_classics.LeNet5(weights=tmp_path / "network.pth")


def test_an_activation_that_only_bears_the_name_is_not_taken_for_it():
    def relu(x):
        return -x

    with pytest.raises(ValueError, match="another package"):
        keras_classics.LeNet5(weights="mnist", activation=relu)
