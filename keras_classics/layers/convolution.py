"""A 2D convolution with the weights and the result of Keras' own, computed in the form that is fastest here.

Two cases matter for these networks (Keras' own computation serves everywhere else):

- a kernel that covers its whole input map (C5 of LeNet-5, 5×5 on 5×5) is one matrix product;
- a grouped convolution (the two towers of AlexNet, section 3.5 of Krizhevsky et al. 2012) is one convolution a group
  on a CPU, where TensorFlow's gradient of the grouped form takes several times as long.
"""

import json

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_classics")
class Conv2D(keras.layers.Conv2D):
    """``keras.layers.Conv2D``: same arguments, weights, shapes and values, up to float rounding.

    Input ``(batch, height, width, channels)``, or ``(batch, channels, height, width)`` with
    ``data_format="channels_first"``; any float dtype.

    Args:
        description: what the network whose first convolution this is says about itself
            (``keras_classics.description``): a dict of JSON values, saved with the layer's configuration, or None.
    """

    def __init__(self, *args, description=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.description = description

    @property
    def description(self):
        return json.loads(self._description)

    @description.setter
    def description(self, content):
        self._description = json.dumps(content)  # as text, so that Keras does not track its parts

    def get_config(self):
        config = super().get_config()
        return config if self.description is None else {**config, "description": self.description}

    def convolution_op(self, inputs, kernel):
        if self._covers_the_map(inputs):
            return self._matrix_product(inputs, kernel)
        if self.groups > 1 and on_a_cpu_under_tensorflow():
            axis = -1 if self.data_format == "channels_last" else 1
            towers = zip(
                ops.split(inputs, self.groups, axis=axis),
                ops.split(kernel, self.groups, axis=-1),
                strict=True,
            )
            convolve = super().convolution_op
            return ops.concatenate([convolve(maps, weights) for maps, weights in towers], axis=axis)
        return super().convolution_op(inputs, kernel)

    def _covers_the_map(self, inputs):
        height_axis = 1 if self.data_format == "channels_last" else 2
        map_size = tuple(inputs.shape[height_axis : height_axis + 2])
        plain = self.padding == "valid" and self.groups == 1 and tuple(self.dilation_rate) == (1, 1)
        return plain and map_size == tuple(self.kernel_size)

    def _matrix_product(self, inputs, kernel):
        if self.data_format == "channels_first":
            kernel = ops.transpose(kernel, (2, 0, 1, 3))
            one_pixel = (-1, self.filters, 1, 1)
        else:
            one_pixel = (-1, 1, 1, self.filters)
        weights = ops.reshape(kernel, (-1, self.filters))
        rows = ops.reshape(inputs, (-1, weights.shape[0]))
        return ops.reshape(ops.matmul(rows, weights), one_pixel)


def on_a_cpu_under_tensorflow():
    """Whether the computation runs on a CPU under TensorFlow (a GPU's libraries have faster forms of their own)."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")
