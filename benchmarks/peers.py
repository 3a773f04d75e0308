"""The networks as other libraries have them, written from their own descriptions and not from ours.

The numbers stand here a second time on purpose: a network checked against its own numbers would agree with any.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from keras_classics import torch_first

torch = torch_first.load()
nn = torch.nn


def torch_lenet5(activation=nn.Tanh):
    """The modern LeNet-5: ``(batch, 1, 32, 32)`` to logits ``(batch, 10)``."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), activation(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), activation(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), activation()),
        *(nn.Linear(120, 84), activation(), nn.Linear(84, 10)),
    )


def lenet5_weights(model):
    """A Keras LeNet-5's weights as PyTorch and ONNX lay them out: outputs first, C5 over maps channel by channel."""
    for name in ("C1", "C3", "C5", "F6", "output"):
        kernel, bias = model.get_layer(name).get_weights()
        kernel = kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
        yield kernel.reshape(len(bias), -1) if name == "C5" else kernel
        yield bias


def torch_alexnet_paper():
    """Krizhevsky et al., 2012: two towers, normalization over five maps. ``(batch, 3, 224, 224)`` to logits."""

    def normalization():  # PyTorch divides alpha by the window
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        nn.ZeroPad2d((2, 1, 2, 1)),
        *(nn.Conv2d(3, 96, 11, stride=4), nn.ReLU(), normalization(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), normalization(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Flatten(), nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4096, 1000)),
    )


def torch_alexnet_torchvision():
    """torchvision's, after Krizhevsky, 2014. ``(batch, 3, 224, 224)`` to logits."""
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.AdaptiveAvgPool2d(6), nn.Flatten(), nn.Dropout(0.5), nn.Linear(9216, 4096), nn.ReLU()),
        *(nn.Dropout(0.5), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)),
    )


def torch_alexnet_cifar10():
    """The small one for ``(batch, 3, 32, 32)``, to ten logits."""
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 192, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4096, 10)),
    )


def randomise(network, seed=0):
    """Weights that keep the size of the activations through the ReLUs, and small biases, so that every term counts."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                fan_in = module.weight[0].numel()
                module.weight.normal_(0.0, (2 / fan_in) ** 0.5, generator=generator)
                module.bias.normal_(0.0, 0.1, generator=generator)
    return network.eval()


def onnx_alexnet_caffe(seed=0):
    """BVLC's network as an ONNX model with random weights: ``data_0 (batch, 3, 227, 227)`` to ``prob_1``."""
    random = np.random.default_rng(seed)
    nodes, weights = [], []

    def add(operator, source, *shapes, **attributes):
        name = f"{operator.lower()}_{len(nodes)}"
        constants = []
        for shape in shapes:
            spread = 0.1 if len(shape) == 1 else (2 / np.prod(shape[1:])) ** 0.5
            constants.append(f"{name}_{'w' if len(shape) > 1 else 'b'}")
            values = random.normal(scale=spread, size=shape).astype("float32")
            weights.append(numpy_helper.from_array(values, constants[-1]))
        nodes.append(helper.make_node(operator, [source, *constants], [name], name, **attributes))
        return name

    def convolution(source, outputs, inputs, kernel, group=1, **attributes):
        maps = add("Conv", source, (outputs, inputs // group, kernel, kernel), (outputs,), group=group, **attributes)
        return add("Relu", maps)

    x = convolution("data_0", 96, 3, 11, strides=[4, 4])
    x = add("LRN", x, size=5, alpha=1e-4, beta=0.75, bias=1.0)
    x = add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    x = convolution(x, 256, 96, 5, group=2, pads=[2] * 4)
    x = add("LRN", x, size=5, alpha=1e-4, beta=0.75, bias=1.0)
    x = add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    x = convolution(x, 384, 256, 3, pads=[1] * 4)
    x = convolution(x, 384, 384, 3, group=2, pads=[1] * 4)
    x = convolution(x, 256, 384, 3, group=2, pads=[1] * 4)
    x = add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    x = add("Flatten", x)
    x = add("Relu", add("Gemm", x, (4096, 9216), (4096,), transB=1))
    x = add("Relu", add("Gemm", x, (4096, 4096), (4096,), transB=1))
    x = add("Gemm", x, (1000, 4096), (1000,), transB=1)
    nodes.append(helper.make_node("Softmax", [x], ["prob_1"]))
    batch = helper.make_tensor_value_info("data_0", TensorProto.FLOAT, ["batch", 3, 227, 227])
    outputs = [
        helper.make_tensor_value_info("prob_1", TensorProto.FLOAT, ["batch", 1000]),
        helper.make_tensor_value_info(x, TensorProto.FLOAT, ["batch", 1000]),
    ]
    graph = helper.make_graph(nodes, "alexnet", [batch], outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9)
