"""Keras' files from outside: read only where they claim no more than they hold, and lead nowhere but into themselves.

A ``.keras`` is a zip of a configuration and an HDF5 file of weights; a ``.weights.h5`` is the latter. Keras builds what
the configuration asks for, and HDF5 follows links to other files, before either asks whether that makes sense.
"""

import concurrent.futures
import io
import json
import pathlib
import zipfile

import h5py
import keras

LARGEST = 2**31  # bytes that a file may unpack to
_LARGEST_CONFIGURATION = 2**24  # bytes; AlexNet's has 20,000
_UNSTORED = 2**28  # bytes that may be claimed and not be there: small weights need no proof
_DEEPEST = 16  # groups in one another; Keras' have 4
_CONFIGURATION, _WEIGHTS = "config.json", "model.weights.h5"


def load_model(path):
    """The model in the ``.keras`` file at ``path``, not compiled.

    Raises:
        Exception: Keras raises whatever a broken part of a file leads to; ``ValueError`` as ``check``.
    """
    check(path)
    return keras.models.load_model(path, compile=False, safe_mode=True)  # code in it is refused


def check(path):
    """Refuse a ``.keras`` or ``.weights.h5`` file that is not safe to be given to Keras.

    Raises:
        ValueError: it is neither, damaged, unpacks to more than ``LARGEST`` bytes, claims weights that it does not
            hold, holds code, or leads to other files.
    """
    path = pathlib.Path(path)
    if not path.is_file():  # a pipe would be waited for
        raise ValueError("it is not a file")
    if path.name.endswith(".h5"):
        with h5py.File(path) as content:
            _check_hdf5(content, path.stat().st_size)
        return
    with zipfile.ZipFile(path) as packed:
        _check_sizes(packed)
        configuration = _configuration(packed)
        total = sum(entry.file_size for entry in packed.infolist())
        weights = io.BytesIO(packed.read(_WEIGHTS) if _WEIGHTS in packed.namelist() else b"")
    if weights.getbuffer():
        with h5py.File(weights) as content:
            _check_hdf5(content, total)
    if isinstance(configuration, dict):
        configuration.pop("compile_config", None)  # an optimizer makes variables, which this scope does not let it
    objects = {name: keras.saving.get_registered_object(name) for name in _names(configuration)}
    # Keras fills the variables made in such a scope later, when any other scope ends, but only those of its own thread.
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        _check_claim(thread.submit(_claimed, configuration, objects).result(), total)


def _claimed(configuration, objects):
    """The bytes of the weights that a configuration asks for, by their shapes alone."""
    with keras.StatelessScope(initialize_variables=False):
        model = keras.saving.deserialize_keras_object(configuration, custom_objects=objects, safe_mode=True)
        return sum(4 * _product(variable.shape) for variable in getattr(model, "variables", ()))


def _names(configuration):
    """The names by which a configuration asks for objects that are not Keras' own."""
    values = [configuration]
    for value in values:  # which grows meanwhile
        if isinstance(value, dict | list):
            values.extend(value.values() if isinstance(value, dict) else value)
        if isinstance(value, dict) and isinstance(value.get("registered_name"), str):
            yield value["registered_name"]


def configuration_of(path):
    """What the ``.keras`` file at ``path`` says of how the model is built, as JSON has it.

    Raises:
        OSError, ValueError, KeyError, zipfile.BadZipFile: it is no such file.
    """
    with zipfile.ZipFile(path) as packed:  # weights are hundreds of megabytes: they are left alone
        return _configuration(packed)


def _configuration(packed):
    if packed.getinfo(_CONFIGURATION).file_size > _LARGEST_CONFIGURATION:
        raise ValueError(f"its {_CONFIGURATION} has more than {_LARGEST_CONFIGURATION:,} bytes")
    try:
        return json.loads(packed.read(_CONFIGURATION))
    except RecursionError as error:
        raise ValueError(f"its {_CONFIGURATION} is nested without end") from error


def _check_sizes(packed):
    total = sum(entry.file_size for entry in packed.infolist())
    if total > LARGEST:
        raise ValueError(f"it unpacks to {total:,} bytes; expected {LARGEST:,} at most")
    for name in packed.namelist():
        if name.startswith(("/", "\\")) or ".." in pathlib.PurePosixPath(name.replace("\\", "/")).parts:
            raise ValueError(f"it holds a file {name!r}, which would lie outside of it")


def _check_hdf5(content, stored):
    """Refuse links, data in other files, and arrays larger than what is ``stored`` (bytes)."""
    groups, seen, claimed = [(content, 0)], set(), 0
    while groups:
        group, depth = groups.pop()
        address = h5py.h5o.get_info(group.id).addr
        if depth > _DEEPEST or address in seen:
            raise ValueError("its groups are nested without end")
        seen.add(address)
        for name in group:
            kind = group.get(name, getlink=True, getclass=True)
            if kind is not h5py.HardLink:
                raise ValueError(f"it holds a link, {name!r} ({kind.__name__}), which may lead to other files")
            entry = group[name]
            if isinstance(entry, h5py.Group):
                groups.append((entry, depth + 1))
            elif isinstance(entry, h5py.Dataset):
                if entry.external or entry.is_virtual:
                    raise ValueError(f"the values of {name!r} lie in another file")
                claimed += _product(entry.shape or ()) * entry.dtype.itemsize
                _check_claim(claimed, stored)


def _check_claim(claimed, stored):
    if claimed > max(stored, _UNSTORED):
        raise ValueError(f"it claims weights of {claimed:,} bytes and holds {stored:,}")


def _product(shape):
    product = 1
    for side in shape:  # Python's numbers: they do not run over
        product *= int(side)
    return product
