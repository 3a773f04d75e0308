"""How the commands start TensorFlow and Keras: the same for every user, and with a clean screen."""

import contextlib
import importlib.metadata
import logging
import os
import platform
import sys
import tempfile

from keras_classics.errors import InputError


def versions(libraries):
    """Of Python and of those of ``libraries`` (distribution names) that are installed: ``{name: version}``."""
    found = {"python": platform.python_version()}
    for library in libraries:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[library] = importlib.metadata.version(library)
    return found


def cores():
    """Processor cores that this process may run on: all, or fewer in a container, a batch job or under ``taskset``."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory():
    """Bytes of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def start_tensorflow():
    """Import TensorFlow and Keras with settings that suit these networks, whatever the user's, and return TensorFlow.

    oneDNN is switched on (TensorFlow leaves it off on some processors, where it still trains LeNet-5 about 1.4 times
    as fast), unless ``TF_ENABLE_ONEDNN_OPTS`` says otherwise. TensorFlow's start-up chatter about absent GPUs is held
    back, and shown only if the import fails; set ``TF_CPP_MIN_LOG_LEVEL=0`` to see it.

    Keras has the backend TensorFlow, channels last, float32 and no limit on epochs, whatever ``~/.keras/keras.json``
    and the environment say: the engine and the exporter are written for these. It is imported as if pandas,
    scikit-learn and Matplotlib were not installed, as no command hands it their objects.

    Raises:
        InputError: the working directory has been removed; libraries that are imported ask where it is.
    """
    try:
        os.getcwd()  # noqa: PTH109
    except FileNotFoundError as error:
        raise InputError("the working directory is gone; change to another and repeat the command.") from error
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    for name in ("TF_USE_LEGACY_KERAS", "KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED"):
        os.environ.pop(name, None)
    chatter = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2") == "0"
    if not chatter:
        logging.getLogger("absl").setLevel(logging.ERROR)
    with contextlib.nullcontext() if chatter else quiet(), keras_defaults():
        import keras
        import tensorflow as tf

        tf.config.list_physical_devices()  # looking for GPUs is what it complains about
    # Where Keras was imported before.
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_dtype_policy("float32")
    return tf


@contextlib.contextmanager
def keras_defaults():
    """In this block Keras (or ``tf_keras``) is imported as if there were no ``keras.json``; none is written either.

    Packages that it would import for what no command uses, in a third of its time, count as not installed.
    """
    theirs = os.environ.get("KERAS_HOME")
    os.environ["KERAS_HOME"] = os.devnull  # in which there can be no file
    hidden = [name for name in ("pandas", "sklearn", "matplotlib") if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # as for a module that is not there
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)
        del os.environ["KERAS_HOME"]
        if theirs is not None:
            os.environ["KERAS_HOME"] = theirs


@contextlib.contextmanager
def quiet():
    """Hold back what C++ code writes to file descriptor 2 in this block; pass it on only if the block fails."""
    with _file_in_memory() as held:
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _file_in_memory():
    """A file that needs no disk, which may be full."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("held"), "w+b")
    return tempfile.TemporaryFile()
