"""Scales as integers, as LiteRT's kernels prepare them: a multiplier of 31 bits and a shift."""

import dataclasses

import numpy as np

from keras_classics.errors import InputError


@dataclasses.dataclass(frozen=True)
class Softmax:
    """What the fixed-point softmax needs: ``multiplier``, ``left`` shift, and the ``least`` difference that counts."""

    multiplier: int
    left: int
    least: int


def softmax(scale, beta=1.0):
    """The ``Softmax`` of logits of a scale, in Q5.26: LiteRT's PreprocessSoftmaxScaling and CalculateInputRadius.

    Raises:
        InputError: the scale is too small.
    """
    multiplier, left = quantized(min(beta * scale * 2**26, 2.0**31 - 1))
    if left < 0:
        raise InputError("the logits are of so small a scale that their softmax has no C.")
    return Softmax(multiplier, left, -int(31 * 2**26 // 2**left))


def quantized(factor):
    """A factor as ``(multiplier, shift)``: ``multiplier / 2**31 * 2**shift``, as LiteRT's QuantizeMultiplier has it."""
    fraction, shift = np.frexp(factor)
    multiplier = rounded(float(fraction) * 2.0**31)
    if multiplier == 2**31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, int(shift))


def rounded(number):
    """To the nearest; halves away from zero."""
    return int(np.floor(abs(number) + 0.5) * np.sign(number))


def multipliers(in_scale, scales, out_scale):
    """Factors from sums to outputs, ``((multiplier, shift), …)``: one a scale of the weights.

    Args:
        in_scale, out_scale: ``np.float32``, of input and output.
        scales: ``np.float32 (n,)``, of the weights.
    """
    return tuple(quantized(float(in_scale) * float(scale) / float(out_scale)) for scale in scales)
