"""Published weights: fetched, checked, converted and kept; what cannot be had is named."""

import dataclasses
import functools
import hashlib
import http.server
import threading

import numpy as np
import pytest

import keras_classics
from keras_classics.weights import importers, registry

needs_torch, needs_peers = pytest.mark.needs_extras("torch"), pytest.mark.needs_extras("torch", "onnx")


@pytest.fixture
def published(tmp_path, monkeypatch):
    """LeNet-5 as if it were published: ``published(path)`` serves the folder of ``path`` on the loopback interface."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    servers = []

    def publish(path, **changes):
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=path.parent)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        row = dataclasses.replace(
            registry._IMAGENET[0],
            **{
                **{"network": "LeNet5", "variant": "modern", "activation": "sigmoid", "name": "mnist", "classes": 10},
                "url": f"http://127.0.0.1:{server.server_port}/{path.name}",
                "file": path.name,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                **changes,
            },
        )
        monkeypatch.setattr(registry, "_packaged", lambda: (row,))
        return server

    yield publish
    for server in servers:
        server.shutdown()


def sigmoid_lenet():
    return keras_classics.LeNet5(weights="mnist", activation="sigmoid")


@needs_peers
def test_published_weights_are_fetched_converted_and_kept(published, tmp_path):
    import torch

    from benchmarks import peers

    network = peers.torch_lenet5()
    torch.save(network.state_dict(), tmp_path / "lenet.pth")
    server = published(tmp_path / "lenet.pth")
    model = sigmoid_lenet()
    np.testing.assert_array_equal(model.get_layer("F6").get_weights()[0], network[9].weight.detach().numpy().T)
    kept = {path.name for path in (tmp_path / "cache/models/keras_classics").iterdir()}
    assert kept == {"lenet.pth", "lenet.weights.h5"}
    server.shutdown()
    server.server_close()
    (tmp_path / "cache/models/keras_classics/lenet.pth").unlink()
    np.testing.assert_array_equal(sigmoid_lenet().get_weights()[0], model.get_weights()[0])


@needs_torch
def test_a_file_that_is_not_the_published_one_is_refused(published, tmp_path):
    (tmp_path / "lenet.pth").write_bytes(b"something else")
    published(tmp_path / "lenet.pth", sha256="0" * 64)
    with pytest.raises(ValueError, match="is not the file that was published"):
        sigmoid_lenet()
    assert list((tmp_path / "cache/models/keras_classics").iterdir()) == []


@needs_torch
def test_an_address_that_does_not_answer_is_named(published, tmp_path):
    (tmp_path / "lenet.pth").write_bytes(b"never asked for")
    published(tmp_path / "lenet.pth", url="http://127.0.0.1:9/lenet.pth")
    with pytest.raises(ConnectionError, match=r"cannot fetch http://127.0.0.1:9/lenet.pth.*give its path as weights="):
        sigmoid_lenet()


def test_nothing_is_fetched_that_could_not_be_read(published, tmp_path, monkeypatch):
    (tmp_path / "lenet.pth").write_bytes(b"never asked for")
    published(tmp_path / "lenet.pth", file="lenet.onnx")
    monkeypatch.setitem(importers.READERS, ".onnx", ("a_library_nobody_has", None))
    with pytest.raises(ImportError, match="a_library_nobody_has"):
        sigmoid_lenet()
    assert not (tmp_path / "cache").exists()
