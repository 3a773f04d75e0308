"""``--distil``: a network learns from labels and from what trained networks say of the same pictures.

Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", 2015.
"""

import pathlib

from keras_classics import files
from keras_classics.errors import InputError


def add_to(parser):
    """The argument ``--distil``."""
    parser.add_argument(
        "--distil",
        type=_paths,
        default=(),
        metavar="MODEL[,MODEL…]",
        help="learn from labels and from the mean of what these trained .keras models say of the distorted pictures; "
        "--set distil=SHARE and temperature=T change how much, and how softly; versions=N asks once, before training, "
        "about N distorted versions of each picture",
    )


def _paths(text):
    return tuple(pathlib.Path(part) for part in text.split(",") if part)


def check(recipe, paths):
    """Refuse a recipe that asks networks where none is given.

    Raises:
        InputError: it does.
    """
    if recipe.versions and not paths:
        raise InputError(
            f"the recipe asks trained networks about {recipe.versions} versions of each picture, and there is none; "
            "train.lenet takes them with --distil, and python -m train.teacher trains one."
        )


def details(args):
    """What the title of a run says of this."""
    return [f"distilled from {len(args.distil)} network{'s' * (len(args.distil) > 1)}"] if args.distil else []


def described(paths):
    """``[{"file": name, "sha256": of its content}, …]``, for the record of a run and to tell runs apart.

    Raises:
        InputError: a file cannot be read.
    """
    found = []
    for path in paths:
        try:
            path.stat()  # a digest is of what there is
            found.append({"file": str(path), "sha256": files.digest(path)})
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}.", settings=("distil",)) from error
    return found


def teacher(paths, *, shape, classes, preprocessing):
    """The networks in some files as one ``keras.Model`` that says their mean probabilities.

    Args:
        paths: of ``.keras`` files.
        shape: ``(height, width, channels)`` of the images that the learning network takes.
        classes: of the data.
        preprocessing: the learning network's ``Preprocessing``.

    Raises:
        InputError: a file holds no network that takes the same images and says the same classes.
    """
    from keras_classics import description, ensemble
    from keras_classics.weights import keras_files

    models = []
    for path in paths:
        try:
            model = keras_files.load_model(path)
            found = tuple(model.input_shape[1:]), model.output_shape[-1]
        except Exception as error:  # Keras raises whatever the broken part of a file leads to
            raise InputError(f"{path} cannot be read as a Keras model.", settings=("distil",)) from error
        known = description.of(model)
        if known is None or known.preprocessing != preprocessing or found != (tuple(shape), classes):
            raise InputError(
                f"{path} does not take the pictures of this run or say its {classes} classes.", settings=("distil",)
            )
        models.append(model)
    try:
        return ensemble(models)
    except ValueError as error:
        raise InputError(str(error), settings=("distil",)) from error
