"""``python -m tests.hostile.onnx_files FILE COUNT [SEED]``: damaged copies of an ONNX file, given to ONNX Runtime.

Each of them has one to three bytes changed, in three of four files outside of the weights, and is run in a process of
its own, as ``export.verify`` does with a file; what came of them is printed.
"""

import collections
import os
import pathlib
import random
import resource
import signal
import sys
import tempfile

import numpy as np


def table_bytes(model):
    """Places in ``model`` (bytes) that are no weights."""
    import onnx

    free = np.ones(len(model), bool)
    for tensor in onnx.ModelProto.FromString(model).graph.initializer:
        if len(tensor.raw_data) > 64:
            start = model.index(tensor.raw_data)
            free[start : start + len(tensor.raw_data)] = False
    return np.flatnonzero(free).tolist()


def damaged(model, count, seed):
    """``count`` copies of ``model`` (bytes), each with one to three bytes changed."""
    chance, places = random.Random(seed), table_bytes(model)
    for number in range(count):
        copy = bytearray(model)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(model)) if number % 4 == 3 else chance.choice(places)
            copy[place] = chance.randrange(256)
        yield bytes(copy)


def outcome(path):
    """What a process ends with that is given the file: "an answer", "refused", or the name of a signal."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.alarm(60)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            from export import onnx

            onnx.describe(path)
            onnx.run(path, np.zeros((2, 32, 32, 1), np.uint8))
            os._exit(0)
        except BaseException as error:
            os._exit(3 if isinstance(error, Exception) else 4)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {0: "an answer", 3: "refused"}.get(code) or (signal.Signals(-code).name if code < 0 else f"code {code}")


def main(path, count, seed="0"):
    model, found = pathlib.Path(path).read_bytes(), collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "model.onnx")
        for number, copy in enumerate(damaged(model, int(count), int(seed))):
            file.write_bytes(copy)
            came = outcome(file)
            found[came] += 1
            if came.startswith("SIG"):
                print(f"file {number}: {came}", flush=True)
    for came, times in found.most_common():
        print(f"{times:6,}  {came}")


if __name__ == "__main__":
    main(*sys.argv[1:])
