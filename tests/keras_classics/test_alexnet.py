"""AlexNet against sections 2 to 4 of Krizhevsky, Sutskever, Hinton, 2012."""

import dataclasses

import keras
import numpy as np
import pytest

import keras_classics
from keras_classics import alexnet

LAYERS = {
    "conv1": ((55, 55, 96), 34_944),
    "norm1": ((55, 55, 96), 0),
    "pool1": ((27, 27, 96), 0),
    "conv2": ((27, 27, 256), 307_456),
    "norm2": ((27, 27, 256), 0),
    "pool2": ((13, 13, 256), 0),
    "conv3": ((13, 13, 384), 885_120),
    "conv4": ((13, 13, 384), 663_936),
    "conv5": ((13, 13, 256), 442_624),
    "pool5": ((6, 6, 256), 0),
    "fc6": ((4096,), 37_752_832),
    "fc7": ((4096,), 16_781_312),
    "fc8": ((1000,), 4_097_000),
}


@pytest.fixture(scope="module")
def paper():
    return keras_classics.AlexNet()


def test_every_layer_has_the_shape_and_parameters_of_the_paper(paper):
    found = {name: (paper.get_layer(name).output.shape[1:], paper.get_layer(name).count_params()) for name in LAYERS}
    assert found == LAYERS
    assert paper.count_params() == 60_965_224


@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("single_tower", 62_378_344),
        ("cifar10", 35_855_178),
        ("cifar10_batchnorm", 7_509_066),
        ("cifar10_convolutional", 2_148_618),
        ("caffe", 60_965_224),
        ("torchvision", 61_100_840),
    ],
)
def test_variants_have_their_parameters(variant, parameters):
    assert keras_classics.AlexNet(variant=variant).count_params() == parameters


def test_a_variant_of_the_user_s_own_is_built():
    """For ablations: the paper's network without normalization, and with smaller pooling windows."""
    own = dataclasses.replace(alexnet.VARIANTS["cifar10"], filters=(8, 16, 16, 16, 8), pool=3, lrn={"depth_radius": 1})
    model = keras_classics.AlexNet(variant=own)
    assert [model.get_layer(f"conv{number}").filters for number in range(1, 6)] == [8, 16, 16, 16, 8]
    assert (model.get_layer("norm2").depth_radius, model.get_layer("pool5").pool_size) == (1, (3, 3))
    pixels = np.full((1, 32, 32, 3), 255.0, "float32")
    np.testing.assert_allclose(alexnet.preprocess_input(pixels, variant=own), own.preprocessing(pixels))
    with pytest.raises(ValueError, match="variant='custom'; there are for"):
        keras_classics.AlexNet(variant=own, weights="imagenet")


def test_a_variant_pools_where_it_says_and_may_lack_hidden_dense_layers():
    own = dataclasses.replace(alexnet.VARIANTS["cifar10"], filters=(4, 8, 8, 8, 6), pools_after=[4, 2], dense=0)
    model = keras_classics.AlexNet(variant=own)
    names = [layer.name for layer in model.layers]
    assert [(name, names[names.index(name) - 1]) for name in names if "pool" in name] == [
        ("pool2", "conv2"),
        ("pool4", "conv4"),
        ("pool6", "conv5"),
    ]
    assert not {"fc6", "fc7", "drop6"} & set(names)
    maps = keras.Model(model.input, model.get_layer("conv5").output)
    pixels = np.random.default_rng(0).random((2, 32, 32, 3), "float32")
    largest = keras.Model(model.input, model.get_layer("flatten").output)(pixels)
    np.testing.assert_array_equal(largest, np.max(maps(pixels), axis=(1, 2)))
    assert keras_classics.AlexNet(variant=own, include_top=False, input_shape=(4, 4, 3)).output_shape == (None, 1, 1, 6)
    with pytest.raises(ValueError, match="at least 4"):
        keras_classics.AlexNet(variant=own, include_top=False, input_shape=(3, 3, 3))
    for wrong in (2, (0,), (6,), ("2",), ([1],)):
        with pytest.raises(ValueError, match=r"pools_after is .*expected numbers from 1 to 5"):
            dataclasses.replace(own, pools_after=wrong)


def test_order_is_convolution_relu_normalization_pooling(paper):
    """Section 3.5: pooling follows normalization, which follows the ReLU of conv1 and conv2."""
    names = [layer.name for layer in paper.layers]
    for number in (1, 2):
        order = [names.index(f"{kind}{number}") for kind in ("conv", "norm", "pool")]
        assert order == [order[0], order[0] + 1, order[0] + 2]
    assert all(paper.get_layer(f"conv{n}").activation is keras.activations.relu for n in range(1, 6))


def test_pooling_overlaps_and_dropout_is_one_half(paper):
    for name in ("pool1", "pool2", "pool5"):
        assert (paper.get_layer(name).pool_size, paper.get_layer(name).strides) == ((3, 3), (2, 2))
    assert [paper.get_layer(name).rate for name in ("drop6", "drop7")] == [0.5, 0.5]


def test_normalization_has_the_papers_constants(paper):
    config = paper.get_layer("norm1").get_config()
    assert [config[name] for name in ("depth_radius", "bias", "alpha", "beta")] == [2, 2.0, 1e-4, 0.75]


def test_towers_do_not_see_each_other(paper):
    """Section 3.5: the first half of conv2's maps depends on the first half of its inputs only."""
    conv2 = keras_classics.layers.Conv2D.from_config(paper.get_layer("conv2").get_config())
    maps = np.random.default_rng(0).normal(size=(1, 27, 27, 96)).astype("float32")
    before = keras.ops.convert_to_numpy(conv2(maps))
    maps[..., 48:] += 1
    changed = (keras.ops.convert_to_numpy(conv2(maps)) != before).any(axis=(0, 1, 2))
    assert not changed[:128].any()
    assert changed[128:].any()


def test_initialisation_is_that_of_section_5(paper):
    kernel, bias = paper.get_layer("fc7").get_weights()
    assert abs(kernel.std() - 0.01) < 1e-4
    ones = {name: (paper.get_layer(name).get_weights()[1] == 1).all() for name in LAYERS if name[0] in "cf"}
    assert {name for name, one in ones.items() if one} == {"conv2", "conv4", "conv5", "fc6", "fc7"}
    assert (bias == 1).all()


def test_smallest_image_without_the_top():
    assert keras_classics.AlexNet(include_top=False, input_shape=(64, 64, 3)).output_shape == (None, 1, 1, 256)
    with pytest.raises(ValueError, match="at least 64"):
        keras_classics.AlexNet(include_top=False, input_shape=(63, 64, 3))


def test_unknown_variant_is_named():
    with pytest.raises(
        ValueError, match=r"'resnet'.*paper, single_tower, cifar10, cifar10_batchnorm, cifar10_convolutional, caffe"
    ):
        keras_classics.AlexNet(variant="resnet")


def test_preprocessing_subtracts_the_mean_of_imagenet():
    grey = np.full((1, 2, 2, 3), 128, np.uint8)
    np.testing.assert_allclose(alexnet.preprocess_input(grey)[0, 0, 0], [4.32, 11.221, 24.061], rtol=1e-5)
    tensor = alexnet.preprocess_input(keras.ops.convert_to_tensor(grey))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(tensor), alexnet.preprocess_input(grey))
    with pytest.raises(ValueError, match="1 channels"):
        alexnet.preprocess_input(grey[..., :1])


def test_maps_of_every_imagenet_variant_are_55_27_13_and_6():
    for variant in ("paper", "single_tower", "caffe", "torchvision"):
        model = keras_classics.AlexNet(variant=variant)
        sides = [model.get_layer(name).output.shape[1] for name in ("conv1", "pool1", "pool2", "pool5")]
        assert sides == [55, 27, 13, 6], variant


def test_torchvision_takes_other_sizes_with_the_top():
    """Adaptive pooling, which came with Keras 3.13, brings any map to 6×6, so that fc6 keeps its weights."""
    if not hasattr(keras.layers, "AdaptiveAveragePooling2D"):
        with pytest.raises(ValueError, match=r"3\.13 or newer"):
            keras_classics.AlexNet(variant="torchvision", input_shape=(256, 320, 3))
    else:
        model = keras_classics.AlexNet(variant="torchvision", input_shape=(256, 320, 3))
        assert model.count_params() == 61_100_840


def test_preprocessing_follows_the_variant():
    pixel = np.array([255, 128, 0], np.uint8).reshape(1, 1, 1, 3)
    expected = {
        "caffe": [0 - 103.939, 128 - 116.779, 255 - 123.68],
        "torchvision": [(1 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, (0 - 0.406) / 0.225],
        "single_tower": [255 - 123.68, 128 - 116.779, 0 - 103.939],
    }
    for variant, values in expected.items():
        ours = alexnet.preprocess_input(pixel, variant=variant)
        np.testing.assert_allclose(ours.ravel(), values, rtol=1e-5)
        tensor = alexnet.preprocess_input(keras.ops.convert_to_tensor(pixel), variant=variant)
        np.testing.assert_allclose(tensor, ours, rtol=1e-6)
        first = alexnet.preprocess_input(pixel.transpose(0, 3, 1, 2), "channels_first", variant)
        np.testing.assert_allclose(first.ravel(), values, rtol=1e-5)


def test_decoded_predictions_are_named_and_sorted():
    scores = np.zeros((2, 1000))
    scores[0, [1, 999, 0]] = 0.5, 0.3, 0.2
    scores[1, 388] = 1
    decoded = alexnet.decode_predictions(scores, top=2)
    assert decoded[0] == [("n01443537", "goldfish", 0.5), ("n15075141", "toilet_tissue", 0.3)]
    assert decoded[1][0] == ("n02510455", "giant_panda", 1.0)
    assert len({identifier for identifier, _ in alexnet.imagenet_classes()}) == 1000
    with pytest.raises(ValueError, match="1000"):
        alexnet.decode_predictions(scores[:, :10])
