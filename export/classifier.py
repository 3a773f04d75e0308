"""A ``.tflite`` classifier in the LiteRT interpreter: raw pixels in, class probabilities out."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from keras_classics.errors import InputError
from keras_classics.runtime import quiet


class Classifier:
    """Runs ``model`` (bytes of a TFLite file), one image at a time.

    Args:
        model: the bytes.
        path: of the file, for messages.

    Raises:
        InputError: the interpreter refuses the model, or it does not take one uint8 image.
    """

    def __init__(self, model, path):
        try:
            with quiet():
                self._interpreter = Interpreter(model_content=model, num_threads=1)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InputError(f"LiteRT cannot run {path}: {str(error).splitlines()[0]}.") from error
        self.input = self._interpreter.get_input_details()[0]
        self.output = self._interpreter.get_output_details()[0]
        self.image_shape = tuple(int(side) for side in self.input["shape"][1:])
        if self.input["dtype"] is not np.uint8 or len(self.image_shape) != 3 or self.input["shape"][0] != 1:
            raise InputError(f"{path} does not take one image of uint8 pixels at a time.")

    def probabilities(self, images):
        """Class probabilities ``float32 (n, classes)`` of ``uint8 (n, height, width, channels)`` images, 0–255."""
        rows = []
        for image in images:
            self._interpreter.set_tensor(self.input["index"], image[None])
            self._interpreter.invoke()
            rows.append(self._interpreter.get_tensor(self.output["index"])[0])
        rows = np.array(rows)
        scale, zero_point = self.output["quantization"]
        return (rows.astype(np.float32) - zero_point) * np.float32(scale) if scale else rows
