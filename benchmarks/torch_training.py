"""PyTorch's side of the training benchmarks: plain loops over tensors in memory, as PyTorch's users write them."""

import math
import time

import numpy as np

from keras_classics import torch_first

torch = torch_first.load()
nn = torch.nn


class Training:
    """A network, its optimizer and images in memory.

    Args:
        network: a module from images to logits.
        optimizer: ``parameters -> torch.optim.Optimizer``.
        images: ``float32 (n, channels, height, width)``, or ``uint8`` with ``prepare``.
        labels: ``int64 (n,)``.
        batch: images a step.
        prepare: what is done to the images of a batch.
        schedule: ``step -> factor of the learning rate``, or None.
        channels_last: memory layout of weights and images.
        compiled: whether the network goes through ``torch.compile``, which needs a C++ compiler.
        seed: of the order.
    """

    def __init__(
        self,
        network,
        optimizer,
        images,
        labels,
        batch,
        *,
        prepare=None,
        schedule=None,
        channels_last=False,
        compiled=False,
        seed=0,
    ):
        layout = torch.channels_last if channels_last else torch.contiguous_format
        network = network.to(memory_format=layout).train()
        self.network = torch.compile(network) if compiled else network
        self.images = images.contiguous(memory_format=layout)
        self.labels, self.batch, self.prepare = labels, batch, prepare or (lambda images: images)
        self.optimizer = optimizer(self.network.parameters())
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, schedule) if schedule else None
        self.random = torch.Generator().manual_seed(seed)
        self.order = torch.zeros(0, dtype=torch.int64)

    def run(self, steps):
        """``steps`` steps; images a second."""
        start = time.perf_counter()
        for _ in range(steps):
            while len(self.order) < self.batch:
                self.order = torch.cat([self.order, torch.randperm(len(self.labels), generator=self.random)])
            rows, self.order = self.order[: self.batch], self.order[self.batch :]
            loss = nn.functional.cross_entropy(self.network(self.prepare(self.images[rows])), self.labels[rows])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            if self.scheduler:
                self.scheduler.step()
        loss.item()
        return steps * self.batch / (time.perf_counter() - start)

    def accuracy(self, images, labels):
        self.network.eval()
        with torch.no_grad():
            chunks = zip(images.split(1_000), labels.split(1_000), strict=True)
            hits = sum((self.network(part).argmax(1) == wanted).sum().item() for part, wanted in chunks)
        self.network.train()
        return hits / len(labels)


def digits(split, preprocessing):
    """A split's images as ``float32 (n, 1, side, side)``, prepared once, and its labels."""
    images = np.ascontiguousarray(preprocessing(split.images, data_format="channels_last").transpose(0, 3, 1, 2))
    return torch.from_numpy(images.astype("float32")), torch.from_numpy(split.labels)


def warmup_and_cosine(total, warmup):
    """The schedule "cosine" of ``train.recipes`` as a factor: up over ``warmup`` steps, then down to 0."""

    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))

    return factor


def distort(images, background=-0.1):
    """``datasets.augment.distort_digits`` by ``affine_grid`` and ``grid_sample``, on images already prepared."""
    count, side = len(images), images.shape[-1]
    draws = torch.rand(6, count) * 2 - 1
    angle, scale_x, scale_y, shear = math.radians(12) * draws[0], 1 + 0.12 * draws[1], 1 + 0.12 * draws[2], draws[3]
    shift_x, shift_y = 2 / (side / 2) * draws[4], 2 / (side / 2) * draws[5]
    cos, sin, shear = torch.cos(angle), torch.sin(angle), 0.15 * shear
    rows = [
        cos * scale_x,
        (sin + shear * cos) * scale_y,
        shift_x,
        -sin * scale_x,
        (cos - shear * sin) * scale_y,
        shift_y,
    ]
    transforms = torch.stack(rows, dim=1).reshape(count, 2, 3)
    grid = nn.functional.affine_grid(transforms, list(images.shape), align_corners=False)
    return nn.functional.grid_sample(images - background, grid, align_corners=False) + background
