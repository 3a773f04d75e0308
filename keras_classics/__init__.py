"""LeNet-5 (LeCun et al., 1998) and AlexNet (Krizhevsky et al., 2012) for Keras.

``keras_classics.LeNet5()`` and ``keras_classics.AlexNet()`` build Keras functional models with the signature of
``keras.applications``; ``keras_classics.layers`` holds the layers they need that Keras does not have, and
``keras_classics.optimizers`` the update rule of AlexNet's paper.
``keras_classics.Recognizer()`` says what a picture shows, and needs neither Keras nor TensorFlow.

Importing this package imports neither Keras nor TensorFlow: the names below are loaded when first used, and layers and
optimizers are registered for ``keras.models.load_model`` as soon as Keras itself is imported.
"""

import contextlib
import importlib

__version__ = "0.1.0"
__all__ = [
    "AlexNet",
    "LeNet5",
    "Recognizer",
    "alexnet",
    "connections",
    "datasets",
    "ensemble",
    "layers",
    "lenet",
    "list_weights",
    "optimizers",
]

_HOME = {
    "AlexNet": "alexnet",
    "LeNet5": "lenet",
    "Recognizer": "recognition.recognizer",
    "connections": "connectivity",
    "ensemble": "averaging",
    "list_weights": "weights",
}


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module 'keras_classics' has no attribute {name!r}; it has {', '.join(__all__)}")
    module = importlib.import_module(f"keras_classics.{_HOME.get(name, name)}")
    return getattr(module, name) if name in _HOME else module


def __dir__():
    return sorted([*globals(), *__all__])


def _register(_keras):
    """Make saved models load without ``custom_objects``, whichever of the two packages is imported first."""
    for name in ("layers", "optimizers"):
        importlib.import_module(f"keras_classics.{name}")


with contextlib.suppress(ImportError):  # wrapt comes with Keras; a Recognizer needs neither
    import wrapt

    wrapt.when_imported("keras")(_register)
