"""The networks that arms of a claim train: rows of numbers, and the functions that build them."""

import dataclasses

# Of CIFAR-10's pixels, about. The variant "cifar10" of AlexNet takes pixels that spread as much and starts from the
# paper's small weights; He's and Glorot's weights are for pixels that spread by 1.
_DEVIATION = 64.0


@dataclasses.dataclass(frozen=True)
class Digits:
    """A LeNet-5 between that of 1998 and today's, for 32×32 grey digits; the defaults are today's.

    Args:
        activation: "tanh", "relu" or "scaled_tanh" (appendix A).
        table_i: whether C3 is connected as Table I has it, not to all maps of S2.
        trained_subsampling: whether S2 and S4 have weights and an activation, not plain averages.
        prototypes: whether the output is distances to drawn prototypes, not softmax.
        kernel: side of the windows of C1 and C3, in pixels.
        c5: maps of C5, which sees all of S4.
    """

    activation: str = "tanh"
    table_i: bool = False
    trained_subsampling: bool = False
    prototypes: bool = False
    kernel: int = 5
    c5: int = 120

    @property
    def preprocessing(self):
        from keras_classics import lenet

        return lenet.PREPROCESSING

    def build(self, classes):
        """The ``keras.Model`` with ``classes`` probabilities."""
        import keras
        from keras import layers

        from keras_classics import builder, lenet
        from keras_classics import layers as ours

        activation = ours.scaled_tanh if self.activation == "scaled_tanh" else self.activation

        def start(fan_in):
            published = {"kernel_initializer": ours.FanInUniform(fan_in)} if self.activation == "scaled_tanh" else {}
            return {"activation": activation, **published}

        def subsampling(name):
            if self.trained_subsampling:
                return ours.TrainableSubsampling(2, activation, name=name)
            return layers.AveragePooling2D(2, name=name)

        inputs = keras.Input((lenet.IMAGE_SIZE, lenet.IMAGE_SIZE, 1))
        x = ours.Conv2D(6, self.kernel, name="C1", **start(self.kernel**2))(inputs)
        x = subsampling("S2")(x)
        if self.table_i:
            x = ours.SparselyConnectedConv2D(lenet.TABLE_I, self.kernel, activation, name="C3")(x)
        else:
            x = ours.Conv2D(16, self.kernel, name="C3", **start(6 * self.kernel**2))(x)
        x = subsampling("S4")(x)
        side = x.shape[1]
        x = ours.Conv2D(self.c5, side, name="C5", **start(16 * side**2))(x)
        x = layers.Dense(84, name="F6", **start(self.c5))(layers.Flatten(name="flatten")(x))
        if self.prototypes:
            distances = ours.EuclideanRBF(lenet.digit_bitmaps()[:classes], name="output")(x)
            x = builder.output_activation(layers.Rescaling(-1.0, name="negate")(distances), "softmax")
        else:
            x = builder.classifier(x, classes, "softmax", name="output")
        return keras.Model(inputs, x, name="digits")


@dataclasses.dataclass(frozen=True)
class Small:
    """A small AlexNet for 32×32 colour pictures; the defaults have five convolutions, as AlexNet has.

    Args:
        filters: maps of each convolution.
        kernels: side of each convolution's windows, in pixels.
        groups: 2: towers that do not see each other's maps.
        pooled: which convolutions, from 0, are followed by pooling.
        pool: side of the pooling windows, 2 apart: 3 overlaps, 2 does not.
        activation: of convolutions and hidden layers.
        normalization: "none", "lrn" (section 3.3, after the activation of the first two convolutions) or "batch" (Ioffe
            and Szegedy, 2015, in the same places, before the activation).
        dense: units of each hidden layer.
        dropout: share of each hidden layer's outputs that training leaves out.
    """

    filters: tuple[int, ...] = (32, 64, 96, 96, 64)
    kernels: tuple[int, ...] = (3, 3, 3, 3, 3)
    groups: tuple[int, ...] = (1, 1, 1, 1, 1)
    pooled: tuple[int, ...] = (0, 1, 4)
    pool: int = 3
    activation: str = "relu"
    normalization: str = "none"
    dense: tuple[int, ...] = (256, 256)
    dropout: float = 0.0

    @property
    def preprocessing(self):
        return Named("cifar10").preprocessing

    def build(self, classes):
        """The ``keras.Model`` with ``classes`` probabilities."""
        import keras
        from keras import layers

        from keras_classics import alexnet, builder
        from keras_classics.layers import MaxPooling2D

        # Assumption: He's weights for ReLU, Glorot's for tanh and sigmoid, so that each can start.
        start = {"kernel_initializer": "he_normal" if self.activation == "relu" else "glorot_uniform"}
        inputs = keras.Input((alexnet.VARIANTS["cifar10"].image_size,) * 2 + (3,))
        x = layers.Rescaling(1 / _DEVIATION, name="scaled")(inputs)
        for number in range(len(self.filters)):
            x = self._convolution(number, x, start)
            if number in self.pooled:
                x = MaxPooling2D(self.pool, strides=2, padding="same", name=f"pool{number + 1}")(x)
        x = layers.Flatten(name="flatten")(x)
        for number, units in enumerate(self.dense, len(self.filters) + 1):
            x = layers.Dense(units, activation=self.activation, name=f"fc{number}", **start)(x)
            if self.dropout:
                x = layers.Dropout(self.dropout, name=f"drop{number}")(x)
        return keras.Model(inputs, builder.classifier(x, classes, "softmax", name="output"), name="small")

    def _convolution(self, number, x, start):
        from keras import layers

        from keras_classics import alexnet
        from keras_classics.layers import BatchNormalization, Conv2D, LocalResponseNormalization

        normalization = self.normalization if number < 2 else "none"
        row = {"padding": "same", "groups": self.groups[number], "name": f"conv{number + 1}", **start}
        convolution = Conv2D(
            self.filters[number],
            self.kernels[number],
            activation=None if normalization == "batch" else self.activation,
            **row,
        )
        x = convolution(x)
        if normalization == "lrn":
            paper = alexnet.VARIANTS["paper"].lrn  # for maps of pixels that are not divided
            divided = {**paper, "alpha": paper["alpha"] * _DEVIATION**2}
            x = LocalResponseNormalization(**divided, name=f"norm{number + 1}")(x)
        elif normalization == "batch":
            x = BatchNormalization(name=f"norm{number + 1}")(x)
            x = layers.Activation(self.activation, name=f"act{number + 1}")(x)
        return x

    def without_convolution(self, number):
        """The same without convolution ``number`` (from 0); pooling that followed it follows the one before."""
        kept = [index for index in range(len(self.filters)) if index != number]
        rows = {name: tuple(getattr(self, name)[index] for index in kept) for name in ("filters", "kernels", "groups")}
        pooled = {max(0, index - 1) if index >= number else index for index in self.pooled}
        if len(pooled) < len(self.pooled):  # two poolings would meet: the later one moves on
            pooled |= {1}
        return dataclasses.replace(self, pooled=tuple(sorted(pooled)), **rows)


@dataclasses.dataclass(frozen=True)
class Named:
    """An AlexNet of ``alexnet.VARIANTS``, by its name."""

    variant: str

    def __repr__(self):
        """With all numbers of the variant, so that runs of other numbers have another ``Arm.key``."""
        from keras_classics.runtime import start_tensorflow

        start_tensorflow()  # which the next import brings along
        from keras_classics.alexnet_variants import VARIANTS

        return f"Named({self.variant!r}, {VARIANTS[self.variant]!r})"

    @property
    def preprocessing(self):
        from keras_classics import alexnet

        return alexnet.VARIANTS[self.variant].preprocessing

    def build(self, classes):
        """The ``keras.Model`` with ``classes`` probabilities."""
        from keras_classics import AlexNet

        return AlexNet(variant=self.variant, classes=classes)
