"""Models and weights that nobody should trust: ``.tflite``, ``.keras``, ``.weights.h5`` and other libraries' files."""

import functools
import io
import itertools
import json
import pathlib
import struct
import tempfile
import zipfile

import h5py

from tests.hostile import tables
from tests.hostile.common import LENET, OTHERS, TEXT, flipped, generic, packaged, picture, written
from tests.hostile.worker import Case

# Found by ``tests.hostile.fuzz``: what lies across its tables leads out of the file.
_ACROSS = bytes.fromhex(
    "1c00000054464c334500000000880000160010000c000000090014000400000000269a090000003c000000940000b73d"
)


def models(folder, chance):
    good = packaged()
    image = written(folder, "3.png", picture("PNG")[0])
    bad = generic(good) | {
        "identifier alone": b"\x00\x00\x00\x00TFL3",
        "root far away": struct.pack("<I", 2**31) + good[4:],
        "root before it": struct.pack("<I", 2**32 - 4) + good[4:],
        "tables across": _ACROSS,
        "no tables": good[:8] + bytes(len(good) - 8),
    }
    commands = {
        "export.predict": lambda path: (path, image),
        "export.verify": lambda path: (path, "--dataset", "embedded", "--test-images", "10"),
        "export.c": lambda path: (path, "--out", "OUT"),
        "export.demo": lambda path: (path, "--out", "OUT/page.html"),
    }
    for what, content in bad.items():
        path = written(folder, f"{what}.tflite", content)
        for module, arguments in commands.items():
            yield Case(f"{module} .tflite {what}", module, arguments(path))
    for number, content in enumerate(tables.damaged(good, 24, chance.randrange(1000))):
        path = written(folder, f"damaged{number}.tflite", content)
        module = ("export.predict", "export.demo", "export.c")[number % 3]
        yield Case(f"{module} .tflite damaged {number}", module, commands[module](path), refused=False)


def keras_archive(change=None, weights=None):
    """The bytes of a ``.keras`` of LeNet-5, with its configuration (JSON) or its weights (bytes) changed."""
    content = dict(_keras_parts())
    if change:
        said = json.loads(content["config.json"])
        content["config.json"] = json.dumps(change(said) or said).encode()
    if weights is not None:
        content["model.weights.h5"] = weights
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in content.items():
            packed.writestr(name, data)
    return stream.getvalue()


@functools.cache
def _keras_parts():
    from keras_classics import LeNet5

    stream = io.BytesIO()

    with tempfile.TemporaryDirectory() as folder:
        LeNet5().save(f"{folder}/x.keras")
        stream.write(pathlib.Path(folder, "x.keras").read_bytes())
    with zipfile.ZipFile(stream) as packed:
        return tuple((name, packed.read(name)) for name in packed.namelist())


def _layer(said, **values):
    for layer in said["config"]["layers"]:
        layer.pop("build_config", None)
    next(layer["config"] for layer in said["config"]["layers"] if layer["config"].get("units") == 84).update(values)


def networks(folder, chance):
    good = keras_archive()
    lambda_layer = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"function": "x"},
        "registered_name": None,
    }
    bad = generic(good) | {
        "claims": keras_archive(lambda said: _layer(said, units=50_000_000)),
        "code": keras_archive(lambda said: lambda_layer),
        "code inside": keras_archive(lambda said: _layer(said, activation=lambda_layer)),
        "a list": keras_archive(lambda said: [1]),
        "no layers": keras_archive(lambda said: {"class_name": "Functional", "config": {"layers": []}}),
        "weights cut": keras_archive(weights=dict(_keras_parts())["model.weights.h5"][:9_000]),
        "weights of text": keras_archive(weights=TEXT),
        "outside": _with_file(good, "../../outside"),
    }
    image = written(folder, "3.png", picture("PNG")[0])
    commands = {
        "export.tflite": lambda path: ("lenet5", "--model", path, "--dataset", "embedded", "--out", "OUT"),
        "export.saved_model": lambda path: (path, "--dataset", "embedded", "--out", "OUT"),
        "export.predict": lambda path: (path, image),
        "train.lenet": lambda path: ("--weights", path, *LENET),
    }
    for what, content in bad.items():
        path = written(folder, f"{what}.keras", content)
        for module in itertools.islice(itertools.cycle(commands), len(what) % 4, len(what) % 4 + 2):
            yield Case(f"{module} .keras {what}", module, commands[module](path))
    for number in range(12):
        path = written(folder, f"flipped{number}.keras", flipped(good, chance))
        yield Case(f".keras flipped {number}", "export.predict", (path, image), refused=False)


def _with_file(archive, name):
    stream = io.BytesIO(archive)
    with zipfile.ZipFile(stream, "a") as packed:
        packed.writestr(name, b"x")
    return stream.getvalue()


def hdf5(change):
    """The bytes of a ``.weights.h5`` of LeNet-5 after ``change(open file)``."""
    stream = io.BytesIO(dict(_keras_parts())["model.weights.h5"])
    with h5py.File(stream, "r+") as content:
        change(content)
    return stream.getvalue()


def weights(folder, chance):
    good = dict(_keras_parts())["model.weights.h5"]
    bad = generic(good) | {
        "link": hdf5(lambda content: content.__setitem__("layers/x", h5py.ExternalLink("/etc/passwd", "/"))),
        "bomb": hdf5(lambda content: content.create_dataset("x", (2**20, 2**14), chunks=(64, 64))),
        "elsewhere": hdf5(lambda content: content.create_dataset("x", (9,), "u1", external=[("/etc/passwd", 0, 9)])),
        "circle": hdf5(lambda content: content.__setitem__("layers/x", content["layers"])),
        "no layers": hdf5(lambda content: content.__delitem__("layers")),
        "head": flipped(good[:96], chance, 40) + good[96:],
    }
    for what, content in bad.items():
        path = written(folder, f"{what}.weights.h5", content)
        yield Case(f".weights.h5 {what}", "train.lenet", ("--weights", path, *LENET))
    for suffix in (".pth", ".onnx", ".safetensors", ".h5", ".ckpt"):
        for what, content in (
            *OTHERS.items(),
            ("empty", b""),
            ("zip", _with_file(b"", "data.pkl")),
            ("pickle", _PICKLE),
        ):
            path = written(folder, f"{what}{suffix}", content)
            yield Case(f"{suffix} {what}", "train.lenet", ("--weights", path, *LENET))


_PICKLE = b"\x80\x04c" + b"posix\nsystem\n(S'touch /tmp/hostile-pickle-ran'\ntR."


MAKERS = (models, networks, weights)
