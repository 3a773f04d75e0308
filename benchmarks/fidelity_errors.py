"""The computations that ``benchmarks.fidelity`` compares: each function returns the largest difference to a peer."""

import pathlib
import tempfile


def _difference(ours, theirs):
    import numpy as np

    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape:
        raise ValueError(f"shapes differ: {ours.shape}, {theirs.shape}")
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def _normal(shape, scale=1.0, seed=1):
    import numpy as np

    return np.random.default_rng(seed).normal(scale=scale, size=shape).astype("float32")


def _with_weights_of(network, build):
    """``build(path)`` with the weights of a PyTorch network, by way of a file as people exchange them."""
    import torch

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "network.pth")
        torch.save(network.state_dict(), path)
        return build(path)


def _torch_output(network, images):
    import torch

    with torch.no_grad():
        return network(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()


def _lenet(network, activation):
    from keras_classics import LeNet5

    return _with_weights_of(
        network, lambda path: LeNet5(weights=path, activation=activation, classifier_activation=None)
    )


def _alexnet(network, variant):
    from keras_classics import AlexNet

    return _with_weights_of(network, lambda path: AlexNet(variant=variant, weights=path, classifier_activation=None))


def lenet_logits(activation):
    from torch import nn

    from benchmarks import peers

    network = peers.randomise(peers.torch_lenet5({"tanh": nn.Tanh, "relu": nn.ReLU}[activation]))
    images = _normal((16, 32, 32, 1))
    return _difference(_lenet(network, activation)(images), _torch_output(network, images))


def alexnet_logits(variant):
    from benchmarks import peers

    network = peers.randomise(getattr(peers, f"torch_alexnet_{variant}")())
    # Pixels as far from their mean as photographs', so that normalization has something to do.
    images = _normal((2, 32, 32, 3) if variant == "cifar10" else (2, 224, 224, 3), scale=60.0)
    return _difference(_alexnet(network, variant)(images), _torch_output(network, images))


def caffe_logits():
    import onnx
    import onnxruntime

    from benchmarks import peers
    from keras_classics import AlexNet

    images = _normal((2, 227, 227, 3), scale=60.0)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "alexnet.onnx")
        onnx.save(peers.onnx_alexnet_caffe(), path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        _, theirs = session.run(None, {"data_0": images.transpose(0, 3, 1, 2)})
        ours = AlexNet(variant="caffe", weights=path, classifier_activation=None)
    return _difference(ours(images), theirs)


def normalization(form, peer, quantity):
    """On conv2's maps, with activations from tiny to large."""
    import numpy as np
    import tensorflow as tf
    import torch

    from keras_classics.layers import LocalResponseNormalization

    maps = _normal((2, 27, 27, 256)) * np.logspace(-3, 2.5, 27, dtype="float32")[:, None, None]
    layer = LocalResponseNormalization(form=form)
    weights = _normal(maps.shape, seed=2)
    x = tf.constant(maps)
    with tf.GradientTape() as tape:
        tape.watch(x)
        normalised = layer(x)
        total = tf.reduce_sum(normalised * weights)
    ours = normalised if quantity == "output" else tape.gradient(total, x)
    if peer == "tf.nn":
        return _difference(ours, tf.nn.local_response_normalization(x, 2, bias=2.0, alpha=1e-4, beta=0.75))
    channels_first = maps.transpose(0, 3, 1, 2).copy()
    if peer == "ONNX Runtime":
        theirs = _onnx_lrn(channels_first)
    else:
        y = torch.from_numpy(channels_first).requires_grad_()
        out = torch.nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)(y)
        (out * torch.from_numpy(weights.transpose(0, 3, 1, 2).copy())).sum().backward()
        theirs = (out.detach() if quantity == "output" else y.grad).numpy()
    return _difference(ours, theirs.transpose(0, 2, 3, 1))


def _onnx_lrn(maps):
    import onnxruntime
    from onnx import TensorProto, helper

    node = helper.make_node("LRN", ["x"], ["y"], size=5, alpha=5e-4, beta=0.75, bias=2.0)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, maps.shape) for name in "xy"]
    graph = helper.make_graph([node], "lrn", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": maps})[0]


def towers(form, quantity):
    """conv2 of the paper; the gradient is that of the kernel."""
    import keras
    import tensorflow as tf
    import torch

    from keras_classics.layers import Conv2D

    maps, weights = _normal((2, 27, 27, 96)), _normal((2, 27, 27, 256), seed=2)
    layer = (Conv2D if form == "as two convolutions" else keras.layers.Conv2D)(256, 5, padding="same", groups=2)
    peer = torch.nn.Conv2d(96, 256, 5, padding=2, groups=2)
    layer.build(maps.shape)
    layer.set_weights([peer.weight.detach().numpy().transpose(2, 3, 1, 0), peer.bias.detach().numpy()])
    with tf.GradientTape() as tape:
        ours = layer(maps)
        total = tf.reduce_sum(ours * weights)
    theirs = peer(torch.from_numpy(maps.transpose(0, 3, 1, 2).copy()))
    if quantity == "output":
        return _difference(ours, theirs.detach().numpy().transpose(0, 2, 3, 1))
    (theirs * torch.from_numpy(weights.transpose(0, 3, 1, 2).copy())).sum().backward()
    return _difference(tape.gradient(total, layer.trainable_weights[0]), peer.weight.grad.numpy().transpose(2, 3, 1, 0))


def lenet_steps():
    from benchmarks import peers

    network = peers.randomise(peers.torch_lenet5())
    return _steps(network, _lenet(network, "tanh"), batches=20, batch=64, rate=0.05)


def alexnet_steps():
    """Dropout off on both sides: the libraries draw other units. At a higher rate rounding grows to 1e-3 by step 20."""
    from benchmarks import peers

    network = peers.randomise(peers.torch_alexnet_paper())
    return _steps(network, _alexnet(network, "paper"), batches=20, batch=2, rate=3e-6)


def _steps(network, ours, *, batches, batch, rate):
    """Largest difference between the losses of the first steps, of SGD with momentum 0.9 on the same batches."""
    import keras
    import numpy as np
    import torch

    random = np.random.default_rng(3)
    for layer in ours.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ours.compile(keras.optimizers.SGD(rate, momentum=0.9), loss)
    optimizer = torch.optim.SGD(network.parameters(), rate, momentum=0.9)
    differences = []
    for _ in range(batches):
        images = random.normal(size=(batch, *ours.input_shape[1:])).astype("float32")
        labels = random.integers(0, 10, batch)
        ours.reset_metrics()
        found = float(ours.train_on_batch(images, labels))
        optimizer.zero_grad()
        theirs = torch.nn.functional.cross_entropy(
            network(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())), torch.from_numpy(labels)
        )
        theirs.backward()
        optimizer.step()
        differences.append(abs(found - theirs.item()))
    return max(differences)
