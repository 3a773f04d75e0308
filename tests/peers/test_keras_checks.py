"""Our layers under the checks that Keras runs on its own: configuration, eager and symbolic calls, mixed precision."""

import pytest
from keras.src import testing  # shipped with Keras, though not public

from keras_classics import layers
from keras_classics.characters import digit_bitmaps
from keras_classics.lenet import TABLE_I


@pytest.mark.parametrize(
    ("layer", "arguments", "given", "returned", "weights"),
    [
        (layers.LocalResponseNormalization, {"form": "auto"}, (2, 5, 5, 8), (2, 5, 5, 8), 0),
        (layers.LocalResponseNormalization, {"form": "window"}, (2, 5, 5, 8), (2, 5, 5, 8), 0),
        (layers.LocalResponseNormalization, {"form": "banded"}, (2, 5, 5, 8), (2, 5, 5, 8), 0),
        (layers.Conv2D, {"filters": 8, "kernel_size": 3, "groups": 2}, (2, 5, 5, 4), (2, 3, 3, 8), 2),
        (layers.Conv2D, {"filters": 8, "kernel_size": 5}, (2, 5, 5, 4), (2, 1, 1, 8), 2),
        (layers.TrainableSubsampling, {"size": 2, "activation": "tanh"}, (2, 6, 6, 4), (2, 3, 3, 4), 2),
        (layers.SparselyConnectedConv2D, {"connections": TABLE_I, "size": 5}, (2, 14, 14, 6), (2, 10, 10, 16), 2),
        (layers.EuclideanRBF, {"prototypes": digit_bitmaps().tolist()}, (2, 84), (2, 10), 0),
    ],
)
def test_a_layer_is_as_keras_expects(layer, arguments, given, returned, weights):
    testing.TestCase().run_layer_test(
        layer,
        init_kwargs=arguments,
        input_shape=given,
        expected_output_shape=returned,
        expected_num_trainable_weights=weights,
        expected_num_non_trainable_weights=0,
        supports_masking=layer is layers.LocalResponseNormalization,
    )
