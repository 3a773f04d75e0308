"""Child process of ``interpreter``: a model in the interpreter of TensorFlow Lite for Microcontrollers.

``python -m export.microcontroller.runner MODEL PIXELS.npy RESULT.npz`` writes the outputs for the images and the
smallest arena the interpreter works with; the interpreter's own allocation report goes to stderr. A process of
its own, because ``tflite_micro`` and TensorFlow define the same symbols.
"""

import argparse
import pathlib
import sys

import numpy as np

_LARGEST = 1 << 30  # bytes of arena; no microcontroller has as much
_STEP = 16  # bytes; the alignment of every allocation in the arena


def main(model_path, images_path, result_path):
    from tflite_micro.python.tflite_micro.runtime import Interpreter

    model, images = pathlib.Path(model_path).read_bytes(), np.load(images_path)

    def start(arena):
        interpreter = Interpreter.from_bytes(model, arena_size=arena)
        interpreter.set_input(images[:1], 0)
        interpreter.invoke()
        return interpreter

    def works(arena):
        try:
            start(arena)
        except RuntimeError:
            return False
        return True

    enough = len(model) + (1 << 16)
    while not works(enough):
        enough *= 4
        if enough > _LARGEST:
            start(_LARGEST)  # says on stderr what it does not know
    too_small = 0
    while enough - too_small > _STEP:
        middle = (enough + too_small) // (2 * _STEP) * _STEP
        enough, too_small = (middle, too_small) if works(middle) else (enough, middle)
    print("smallest arena", enough, file=sys.stderr, flush=True)  # what follows is of the run that counts
    interpreter = start(enough)
    outputs = []
    for image in images:
        interpreter.set_input(image[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0].copy())
    interpreter.print_allocations()
    np.savez(result_path, outputs=np.array(outputs), arena=enough)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m export.microcontroller.runner",
        description="A model in the microcontrollers' interpreter.",
    )
    for name in ("MODEL", "PIXELS", "RESULT"):
        parser.add_argument(name)
    main(*vars(parser.parse_args()).values())
