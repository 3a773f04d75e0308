"""A model says what it is: whatever it is called, wherever it lies, after loading, copying and saving again."""

import dataclasses
import json
import zipfile

import keras
import numpy as np
import pytest

import keras_classics
from export.inputs import networks
from keras_classics import alexnet, datasets, description, lenet, names
from keras_classics.errors import InputError

SMALL = {"include_top": False, "pooling": "avg", "input_shape": (67, 67, 3)}


def test_names_known_without_a_framework_are_those_of_the_networks():
    assert tuple(alexnet.VARIANTS) == names.ALEXNET_VARIANTS
    assert lenet.VARIANTS == names.LENET5_VARIANTS
    assert set(names.TITLES) == set(names.NETWORKS)


@pytest.mark.parametrize("variant", names.ALEXNET_VARIANTS)
def test_every_alexnet_knows_its_variant(variant):
    known = description.of(keras_classics.AlexNet(variant=variant, **SMALL))
    row = alexnet.VARIANTS[variant]
    assert (known.network, known.variant, known.preprocessing) == ("alexnet", variant, row.preprocessing)
    assert known.labels is None


def renamed(model):
    """A copy whose layers have other names."""
    return keras.models.clone_model(
        model, clone_function=lambda layer: type(layer).from_config({**layer.get_config(), "name": f"x_{layer.name}"})
    )


def test_what_training_says_stays_with_the_model(tmp_path):
    model = keras_classics.LeNet5(classes=3, variant="1998")
    data = datasets.load("embedded").describe()
    description.trained(model, ("é", "b", "$c$"), data)
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "anything.keras"
    model.save(path)
    loaded = keras.models.load_model(path)
    loaded.save(path)
    for copy in (loaded, keras.models.load_model(path), renamed(model), keras.Model(model.input, model.output)):
        known = description.of(copy)
        assert (known.network, known.variant, known.labels) == ("lenet5-1998", "1998", ("é", "b", "$c$"))
        assert known.preprocessing == lenet.PREPROCESSING
        assert known.data == json.loads(json.dumps(data))
    assert description.of(loaded).checksum == description.checksum_of(loaded)
    loaded.layers[1].kernel.assign_add(loaded.layers[1].kernel)
    assert description.of(loaded).checksum != description.checksum_of(loaded)


def test_it_can_be_read_without_a_framework(tmp_path):
    keras_classics.LeNet5().save(tmp_path / "x.keras")
    with zipfile.ZipFile(tmp_path / "x.keras") as file:
        layers = json.loads(file.read("config.json"))["config"]["layers"]
    (found,) = [layer["config"]["description"] for layer in layers if "description" in layer["config"]]
    assert found["network"] == "lenet5"


def without_description(model):
    def copied(layer):
        config = layer.get_config()
        config.pop("description", None)
        return type(layer).from_config({**config, "name": f"layer_{layer.name}_of_mine"})

    return keras.models.clone_model(model, clone_function=copied)


@pytest.mark.parametrize(
    ("network", "build"),
    [
        ("lenet5", lambda: keras_classics.LeNet5(activation="relu")),
        ("lenet5-1998", lambda: keras_classics.LeNet5(variant="1998")),
        *(("alexnet", lambda v=v: alexnet.AlexNet(variant=v, **SMALL)) for v in names.ALEXNET_VARIANTS),
        ("alexnet", lambda: alexnet.AlexNet(variant="cifar10_convolutional")),
    ],
)
def test_a_model_that_says_nothing_is_known_by_its_structure(network, build):
    model = build()
    bare = without_description(model)
    assert description.of(bare) is None
    known = networks.described(bare, "x.keras")
    assert known.network == network
    assert known == description.of(model)


@pytest.mark.parametrize("change", ["filters", "pool", "nothing of ours"])
def test_another_structure_is_not_guessed_at(change):
    image = keras.Input((32, 32, 1))
    x = keras.layers.Conv2D(7 if change == "filters" else 6, 5, name="C1")(image)
    x = keras.layers.AveragePooling2D(3 if change == "pool" else 2, name="S2")(x)
    x = keras.layers.Conv2D(16, 5, name="C3")(x)
    model = keras.Model(image, keras.layers.Dense(10, name="F6")(keras.layers.Flatten()(x)))
    with pytest.raises(InputError, match="neither LeNet-5 nor AlexNet"):
        networks.described(model, "x.keras")


@pytest.mark.parametrize("content", [None, {}, {"network": 3}, {"network": "lenet5", "variant": "x"}, [1], "lenet5"])
def test_a_damaged_description_is_as_good_as_none(content):
    model = keras_classics.LeNet5()
    model.layers[1].description = content
    assert description.of(model) is None
    assert networks.described(model, "x.keras").network == "lenet5"


def test_a_variant_of_the_users_own_carries_its_preprocessing():
    row = dataclasses.replace(alexnet.VARIANTS["caffe"], lrn=None, filters=(8, 8, 8, 8, 8))
    model = keras_classics.AlexNet(variant=row, **SMALL)
    assert networks.described(model, "x").variant == "custom"
    assert networks.described(model, "x").preprocessing == row.preprocessing


def test_a_description_changes_no_output_and_no_weight(tmp_path):
    model = keras_classics.LeNet5()
    before = model.get_weights()
    description.trained(model, lenet.LABELS, {"name": "x"})
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    model.save_weights(tmp_path / "x.weights.h5")
    keras_classics.LeNet5().load_weights(tmp_path / "x.weights.h5")
