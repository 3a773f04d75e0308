"""A ``.tflite`` classifier in the LiteRT interpreter: raw pixels in, class probabilities out."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from keras_classics.errors import InputError
from keras_classics.runtime import quiet

INT8_OFFSET = 128  # int8 pixels are uint8 pixels less this


def as_input(images, dtype):
    """``uint8`` pixels as an exported model takes them: as they are, less 128 ("int8"), or as floats 0–255."""
    return (images.astype(np.int16) - INT8_OFFSET).astype(np.int8) if dtype == "int8" else images.astype(dtype)


class Classifier:
    """Runs ``model`` (bytes of a TFLite file), one image at a time.

    Args:
        model: the bytes.
        path: of the file, for messages.
        threads: of the interpreter.

    Files from outside come through ``untrusted`` first: the interpreter itself can be brought down by them.

    Raises:
        InputError: the interpreter refuses the model, or it does not take one image of uint8, int8 or float32 pixels.
    """

    def __init__(self, model, path, threads=1):
        self._path = path
        try:
            with quiet():
                self._interpreter = Interpreter(model_content=model, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InputError(f"LiteRT cannot run {path}: {str(error).splitlines()[0]}.") from error
        self.input, *more = self._interpreter.get_input_details()
        self.outputs = self._interpreter.get_output_details()
        self.output = self.outputs[0]
        self.dtype = np.dtype(self.input["dtype"]).name
        self.image_shape = tuple(int(side) for side in self.input["shape"][1:])
        takes_an_image = len(self.image_shape) == 3 and self.input["shape"][0] == 1 and not more
        if self.dtype not in ("uint8", "int8", "float32") or not takes_an_image:
            raise InputError(f"{path} does not take one image of uint8, int8 or float32 pixels at a time.")
        if len(self.output["shape"]) != 2 or self.output["shape"][0] != 1 or not self.output["shape"][1]:
            raise InputError(f"{path} does not give one number for each class.")
        self.classes = int(self.output["shape"][-1])

    def probabilities(self, images):
        """Class probabilities ``float32 (n, classes)`` of ``uint8 (n, height, width, channels)`` images, 0–255."""
        rows = []
        for image in images:
            self.run(as_input(image[None], self.dtype))
            rows.append(self._interpreter.get_tensor(self.output["index"])[0])
        found = _real(np.array(rows), self.output)
        if not np.isfinite(found).all():
            raise InputError(f"{self._path} answers with values that are no numbers; its weights are damaged.")
        return found

    def run(self, pixels):
        """Compute the outputs of ``pixels (1, height, width, channels)``, of the type that the model takes."""
        self._interpreter.set_tensor(self.input["index"], pixels)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self.output["index"])

    def delegate_partitions(self):
        """How many runs of operators a delegate (XNNPACK) has taken over; None where LiteRT does not say."""
        details = getattr(self._interpreter, "_get_ops_details", None)
        return details and sum("delegate" in operator["op_name"].lower() for operator in details())


def _real(values, details):
    scale, zero_point = details["quantization"]
    return (values.astype(np.float32) - zero_point) * np.float32(scale) if scale else values
