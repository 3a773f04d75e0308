"""``.tflite`` files with one to three damaged bytes in their tables; ``python -m tests.hostile.tables FILE COUNT``.

The command gives each to ``Recognizer`` in this process, which must survive it, and prints what came of them.
"""

import collections
import pathlib
import random
import re
import resource
import sys
import time

import numpy as np
from ai_edge_litert import schema_py_generated as schema


def table_bytes(model):
    """Places in ``model`` (bytes) that are no weights: where the file says how it is built."""
    content, free = schema.Model.GetRootAs(model), np.ones(len(model), bool)
    first = np.frombuffer(model, np.uint8).ctypes.data
    for index in range(content.BuffersLength()):
        if content.Buffers(index).DataLength():
            data = content.Buffers(index).DataAsNumpy()
            free[data.ctypes.data - first :][: data.size] = False
    return np.flatnonzero(free).tolist()


def damaged(model, count, seed):
    """``count`` copies of ``model`` (bytes), each with one to three bytes of its tables changed."""
    chance, places = random.Random(seed), table_bytes(model)
    for _ in range(count):
        copy = bytearray(model)
        for _ in range(chance.randint(1, 3)):
            copy[chance.choice(places)] = chance.randrange(256)
        yield bytes(copy)


def answered(model):
    """What a file leads to: an answer, or the sentence that it is refused with.

    Raises:
        Exception: it got through to something that does not expect it.
    """
    from keras_classics.errors import InputError
    from keras_classics.recognition.recognizer import Recognizer

    field = np.zeros((28, 28), np.uint8)
    field[4:24, 13:16] = 255
    try:
        return repr(Recognizer(model).digit(field).label)
    except InputError as error:
        return str(error)


def main(path, count, seed="0"):
    model, found, slowest = pathlib.Path(path).read_bytes(), collections.Counter(), 0.0
    for number, copy in enumerate(damaged(model, int(count), int(seed))):
        began = time.monotonic()
        try:
            said = answered(copy)
        except Exception as error:
            said = f"TRACEBACK {type(error).__name__} of file {number}: {error}"
        slowest = max(slowest, time.monotonic() - began)
        said = "an answer" if len(said) == 3 else re.sub(r"-?\d+", "N", said.split("model: ")[0])[:100]
        found[said] += 1
    for said, times in found.most_common():
        print(f"{times:6,}  {said}")
    for who, of in (("this process", resource.RUSAGE_SELF), ("a child", resource.RUSAGE_CHILDREN)):
        print(f"most memory of {who}: {resource.getrusage(of).ru_maxrss / 1024:,.0f} MB; slowest file {slowest:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
