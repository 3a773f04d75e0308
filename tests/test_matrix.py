"""Recipes × kinds of dataset, trained for a few steps, exported, verified again and used, by the commands.

LeNet-5's recipes leave the same layers with other weights: each variant, of each kind of data, goes through each form
once, after one recipe or another. AlexNet's recipes leave other layers: each goes through each form once, of one kind
of data or another. So every two of recipe, kind and form meet.

The commands run in this process, an export with no more arguments than the README shows, in a folder where there is
nothing but the ``.keras`` file. The networks are LeNet-5 and an AlexNet of fewer, smaller maps; the data are squares,
characters and colours that few steps teach, so that the gate has something to judge.
"""

import contextlib
import dataclasses
import functools
import importlib
import itertools
import json
import os
import pathlib
import struct
from unittest import mock

import matplotlib.figure
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from export.gate import metrics
from keras_classics import alexnet, datasets
from keras_classics.datasets import catalog
from tests import in_process

LENET, KINDS = ("default", "best", "1998"), ("named", "embedded", "idx", "folder", "tuned")
ALEXNET_KINDS = ("named", "folder", "tuned")
ALEXNET = ("paper", "modern", "cifar10", "cifar10_batchnorm", "cifar10_convolutional")
FORMS = ("int8", "float32", "saved_model", "onnx")
LENET_CELLS = [
    (("lenet", LENET[(place + turn) % len(LENET)], variant, kind), form)
    for variant in ("modern", "1998")
    for (place, kind), (turn, form) in itertools.product(enumerate(KINDS), enumerate(FORMS))
]
ALEXNET_CELLS = [
    (("alexnet", recipe, None, ALEXNET_KINDS[(place + turn) % len(ALEXNET_KINDS)]), form)
    for (place, recipe), (turn, form) in itertools.product(enumerate(ALEXNET), enumerate(FORMS))
]
CELLS = [*LENET_CELLS, *ALEXNET_CELLS, *itertools.product([("alexnet", "cifar10", None, "pruned")], FORMS)]
_NEEDS = {"onnx": pytest.mark.needs_extras("onnx", "tf2onnx")}
SMALL = {"filters": (8, 12, 12, 12, 8), "initialisation": "he"}
CLOSE = 0.05  # probability
ONE_IMAGE = 10.0  # percentage points of accuracy, of the smallest test split here


def squares(count):
    """``uint8 (count, 28, 28, 1)`` and labels: a square in one of ten places."""
    random, labels = np.random.default_rng(0), np.arange(count) % 10
    images = random.integers(0, 40, (count, 28, 28, 1), np.uint8)
    for image, label in zip(images, labels, strict=True):
        top, left = label // 4 * 9 + 1, label % 4 * 7
        image[top : top + 7, left : left + 7] = 255
    images[:, 0, 0] = 0
    return images, labels


def colours(count, height, width, classes):
    """``uint8 (count, height, width, 3)`` and labels: noise around one of ten colours."""
    random, labels = np.random.default_rng(0), np.arange(count) % classes
    palette = np.array([*itertools.product((40, 215), repeat=3), (128, 128, 128), (215, 128, 40)])
    noise = random.integers(-40, 41, (count, height, width, 3))
    return (palette[labels, None, None] + noise).astype(np.uint8), labels


def write_idx(folder):
    folder.mkdir()
    for prefix, count in (("train", 240), ("t10k", 60)):
        images, labels = squares(count)
        for what, values in (("images-idx3", images[..., 0]), ("labels-idx1", labels.astype(np.uint8))):
            head = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
            (folder / f"{prefix}-{what}-ubyte").write_bytes(head + values.tobytes())


def write_photographs(folder):
    images, labels = colours(120, 40, 48, 3)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / f"{label}é" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)


def write_characters(folder):
    """Printed characters, as people scan them: where in the picture and how large they are tells nothing."""
    random = np.random.default_rng(0)
    for name in "IOTX":
        (folder / f"{name}é").mkdir(parents=True)
        for number in range(40):
            page = Image.new("L", (60, 50), int(random.integers(220, 256)))
            place = tuple(random.integers(5, 15, 2).tolist())
            ImageDraw.Draw(page).text(place, name, 20, ImageFont.load_default(int(random.integers(24, 30))))
            page.save(folder / f"{name}é" / f"{number}.png")


def prepare(name, root, drawn):
    """TFDS' own files of a published dataset, with pictures of ours."""
    import tensorflow_datasets as tfds

    builder = tfds.builder(name, data_dir=str(root))

    def examples(count):
        for number, (image, label) in enumerate(zip(*drawn(count), strict=True)):
            yield number, {"image": image, "label": int(label), **({"id": str(number)} if name == "cifar10" else {})}

    made = {"train": examples(240), "test": examples(60)}
    with mock.patch.object(type(builder), "_split_generators", lambda self, dl_manager: made):
        builder.download_and_prepare(download_config=tfds.download.DownloadConfig(try_download_gcs=False))


@contextlib.contextmanager
def in_folder(path):
    path.mkdir(parents=True, exist_ok=True)
    before = pathlib.Path.cwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


def called(module, *arguments):
    """What a command prints to standard output, run in this process.

    Raises:
        AssertionError: its exit code is not 0.
    """
    done = in_process.called(module, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory):
    """A folder with data of every kind, and around the commands what makes them quick: small networks, no timing."""
    root = tmp_path_factory.mktemp("matrix [1] é")
    write_idx(root / "idx")
    write_characters(root / "characters")
    write_photographs(root / "photographs")
    prepare("mnist", root / "tfds", squares)
    prepare("cifar10", root / "tfds", lambda count: colours(count, 32, 32, 10))
    pixels, labels = squares(1_700)
    table = np.column_stack([pixels.reshape(len(pixels), -1), labels]).astype(np.uint8)
    rows = {name: dataclasses.replace(row, **SMALL, dense=row.dense and 32) for name, row in alexnet.VARIANTS.items()}
    rows["paper"] = dataclasses.replace(rows["paper"], image_size=67)
    catalog._embedded.cache_clear()
    with (
        mock.patch.object(catalog, "_shipped", lambda: table),
        mock.patch.dict(alexnet.VARIANTS, rows),
        mock.patch.object(metrics, "latency", lambda *_: {"1": 1.0, "2": 1.0}),
        mock.patch.object(matplotlib.figure.Figure, "savefig", lambda self, path, **_: pathlib.Path(path).touch()),
        mock.patch.dict(os.environ),
    ):
        os.environ.pop(datasets.DATA_DIR_VARIABLE, None)
        yield root
    catalog._embedded.cache_clear()


@pytest.fixture(scope="module")
def trained(surroundings):
    """``trained(network, recipe, variant, kind)``: the ``.keras`` file that the training command left."""

    @functools.cache
    def train(network, recipe, variant, kind):
        run = surroundings / f"{network} {recipe} {variant} {kind}"
        images = "characters" if network == "lenet" else "photographs"
        named = ("--dataset", "mnist" if network == "lenet" else "cifar10", "--data-dir", "../tfds")
        data = {
            "named": named,
            "pruned": named,
            "embedded": ("--dataset", "embedded"),
            "idx": ("--dataset", "idx:../idx"),
            "folder": ("--dataset", f"folder:../{images}"),
            "tuned": ("--dataset", f"folder:../{images}", "--freeze", "conv"),
        }[kind]
        if kind == "pruned":  # not nearly as much as of a large network
            data += ("--set", "prune_convolutions=0.3", "--set", "prune_dense=0.5", "--epochs", 20)
        if kind in ("tuned", "pruned"):
            data += ("--weights", train(network, recipe, variant, "named"))
        more = ("--variant", variant or (recipe if recipe in alexnet.VARIANTS else "paper"))
        rates = {"1998": 0.02, "default": 0.004, "best": 0.004}
        rate = rates.get(recipe, 0.01 if recipe.startswith("cifar10") else 0.001)
        recipe = "pruned" if kind == "pruned" else recipe
        length = (
            *(() if kind == "pruned" else ("--steps", 40)),
            "--batch-size",
            32,
            "--learning-rate",
            rate,
            "--set",
            "warmup=0",
        )
        with in_folder(run):
            called(f"train.{network}", "--recipe", recipe, *more, *data, *length)
        (model,) = (run / "saved_models").glob("*.keras")
        return model

    return train


def exported(network, form):
    """The path of what the command of a form writes for a network in ``saved_models/``, as the README has it."""
    if form in ("int8", "float32"):
        # One of 60 test images is 1.7 points, one of 10 is 10: more than the gate's own limit.
        called("export.tflite", network, *(("--max-drop", ONE_IMAGE) if form == "int8" else ("--mode", form)))
        return pathlib.Path("saved_models", f"{network}_{form}.tflite")
    called(f"export.{form}", network)
    return pathlib.Path("saved_models", network + (".onnx" if form == "onnx" else "_saved_model"))


def answer(written, form, picture):
    """The label that a file gives a picture: by the command, or by what people run such a file in."""
    if form in ("int8", "float32"):
        return json.loads(called("export.predict", written, picture, "--json"))[0]["label"]
    module = importlib.import_module(f"export.{form}")
    said = module.describe(written)
    shape = [int(side) for side in said["input"].partition(",")[2].partition(",")[0].split(" × ")[1:]]
    with Image.open(picture) as opened:
        pixels = np.asarray(opened.convert("L" if shape[2] == 1 else "RGB").resize(shape[:2]))
    return said["labels"][int(module.run(written, pixels.reshape(1, *shape)).argmax())]


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        pytest.param(cell, form, id="-".join([*filter(None, cell), form]), marks=_NEEDS.get(form, ()))
        for cell, form in CELLS
    ],
)
def test_what_is_trained_is_exported_verified_and_used(cell, form, trained, surroundings, tmp_path):
    model = trained(*cell)
    with in_folder(tmp_path):
        pathlib.Path("saved_models").mkdir()
        os.link(model, pathlib.Path("saved_models", model.name))
        written = exported(model.stem, form)
        report = json.loads(called("export.verify", written, "--json", "--max-drop", ONE_IMAGE))
        assert report["passed"] is True
        assert report["held_out"] is True
        # Few steps teach AlexNet so little that eight bits may not tell its classes apart.
        assert report["agreement"] >= 0.9 or report["largest_probability_difference"] < CLOSE
        picture = surroundings / "characters" / "Té" / "1.png"
        assert answer(written, form, picture) in [*report["description"]["labels"], "?"]  # of little probability
