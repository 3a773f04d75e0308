"""Arguments of the public functions: numbers of any library are taken if they are exactly what is needed.

``np.int64(7)``, ``7.0`` and an array of no dimensions that holds 7 are the whole number 7. A truth value, a text, 7.5
or NaN is none. What comes back is Python's own number, which a saved configuration can hold.
"""

import math
import operator

import numpy as np


def whole_number(name, value, low=0, high=2**31 - 1):
    """``value`` as an ``int`` from ``low`` to ``high``.

    Args:
        name: of the argument, for the message.
        value: any number.
        low, high: the smallest and the largest that is allowed.

    Raises:
        ValueError: it is no whole number, or out of range.
    """
    number = _number(value)
    if number is None or not low <= number <= high or number != int(number):
        limits = f"{low} or more" if high >= 2**31 - 1 else f"from {low} to {high}"
        raise ValueError(f"{name} is {value!r}; expected a whole number, {limits}.")
    return int(number)


def whole_numbers(name, value, count, low=0):
    """``value``, one whole number or ``count`` of them, as an ``int`` or a tuple of them.

    Raises:
        ValueError: as ``whole_number``, or there are more or fewer.
    """
    if isinstance(value, (tuple, list, np.ndarray)) and np.ndim(value) == 1:
        if len(value) != count:
            raise ValueError(f"{name} is {value!r}; expected one whole number or {count}.")
        return tuple(whole_number(name, each, low) for each in value)
    return whole_number(name, value, low)


def real_number(name, value, *, above=None, low=None):
    """``value`` as a finite ``float``, larger than ``above`` or not smaller than ``low``.

    Raises:
        ValueError: it is no such number.
    """
    number = _number(value, float)
    too_small = number is not None and ((above is not None and number <= above) or (low is not None and number < low))
    if number is None or not math.isfinite(number) or too_small:
        limits = f" above {above:g}" if above is not None else f", {low:g} or more" if low is not None else ""
        raise ValueError(f"{name} is {value!r}; expected a number{limits}.")
    return number


def real_numbers(name, values):
    """Finite numbers, in any sequence, as a tuple of ``float``.

    Raises:
        ValueError: it is no sequence, or one of them is no such number.
    """
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__") or np.ndim(values) != 1:
        raise ValueError(f"{name} is {values!r}; expected a sequence of numbers.")
    return tuple(real_number(name, value) for value in values)


def truth(name, value):
    """``value``, True or False of any library, as a ``bool``.

    Raises:
        ValueError: it is something else, such as a text or None.
    """
    if isinstance(value, (bool, np.bool_)) or (_number(value) in (0, 1)):
        return bool(value)
    raise ValueError(f"{name} is {value!r}; expected True or False.")


def data_format(value):
    """``value`` as Keras has it: "channels_last" or "channels_first"; None takes what Keras is configured for.

    Raises:
        ValueError: it is something else.
    """
    if value is None:
        import keras

        return keras.config.image_data_format()
    if not isinstance(value, str) or value not in ("channels_last", "channels_first"):
        raise ValueError(f"data_format is {value!r}; expected channels_last or channels_first.")
    return str(value)


def _number(value, *kinds):
    """A number of any library as an ``int`` or ``float``; None for what is none, for truth values and for arrays."""
    if isinstance(value, (str, bytes, bool, np.bool_)) or np.ndim(value) != 0:
        return None
    if getattr(value, "dtype", None) in (bool, np.bool_):
        return None
    for convert in kinds or (operator.index, float):
        try:
            return convert(value)
        except (TypeError, ValueError, OverflowError):  # no number, or none that is known yet, in a graph
            continue
    return None
