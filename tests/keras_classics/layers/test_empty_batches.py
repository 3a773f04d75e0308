"""What a device computes that gets no image of a last, small batch: nothing, forward and backward."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_classics import AlexNet, LeNet5, layers
from tests.conftest import ROOT

LAYERS = {
    "convolution": (lambda: layers.Conv2D(6, 3, strides=2), (9, 9, 4)),
    "padded convolution": (lambda: layers.Conv2D(6, 3, padding="same"), (9, 9, 4)),
    "towers": (lambda: layers.Conv2D(6, 3, groups=2), (9, 9, 4)),
    "convolution of a whole map": (lambda: layers.Conv2D(6, 5), (5, 5, 4)),
    "maximum": (lambda: layers.MaxPooling2D(3, strides=2), (9, 9, 4)),
    "normalization": (layers.LocalResponseNormalization, (9, 9, 4)),
    "subsampling": (layers.TrainableSubsampling, (8, 8, 4)),
    "connection table": (lambda: layers.SparselyConnectedConv2D(((0, 1), (1, 2)), 3), (9, 9, 4)),
    "distances": (lambda: layers.EuclideanRBF(np.ones((10, 84))), (84,)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_computes_no_images(name):
    make, shape = LAYERS[name]
    layer = make()
    layer.build((None, *shape))

    def both(images):
        weights = [weight.value for weight in layer.trainable_weights]
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images)
            total = tf.reduce_sum(outputs)
        return outputs, tape.gradient(total, [images, *weights])

    expected, one = both(tf.zeros((1, *shape)))
    for run in (both, tf.function(both)):
        outputs, (of_images, *of_weights) = run(tf.zeros((0, *shape)))
        assert tuple(outputs.shape) == (0, *expected.shape[1:])
        assert tuple(of_images.shape) == (0, *shape)
        assert [gradient.shape for gradient in of_weights] == [gradient.shape for gradient in one[1:]]
        assert not any(np.any(gradient) for gradient in of_weights)


def test_a_graph_for_one_device_is_left_as_it_is():
    """An export has no operator that it does not need."""
    layer = layers.Conv2D(6, 3)
    layer.build((None, 9, 9, 4))
    graph = tf.function(layer.call).get_concrete_function(tf.TensorSpec((None, 9, 9, 4))).graph
    assert not {"Pad", "PadV2", "If", "StatelessIf"} & {operation.type for operation in graph.get_operations()}


@pytest.mark.parametrize("build", [LeNet5, lambda: LeNet5(variant="1998"), lambda: AlexNet(variant="cifar10")])
def test_a_network_answers_no_images(build):
    model = build()
    assert model(np.zeros((0, *model.input_shape[1:]), "float32")).shape == (0, 10)


FIT = """
import dataclasses, json, sys
import numpy as np
from keras_classics.runtime import start_tensorflow

tf = start_tensorflow()
from keras_classics import AlexNet, LeNet5, alexnet, datasets, lenet
from train import recipes
from train.engine import devices
from train.engine.trainer import Trainer

count = int(sys.argv[1])
strategy = devices.strategy("auto", count)
small = dataclasses.replace(
    alexnet.VARIANTS["paper"], image_size=35, filters=(4, 4, 6, 6, 4), kernels=(3, 3, 3, 3, 3), stride=1, padding=(1, 1)
)
found = {}
for name, build in {
    "lenet": LeNet5,
    "1998": lambda: LeNet5(variant="1998", classifier_activation="softmax"),
    "alexnet": lambda: AlexNet(variant=small, classes=10),
}.items():
    with strategy.scope():
        model = build()
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    labels = np.arange(2 * count + 1)
    images = np.random.default_rng(0).random((len(labels), *model.input_shape[1:]), "float32")
    # Keras itself wants the first batch to be shared evenly.
    model.fit(images, labels, batch_size=count, epochs=1, verbose=0, validation_data=(images, labels))
    found[name] = [
        len(model.predict(images, batch_size=count, verbose=0)),
        model.evaluate(images, labels, batch_size=count, verbose=0)[1],
        float((model.predict(images, batch_size=count, verbose=0).argmax(1) == labels).mean()),
    ]
data = datasets.load("embedded").padded(32)
recipe = dataclasses.replace(recipes.LENET5["default"], batch_size=6 * count)
trainer = Trainer(
    LeNet5, preprocessing=lenet.PREPROCESSING, size=32, dataset=data, recipe=recipe, strategy=strategy
)
list(trainer.train(3))
for images in (1, count + 1, 500 * count + 1):
    split = data.train.take(np.arange(images))
    several, one = trainer.evaluate(split), trainer.test(split)[0]
    found[f"engine {images}"] = [several.images, several.accuracy, one.accuracy]
print(json.dumps(found))
"""


def test_uneven_batches_are_fitted_and_evaluated_on_several_devices():
    """Some devices get an image of the last batch and some get none, in ``model.fit`` and in the engine."""
    count = 3
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", FIT, str(count)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert [found[name][0] for name in ("lenet", "1998", "alexnet")] == 3 * [2 * count + 1]
    assert [found[f"engine {images}"][0] for images in (1, count + 1, 500 * count + 1)] == [
        1,
        count + 1,
        500 * count + 1,
    ]
    for name, (_, several, one) in found.items():
        assert several == pytest.approx(one), name
