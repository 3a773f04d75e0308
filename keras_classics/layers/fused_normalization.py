"""Local response normalization as two compiled loops, forward and backward: for TensorFlow on a CPU.

TensorFlow's own operator spends its time in powers, and its gradient is seven times slower than this. XLA makes one
pass over memory of all the element-wise operations, which only have to be written down.
"""

import functools

import tensorflow as tf


@functools.cache  # one function for all layers of the same numbers, so that each shape is compiled once
def normalization(depth_radius, bias, alpha, beta, axis):
    """``x -> x / (bias + alpha * windowed sum of x²) ** beta`` along ``axis``, for float32 or float64 of any shape.

    With ``e`` the energy in brackets and ``W`` the windowed sum (its own transpose), the gradient with respect to
    ``x`` of ``sum(g * y)`` is ``g / e**beta - 2 * alpha * beta * x * W(g * y / e)``. Nothing but ``x`` is kept for it:
    computing ``e`` again takes less time than reading it.
    """

    def window(values):
        channels, margins = values.shape[axis], [[0, 0]] * values.shape.rank
        margins[axis] = [depth_radius, depth_radius]
        padded, before = tf.pad(values, margins), (slice(None),) * (axis % values.shape.rank)
        return sum(padded[(*before, slice(shift, shift + channels))] for shift in range(2 * depth_radius + 1))

    def energy_and_power(x):
        energy = bias + alpha * window(x * x)
        if beta != 0.75:
            return energy, energy**-beta
        root = tf.math.rsqrt(energy)
        return energy, root * tf.sqrt(root)

    @tf.function(jit_compile=True, autograph=False)
    def forward(x):
        return x * energy_and_power(x)[1]

    @tf.function(jit_compile=True, autograph=False)
    def backward(x, g):
        energy, power = energy_and_power(x)
        weighted = g * power
        return weighted - (2 * alpha * beta) * x * window(weighted * x / energy)

    @tf.custom_gradient
    def normalize(x):
        return forward(x), lambda g: backward(x, g)

    return normalize
