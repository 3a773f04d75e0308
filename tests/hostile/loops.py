"""``python -m tests.hostile.loops index|weights FOLDER``: what commands keep for later, computed over and over.

``index`` finds the records in TFRecord shards, with ``FOLDER`` for the cache; ``weights`` fetches a PyTorch file by a
``file:`` address, checks its hash and keeps it in Keras' format, with ``FOLDER`` for Keras' home. Each result is
compared with what it has to be; a line says when that begins.
"""

import hashlib
import os
import pathlib
import sys

import numpy as np

_TIMES = 10
_RECORDS = 500


def index(folder):
    os.environ["KERAS_CLASSICS_CACHE_DIR"] = str(folder)
    import tensorflow as tf

    from keras_classics.datasets import tfrecord

    shards = [folder.parent / f"shard{number}" for number in range(2)]
    if not shards[1].exists():
        for shard in shards:
            with tf.io.TFRecordWriter(str(shard)) as writer:
                for number in range(_RECORDS):
                    writer.write(_record(tf, number))
    for time in range(_TIMES):
        for shard in shards:
            os.utime(shard, (time, time))  # what was kept is then of other files
        found = tfrecord.split(shards, "records")
        assert np.array_equal(found.labels, np.tile(np.arange(_RECORDS), 2))
        if time == 0:
            print("ready", flush=True)
            for kept in folder.glob("*.npz"):
                kept.unlink()


def _record(tf, number):
    image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"x"]))
    label = tf.train.Feature(int64_list=tf.train.Int64List(value=[number]))
    return tf.train.Example(features=tf.train.Features(feature={"image": image, "label": label})).SerializeToString()


def weights(folder):
    os.environ["KERAS_HOME"] = str(folder)
    import torch

    from benchmarks import peers
    from keras_classics import LeNet5
    from keras_classics.weights import importers, registry

    published = folder.parent / "lenet5.pth"
    if not published.exists():
        torch.manual_seed(0)
        torch.save(peers.torch_lenet5().state_dict(), published)
    expected, model = LeNet5(), LeNet5()
    importers.load(expected, published)
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    facts = {"network": "LeNet5", "variant": "modern", "name": "x", "activation": "tanh", "accuracy": {}, "classes": 10}
    facts |= {"accuracy_source": "", "licence": "", "file": published.name, "sha256": digest}
    row = registry.NamedWeights(url=published.as_uri(), **facts)
    print("ready", flush=True)
    for time in range(_TIMES):
        registry.load(model, row, build=LeNet5)
        for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
            assert np.array_equal(ours, theirs)
        if time < _TIMES - 1:
            for path in (folder / "models" / "keras_classics").glob("*"):
                path.unlink()


if __name__ == "__main__":
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    {"index": index, "weights": weights}[sys.argv[1]](pathlib.Path(sys.argv[2]).absolute())
