"""``python -m tests.hostile.fuzz NAME [-max_total_time=SECONDS] [FOLDER]``: one of our parsers, fuzzed by atheris.

NAME is one of ``TARGETS``; the rest is what libFuzzer takes, such as a folder that keeps what it has found. Needs
``pip install atheris``. An input that ends in anything but an answer or our own sentence is written to ``crash-…``.
"""

import dataclasses
import gzip
import os
import pathlib
import sys
import tempfile

import atheris

with atheris.instrument_imports(include=["keras_classics", "train"]):
    from keras_classics.datasets import decoding, idx
    from keras_classics.errors import InputError
    from keras_classics.recognition import description, reading, structure
    from train import arguments, recipes

import numpy as np

from tests.hostile.common import FORMATS, packaged, picture

_FOLDER = pathlib.Path(tempfile.mkdtemp())
_MODEL = packaged()
_WIDEST = 64  # pixels of a page


def fuzz_idx(data):
    path = _FOLDER / "file"
    path.write_bytes(data)
    idx.read(path)


def fuzz_recipe(data):
    parser = arguments.cli.Parser(prog="p")
    arguments.add_to(parser)
    setting = data.decode("utf-8", "replace")
    args = parser.parse_args([f"--set={setting}"])
    arguments.overridden(recipes.LENET5["default"], args)


def fuzz_description(data):
    try:
        description.parsed(data.decode("utf-8", "surrogateescape"))
    except ValueError:
        return


def fuzz_structure(data):
    """The input is bytes to write over the packaged model: places of three bytes, values of one."""
    changed = bytearray(_MODEL)
    for start in range(0, len(data) - 3, 4):
        changed[int.from_bytes(data[start : start + 3], "little") % len(changed)] = data[start + 3]
    fuzz_table(bytes(changed))


def fuzz_table(data):
    try:
        structure.check(data)
        description.find(data, "the model")
    except structure.DamagedError:
        return


def fuzz_picture(data):
    pixels = decoding.decode(data)
    if pixels.size < 100_000:
        reading.digit_field(pixels)


def fuzz_page(data):
    provider = atheris.FuzzedDataProvider(data)
    height, width = provider.ConsumeIntInRange(1, _WIDEST), provider.ConsumeIntInRange(1, _WIDEST)
    drawn = np.frombuffer(provider.ConsumeBytes(height * width), np.uint8)
    pixels = np.full(height * width, 255, np.uint8)
    pixels[: len(drawn)] = drawn
    page = np.repeat(pixels.reshape(height, width, 1), 3, axis=2)
    reading.digit_field(page)
    reading.lines_in(page, lambda fields: np.full((len(fields), 10), 0.1, np.float32), all_lines=True)


TARGETS = {name.removeprefix("fuzz_"): call for name, call in list(globals().items()) if name.startswith("fuzz_")}


SEEDS = {
    "idx": [b"\0\0\10\1\0\0\0\3abc", gzip.compress(b"\0\0\10\2\0\0\0\2\0\0\0\1ab")],
    "recipe": [f"{field.name}={field.default}".encode() for field in dataclasses.fields(recipes.Recipe)],
    "description": [b'{"network": "LeNet-5", "labels": ["0", "1"], "mode": "int8", "threshold": 0.5}'],
    "table": [_MODEL],
    "picture": [picture(form)[0] for form in FORMATS.values()],
}


def main(name, *words):
    seeds = pathlib.Path(tempfile.mkdtemp())
    for number, seed in enumerate(SEEDS.get(name, ())):
        (seeds / str(number)).write_bytes(seed)

    def one(data):
        try:
            TARGETS[name](data)
        except InputError as error:
            assert str(error).endswith("."), error
        except SystemExit as end:  # of the argument parser, which has said why
            assert end.code == 2

    os.environ["OMP_NUM_THREADS"] = "1"
    atheris.Setup([sys.argv[0], *words, str(seeds)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
