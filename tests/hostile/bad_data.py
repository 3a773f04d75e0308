"""Pictures, datasets, folders and paths that nobody should trust."""

import gzip
import itertools
import json
import os
import struct

import numpy as np

from tests.hostile import records
from tests.hostile.common import FORMATS, LENET, TEXT, flipped, folder_in, generic, packaged, picture, written
from tests.hostile.worker import Case


def pictures(folder, chance):
    model = written(folder, "model.tflite", packaged())
    for suffix, form in FORMATS.items():
        good, huge = picture(form)
        bad = generic(good) | {"huge claim": huge}
        for what, content in bad.items():
            kept = what == "cut at 70%" and form in ("TIFF", "BMP", "GIF", "WEBP")  # what is missing may be padding
            path = written(folder, what + suffix, content)
            yield Case(f"{form} {what}", "export.predict", (model, path), refused=not kept)
        for number in range(5):
            path = written(folder, f"flipped{number}{suffix}", flipped(good, chance, 1 + number))
            yield Case(f"{form} flipped {number}", "export.predict", (model, path), refused=False)


def idx_file(values, *, shape=None, magic=None):
    shape = values.shape if shape is None else shape
    return (magic or bytes([0, 0, 8, len(shape)])) + struct.pack(f">{len(shape)}I", *shape) + values.tobytes()


def idx_files(folder, chance):
    random = np.random.default_rng(0)
    images = {
        "train": random.integers(0, 256, (60, 28, 28), np.uint8),
        "t10k": random.integers(0, 256, (20, 28, 28), np.uint8),
    }
    good = {f"{part}-images-idx3-ubyte": idx_file(values) for part, values in images.items()}
    good |= {
        f"{part}-labels-idx1-ubyte": idx_file(np.arange(len(values), dtype=np.uint8) % 10)
        for part, values in images.items()
    }
    pixels = images["t10k"]
    bad = generic(idx_file(pixels)) | {
        "seventy dimensions": idx_file(pixels, shape=(1,) * 70),
        "huge claim": idx_file(pixels, shape=(2**32 - 1,) * 3),
        "claims nothing": idx_file(pixels, shape=(0, 28, 28)),
        "one byte more": idx_file(pixels) + b"\0",
        "floats": idx_file(pixels, magic=bytes([0, 0, 13, 3])),
        "labels": idx_file(pixels[:, 0, 0]),
        "other number": idx_file(pixels[:5]),
        "too large": idx_file(np.zeros((20, 90, 90), np.uint8)),
        "sixty gigabytes": idx_file(pixels, shape=(80_000_000, 28, 28)),
    }
    for number, ((what, content), zipped) in enumerate(itertools.product(bad.items(), (False, True))):
        into = folder_in(folder, str(number))
        for name, data in good.items():
            (into / name).write_bytes(data)
        if zipped:
            (into / "t10k-images-idx3-ubyte").unlink()
        name, end = "t10k-images-idx3-ubyte", ".gz" if zipped else ""
        (into / (name + end)).write_bytes(gzip.compress(content, 1) if zipped else content)
        module, more = (("train.lenet", ("--steps", "1")), ("export.tflite", ()))[number // 2 % 2]
        first = ("lenet5",) if module == "export.tflite" else ()
        yield Case(f"{module} IDX {what}{end}", module, (*first, "--dataset", f"idx:{into}", *more, "--out", "OUT"))


def with_picture(shard, path, content):
    """The bytes of a TFRecord file whose fourth record has ``content`` for its picture."""
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for number, record in enumerate(tf.data.TFRecordDataset(str(shard)).as_numpy_iterator()):
            example = tf.train.Example.FromString(record)
            if number == 3:
                example.features.feature["image"].bytes_list.value[0] = content
            writer.write(example.SerializeToString())
    return path.read_bytes()


def tfds_folders(folder, chance):
    from tests.test_matrix import prepare, squares

    prepare("mnist", folder / "good", squares)
    good = next((folder / "good").glob("mnist/*"))
    shard = next(good.glob("*test*tfrecord*"))
    content, info = shard.read_bytes(), json.loads((good / "dataset_info.json").read_text())
    splits = [{**split, "shardLengths": [str(10**12)]} for split in info["splits"]]
    bad = {(shard.name, what): data for what, data in generic(content).items()}
    bad |= {
        (shard.name, "sixty gigabytes"): records.with_length(content, 60_000_000_000),
        (shard.name, "all bytes"): records.with_length(content, 2**64 - 1),
        (shard.name, "a pipe"): None,
        **{
            (shard.name, f"{form} of 60,000 × 60,000"): with_picture(shard, folder / "changed", picture(form)[1])
            for form in ("PNG", "JPEG", "BMP")
        },
        ("dataset_info.json", "empty"): b"",
        ("dataset_info.json", "text"): TEXT,
        ("dataset_info.json", "a list"): b"[]",
        ("dataset_info.json", "huge split"): json.dumps({**info, "splits": splits}).encode(),
        ("dataset_info.json", "no splits"): json.dumps({**info, "splits": []}).encode(),
    }
    for number, ((name, what), data) in enumerate(bad.items()):
        into = folder_in(folder, f"{number}/mnist/{good.name}")
        for path in good.iterdir():
            (into / path.name).write_bytes(path.read_bytes())
        (into / name).unlink()
        os.mkfifo(into / name) if data is None else (into / name).write_bytes(data)
        module, first, more = (("train.lenet", (), ("--steps", "1")), ("export.tflite", ("lenet5",), ()))[number % 2]
        told = (*first, "--dataset", "mnist", "--data-dir", str(folder / str(number)), *more, "--out", "OUT")
        refused = (name, what) not in {(shard.name, "empty")}
        yield Case(f"{module} TFDS {name} {what}", module, told, refused=refused)


def picture_folders(folder, chance):
    good = picture("PNG")[0]
    made = {
        "empty": [],
        "one class": ["a/0.png", "a/1.png", "a/2.png"],
        "two pictures": ["a/0.png", "b/0.png"],
        "other formats": ["a/0.heic", "b/0.svg"],
        "broken pictures": [f"{name}/{number}.jpg" for name in "ab" for number in range(12)],
        "splits inside": ["a/train/0.png", "a/test/0.png", "b/train/0.png", "b/test/0.png"],
        "many files": [f"a/{number}.txt" for number in range(30_000)],
        "no names": [f"{name}/{os.fsdecode(bytes([255]))}{number}.png" for name in "ab" for number in range(9)],
        "loops": [],
        "pipes": [],
    }
    for what, names in made.items():
        into = folder_in(folder, what)
        for name in names:
            path = into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(good if path.suffix == ".png" else b"")
        if what == "loops":
            for name in "ab":
                folder_in(into, name)
                (into / name / "back").symlink_to(into)
                (into / name / "self.png").symlink_to(into / name / "self.png")
        if what == "pipes":
            for name in "ab":
                os.mkfifo(folder_in(into, name) / "0.png")
        data = f"folder:{into}"
        yield Case(f"train.lenet folder {what}", "train.lenet", ("--dataset", data, "--steps", "1", "--out", "OUT"))
        yield Case(f"export.tflite folder {what}", "export.tflite", ("lenet5", "--dataset", data, "--out", "OUT"))
        images = ("alexnet", "--variant", "cifar10", "--pictures", str(into), "--out", "OUT")
        if what in ("broken pictures", "pipes", "many files", "no names"):
            yield Case(f"export.tflite --pictures {what}", "export.tflite", images)


def odd_paths(folder, chance):
    model = written(folder, "model.tflite", packaged())
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "nothing").symlink_to(folder / "absent")
    folder_in(folder, "folder")
    paths = {
        **{
            name: str(folder / name)
            for name in ("pipe", "loop", "nothing", "folder", "absent", "x" * 300, "model.tflite/x")
        },
        "no UTF-8": str(folder / os.fsdecode(b"\xff\xfe")),
        "lines": str(folder / "a\nb\x1b[31m"),
        "device": "/dev/null",
        "memory": "/proc/self/mem",
    }
    for what, path in paths.items():
        yield Case(f"picture {what}", "export.predict", (model, path))
        yield Case(f"model {what}", "export.predict", (path, "x.png"))
        yield Case(f"verified {what}", "export.verify", (path, "--dataset", "embedded"))
        yield Case(f"--model {what}", "export.tflite", ("lenet5", "--model", path, "--out", "OUT"))
        yield Case(f"weights {what}", "train.lenet", ("--weights", path, *LENET))
        yield Case(f"idx {what}", "train.lenet", ("--dataset", f"idx:{path}", "--out", "OUT"))
        yield Case(f"c {what}", "export.c", (path, "--out", "OUT"))
        if what not in ("folder", "absent", "no UTF-8", "lines", "nothing"):
            yield Case(f"--out {what}", "export.c", (model, "--out", path))


MAKERS = (pictures, idx_files, tfds_folders, picture_folders, odd_paths)
