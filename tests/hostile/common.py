"""What bad files are made of: good ones, and what is done to them."""

import importlib.resources
import io
import struct
import zlib

import numpy as np
from PIL import Image

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".gif": "GIF", ".bmp": "BMP", ".tiff": "TIFF", ".webp": "WEBP"}
TEXT = b"Nothing of the kind.\n" * 40
OTHERS = {"text": TEXT, "elf": b"\x7fELF" + bytes(500), "pdf": b"%PDF-1.7\n" + TEXT, "zeros": bytes(4096)}
CUTS = (0.02, 0.3, 0.7)
LENET = ("--dataset", "embedded", "--steps", "1", "--out", "OUT")


def packaged():
    """The bytes of the ``.tflite`` in the package."""
    from keras_classics import recognition
    from keras_classics.recognition import recognizer

    return importlib.resources.files(recognition).joinpath(recognizer.PACKAGED).read_bytes()


def flipped(content, chance, bits=1):
    """``content`` (bytes) with some bits turned over."""
    changed = bytearray(content)
    for _ in range(bits):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def generic(good):
    """``{what: bytes}`` of files that are none: empty, cut short, or with other content."""
    cut = {f"cut at {share:.0%}": good[: max(1, int(len(good) * share))] for share in CUTS}
    return {"empty": b"", "byte": good[:1], **cut, **OTHERS}


def folder_in(parent, name):
    (parent / name).mkdir(parents=True)
    return parent / name


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return str(path)


def picture(form):
    """A sound picture, and what claims to be 60,000 × 60,000 pixels in a few bytes."""
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (60, 50, 3), np.uint8)
    Image.fromarray(noise).save(stream, form)
    good, size = stream.getvalue(), struct.pack
    if form == "PNG":
        head = b"IHDR" + size(">II", 60_000, 60_000) + good[24:29]
        return good, good[:8] + size(">I", 13) + head + size(">I", zlib.crc32(head)) + good[33:]
    if form == "GIF":
        return good, good[:6] + size("<HH", 60_000, 60_000) + good[10:]
    if form == "BMP":
        return good, good[:18] + size("<ii", 60_000, 60_000) + good[26:]
    if form == "JPEG":
        start = good.index(b"\xff\xc0")
        return good, good[: start + 5] + size(">HH", 60_000, 60_000) + good[start + 9 :]
    if form == "TIFF":
        large = io.BytesIO()
        Image.new("L", (8, 8)).save(large, "TIFF", tiffinfo={})
        content = large.getvalue()
        for tag in (256, 257):  # width and height
            place = content.index(struct.pack("<HHI", tag, 4 if struct.pack("<HHI", tag, 4, 1) in content else 3, 1))
            content = content[: place + 2] + size("<HII", 4, 1, 60_000) + content[place + 12 :]
        return good, content
    canvas = b"VP8X" + size("<II", 10, 0) + (16_383).to_bytes(3, "little") * 2
    return good, b"RIFF" + size("<I", len(good) - 8 + len(canvas)) + b"WEBP" + canvas + good[12:]
