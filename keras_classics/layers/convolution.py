"""A 2D convolution with the weights and the result of Keras' own, computed in the form that is fastest here.

Two cases matter for these networks (Keras' own computation serves everywhere else):

- a kernel that covers its whole input map (C5 of LeNet-5, 5×5 on 5×5) is one matrix product;
- a grouped convolution (the two towers of AlexNet, section 3.5 of Krizhevsky et al. 2012) is one convolution a group
  on a CPU, where TensorFlow's gradient of the grouped form takes several times as long.

Batches without images are computed here too (``for_any_batch``).
"""

import json

import keras
from keras import ops

from keras_classics import checks


@keras.saving.register_keras_serializable(package="keras_classics")
class Conv2D(keras.layers.Conv2D):
    """``keras.layers.Conv2D``: same arguments, weights, shapes and values, up to float rounding.

    Input ``(batch, height, width, channels)``, or ``(batch, channels, height, width)`` with
    ``data_format="channels_first"``; any float dtype. Output ``(batch, rows, columns, filters)``, or channels first.
    Weights: ``kernel (height, width, channels / groups, filters)`` and ``bias (filters,)``.

    Args:
        filters: maps of the output, from 1 up; a multiple of ``groups``.
        kernel_size: pixels, one number or (height, width).
        strides: pixels, one number or two.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None: as Keras is configured.
        dilation_rate: pixels, one number or two.
        groups: towers of maps that do not see each other, from 1 up.
        activation: any Keras activation; None is linear.
        description: what the network whose first convolution this is says about itself
            (``keras_classics.description``): a dict of JSON values, saved with the layer's configuration, or None.

    Raises:
        ValueError: an argument is out of range, or one that Keras refuses.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format=None,
        dilation_rate=(1, 1),
        groups=1,
        activation=None,
        *,
        description=None,
        **kwargs,
    ):
        super().__init__(
            checks.whole_number("filters", filters, 1),
            checks.whole_numbers("kernel_size", kernel_size, 2, 1),
            strides=checks.whole_numbers("strides", strides, 2, 1),
            padding=padding,
            data_format=data_format,
            dilation_rate=checks.whole_numbers("dilation_rate", dilation_rate, 2, 1),
            groups=checks.whole_number("groups", groups, 1),
            activation=activation,
            **kwargs,
        )
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
        height_axis = 1 if self.data_format == "channels_last" else 2
        if covers_its_map(self, inputs.shape[height_axis : height_axis + 2]):
            return self._matrix_product(inputs, kernel)
        return for_any_batch(lambda images: self._convolved(images, kernel), inputs)

    def _convolved(self, inputs, kernel):
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

    def _matrix_product(self, inputs, kernel):
        if self.data_format == "channels_first":
            kernel = ops.transpose(kernel, (2, 0, 1, 3))
            one_pixel = (-1, self.filters, 1, 1)
        else:
            one_pixel = (-1, 1, 1, self.filters)
        weights = ops.reshape(kernel, (-1, self.filters))
        rows = ops.reshape(inputs, (-1, weights.shape[0]))
        return ops.reshape(ops.matmul(rows, weights), one_pixel)


def covers_its_map(layer, map_size):
    """Whether a ``keras.layers.Conv2D`` is a matrix product: its kernel as large as a map of ``(height, width)``."""
    plain = layer.padding == "valid" and layer.groups == 1 and tuple(layer.dilation_rate) == (1, 1)
    return plain and tuple(map_size) == tuple(layer.kernel_size)


@keras.saving.register_keras_serializable(package="keras_classics")
class MaxPooling2D(keras.layers.MaxPooling2D):
    """``keras.layers.MaxPooling2D``, for batches without images too (``for_any_batch``).

    Input ``(batch, height, width, maps)`` of any float dtype, or channels first; output of the same kind.

    Args:
        pool_size: of the window in pixels, one number or (height, width).
        strides: pixels, one number or two; None: as ``pool_size``.

    Other arguments are those of Keras.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(self, pool_size=(2, 2), strides=None, **kwargs):
        pool_size = checks.whole_numbers("pool_size", pool_size, 2, 1)
        strides = pool_size if strides is None else checks.whole_numbers("strides", strides, 2, 1)
        super().__init__(pool_size, strides, **kwargs)

    def call(self, inputs):
        return for_any_batch(super().call, inputs)


def for_any_batch(compute, inputs):
    """``compute(inputs)``, where ``inputs`` may hold no image, as some devices get of a last, small batch.

    Of such a batch oneDNN's convolution has the wrong shape, and its gradient of maximum pooling ends the process. One
    black image then stands in, and its result is left out. A graph for one device alone is left as it is.
    """
    if not on_a_cpu_under_tensorflow() or isinstance(inputs, keras.KerasTensor):
        return compute(inputs)
    import tensorflow as tf

    images = inputs.shape[0]
    if images or (images is None and tf.distribute.get_strategy().num_replicas_in_sync == 1):
        return compute(inputs)
    count = tf.shape(inputs)[0]
    padding = [[0, tf.cast(count == 0, tf.int32)], *([0, 0] for _ in inputs.shape[1:])]
    filled = tf.ensure_shape(tf.pad(inputs, padding), (None, *inputs.shape[1:]))
    return compute(filled)[:count]


def on_a_cpu_under_tensorflow():
    """Whether the computation runs on a CPU under TensorFlow (a GPU's libraries have faster forms of their own)."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")
