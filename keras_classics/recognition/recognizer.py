"""A picture and a ``.tflite`` file → what the picture shows: one digit, a number, all numbers of a page, or a thing."""

import dataclasses
import importlib.resources
import math
import pathlib

import numpy as np

from keras_classics.datasets.decoding import middle_square
from keras_classics.errors import InputError
from keras_classics.names import THRESHOLD
from keras_classics.recognition import untrusted
from keras_classics.recognition.images import pixels_of

UNKNOWN = "?"  # the answer where nothing is probable enough
PACKAGED = "lenet5_photographs.tflite"  # in this package


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one digit, or one picture, shows."""

    label: str  # "?" if no class is probable enough
    probability: float  # of the most probable class, 0–1; 0 if there is no ink
    top: tuple  # (label, probability) of all classes, the most probable first; empty if there is no ink
    box: tuple | None  # (left, top, right, bottom) of its ink, pixels of the upright picture; None: the whole picture


@dataclasses.dataclass(frozen=True)
class Number:
    """What a line of digits says."""

    text: str  # one character a digit, "?" for those that are not probable enough; empty if there is no ink
    probability: float  # that all digits are right: the product of theirs
    digits: tuple  # of ``Answer``, left to right
    box: tuple | None


class Recognizer:
    """Recognises pictures with a ``.tflite`` classifier, without TensorFlow or Keras.

    Args:
        model: path or bytes of a ``.tflite`` file that ``python -m export.tflite`` wrote; None: a LeNet-5 that comes
            with the package, trained on MNIST's digits as photographs show them.
        threshold: answers less probable are "?". None: 0.3, which was chosen on training digits and on what is no digit
            (docs/recognition.md).
        threads: of the interpreter.

    Only a network that saw in training what is no digit answers "?" to letters: the packaged one, and those of
    ``python -m train.lenet --recipe photographs``. Any other, the packaged MNIST weights exported to a ``.tflite`` for
    one, is sure of a digit for nearly every letter.

    Methods take a picture as ``images.pixels_of`` does: a path, bytes, an open file, a Pillow image or an array.

    Raises:
        InputError: the model cannot be read, is damaged, or does not say what its classes are.
    """

    def __init__(self, model=None, *, threshold=None, threads=1):
        from keras_classics.recognition import classifier, description

        content, name = _content_of(model)
        labels = description.read(content, name)["labels"]
        self._set_up(classifier.Classifier(content, name, threads), labels, name, threshold)

    @classmethod
    def of(cls, classifier, labels, name, *, threshold=None):
        """A recognizer of anything with ``image_shape`` and ``probabilities(images)``, as ``Classifier`` has them."""
        made = cls.__new__(cls)
        made._set_up(classifier, labels, name, threshold)
        return made

    def _set_up(self, classifier, labels, name, threshold):
        self.threshold = THRESHOLD if threshold is None else threshold
        if not 0 <= self.threshold <= 1:
            raise InputError(f"the threshold is {threshold}; expected 0 to 1.")
        self.classifier, self.labels, self.name = classifier, tuple(labels), name
        if len(self.labels) != classifier.classes:
            raise InputError(f"{name} has {classifier.classes} outputs and {len(self.labels)} labels.")
        self.reads_digits = classifier.image_shape[2] == 1

    def digit(self, image, *, name=None):
        """The ``Answer`` to a picture of one digit."""
        return self.answer(self.field(image, name=name))

    def number(self, image, *, name=None):
        """The ``Number`` of a picture of one line of digits; of several lines, of the one with most ink."""
        numbers = self._read(image, name, all_lines=False)
        return numbers[0] if numbers else Number("", 0.0, (), None)

    def numbers(self, image, *, name=None):
        """A ``Number`` for each line of a page, top to bottom; lines without a probable digit are left out."""
        found = self._read(image, name, all_lines=True)
        return tuple(number for number in found if number.text.strip(UNKNOWN))

    def classify(self, image, *, name=None):
        """The ``Answer`` to a photograph, by a network that takes colours: of its middle square, scaled."""
        if self.reads_digits:
            raise InputError(f"{self.name} reads digits; classify takes a model for pictures in colour.")
        height, width, _ = self.classifier.image_shape
        if height != width:
            raise InputError(f"{self.name} takes pictures of {height}×{width} pixels; expected a square.")
        return self.answer((middle_square(pixels_of(image, name=name), height), None))

    def field(self, image, *, name=None):
        """``(field, box)`` of a picture of one digit: what the network takes of it, ``uint8 (32, 32, 1)``, and where it
        was found; None where there is no ink."""
        from keras_classics.recognition.reading import digit_field

        self._check_reads_digits()
        found = digit_field(pixels_of(image, name=name))
        return None if found is None else (self._fitted(found[0]), found[1])

    def answer(self, found):
        """The ``Answer`` to ``(pixels, box)``, the pixels as the network takes them; None: there is no ink."""
        if found is None:
            return Answer(UNKNOWN, 0.0, (), None)
        pixels, box = found
        return self._answer(self.classifier.probabilities(pixels[None])[0], box)

    def _answer(self, probabilities, box):
        order = np.argsort(-probabilities, kind="stable")
        top = tuple((self.labels[index], float(probabilities[index])) for index in order)
        label, probability = top[0]
        return Answer(label if probability >= self.threshold else UNKNOWN, probability, top, box)

    def _read(self, image, name, *, all_lines):
        from keras_classics.recognition import reading

        self._check_reads_digits()
        lines = reading.lines_in(pixels_of(image, name=name), self._of_fields, all_lines=all_lines)
        return [self._number(line) for line in lines]

    def _of_fields(self, fields):
        return self.classifier.probabilities(np.stack([self._fitted(field) for field in fields]))

    def _number(self, line):
        digits = tuple(self._answer(probabilities, box) for probabilities, box in line)
        sides = list(zip(*(digit.box for digit in digits), strict=True))
        box = (min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3]))
        text = "".join(digit.label for digit in digits)
        return Number(text, math.prod(digit.probability for digit in digits), digits, box)

    def _fitted(self, field):
        """A field in the size the network takes, ``uint8 (side, side, 1)``: LeNet-5's 32, or MNIST's own 28."""
        margin = (field.shape[0] - self.classifier.image_shape[0]) // 2
        return field[margin : field.shape[0] - margin, margin : field.shape[1] - margin, None]

    def _check_reads_digits(self):
        if self.classifier.image_shape not in ((32, 32, 1), (28, 28, 1)):
            shape = " × ".join(map(str, self.classifier.image_shape))
            raise InputError(
                f"{self.name} takes images of {shape}; digits are read by a network that takes 32 × 32 × 1."
            )


def _content_of(model):
    """``(bytes, name)`` of a model; what is not from this package is checked (``untrusted``)."""
    if model is None:
        return importlib.resources.files(__package__).joinpath(PACKAGED).read_bytes(), PACKAGED
    if isinstance(model, (bytes, bytearray)):
        content = bytes(model)
        untrusted.check(content, "the model")
        return content, "the model"
    return untrusted.read(model), str(pathlib.Path(model))
