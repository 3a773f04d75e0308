"""``--explain``: how the answer to one picture came about, as a PNG."""

from export.prediction import recognition
from keras_classics import files
from keras_classics.errors import InputError


def write(settings, path, target):
    """Write the steps of one picture to ``target``.

    Raises:
        InputError: the picture cannot be read, or the network reads no digits.
    """
    recognizer = recognition.recognizer_of(settings)
    if not recognizer.reads_digits:
        raise InputError(f"{settings.model} takes pictures in colour; the steps of digits only are explained.")
    if path == "-":
        raise InputError("a picture from standard input cannot be explained; give its file.")
    from keras_classics.recognition.explain import explained

    image, name = recognition.picture_at(path)
    picture = explained(recognizer, image, name=name)
    with files.whole_file(target) as partial:
        picture.save(partial, "PNG")
