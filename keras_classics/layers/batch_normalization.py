"""Batch normalization (Ioffe and Szegedy, 2015) that goes over the maps in one operation each way when it trains.

Keras takes several, in float32 also where images are bfloat16. On two cores of a Xeon this form takes about a quarter
of the time, forward and backward (``python -m benchmarks.batch_norm``). Tests are as Keras does them, and so is
everything under other backends. Untested on GPUs.
"""

import keras

_AT_ONCE = ("float32", "bfloat16", "float16")


@keras.saving.register_keras_serializable(package="keras_classics")
class BatchNormalization(keras.layers.BatchNormalization):
    """``keras.layers.BatchNormalization``: same arguments, weights, shapes and values, up to rounding.

    Input ``(batch, height, width, maps)`` is normalized in the fast form; other shapes, axes and masks as in Keras.
    Output of the same shape and dtype. Weights, ``(maps,)`` each: ``gamma`` (with ``scale``), ``beta`` (with
    ``center``), ``moving_mean``, ``moving_variance``.

    Args:
        axis: of the maps; the fast form is of the last.
        momentum: share of the moving mean and variance that a training step leaves as it was, 0–1.
        epsilon: added to the variance.
        center: whether a learnt number a map is added.
        scale: whether a learnt number a map multiplies.

    Other arguments, and errors, are those of Keras.

    Source: algorithm 1 of Ioffe and Szegedy, 2015.
    """

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, **kwargs):
        super().__init__(axis=axis, momentum=momentum, epsilon=epsilon, center=center, scale=scale, **kwargs)

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable and mask is None and self._has_a_fast_form(inputs)):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        maps = inputs.shape[-1:]
        gamma = self.gamma.value if self.scale else tf.ones(maps)
        beta = self.beta.value if self.center else tf.zeros(maps)
        none = tf.zeros(0)
        done = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=gamma, offset=beta, mean=none, variance=none, epsilon=self.epsilon, is_training=True
        )
        # The operation divides the variance by n - 1, Keras by n.
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)
        for moving, found in (
            (self.moving_mean, done.batch_mean),
            (self.moving_variance, done.batch_variance * ((count - 1) / count)),
        ):
            moving.assign(moving.value * self.momentum + found * (1 - self.momentum))
        return done.y

    def _has_a_fast_form(self, inputs):
        if keras.backend.backend() != "tensorflow" or getattr(self, "renorm", False) or self.synchronized:
            return False
        own = all(weight.dtype == "float32" for weight in self.weights)
        return own and len(inputs.shape) == 4 and self.axis in (-1, 3) and inputs.dtype.name in _AT_ONCE
