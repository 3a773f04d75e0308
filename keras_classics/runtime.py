"""How the commands start TensorFlow: settings it reads only once, and a clean screen; and what is installed."""

import contextlib
import importlib.metadata
import logging
import os
import platform
import tempfile


def versions(libraries):
    """Of Python and of those of ``libraries`` (distribution names) that are installed: ``{name: version}``."""
    found = {"python": platform.python_version()}
    for library in libraries:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[library] = importlib.metadata.version(library)
    return found


def start_tensorflow():
    """Import TensorFlow with the settings that suit these networks, and return it.

    oneDNN is switched on (TensorFlow leaves it off on some processors, where it still trains LeNet-5 about 1.4 times
    as fast), unless ``TF_ENABLE_ONEDNN_OPTS`` says otherwise. TensorFlow's start-up chatter about absent GPUs is held
    back, and shown only if the import fails; set ``TF_CPP_MIN_LOG_LEVEL=0`` to see it.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ["KERAS_BACKEND"] = "tensorflow"  # the engine and the exporter are TensorFlow's, whatever Keras prefers
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2") == "0":
        import tensorflow as tf

        return tf
    logging.getLogger("absl").setLevel(logging.ERROR)
    with quiet():
        import tensorflow as tf

        tf.config.list_physical_devices()  # looking for GPUs is what it complains about
    return tf


@contextlib.contextmanager
def quiet():
    """Hold back what C++ code writes to file descriptor 2 in this block; pass it on only if the block fails."""
    with _file_in_memory() as held:
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _file_in_memory():
    """A file that needs no disk, which may be full."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("held"), "w+b")
    return tempfile.TemporaryFile()
