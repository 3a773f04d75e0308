"""tensorflow-model-optimization's 8-bit scheme, made to keep zeros and clusters layer by layer.

Its own schemes for that share one object among all layers of a kind, so that the first layer without zeros (here C1)
makes it forget the zeros of all that follow. Import this after ``aware.import_tfmot``.
"""

from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import (
    cluster_preserve_quantize_registry as clusters,
)
from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.prune_preserve import (
    prune_preserve_quantize_registry as zeros,
)
from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
    default_8bit_quantize_configs,
    default_8bit_quantize_registry,
    default_8bit_quantize_scheme,
)


class Scheme(default_8bit_quantize_scheme.Default8BitQuantizeScheme):
    """8 bits for every layer; those in ``preserved`` keep their zeros and their few values.

    Args:
        preserved: names of layers.
        clustered, sparse: whether their weights have few values, and zeros.
    """

    def __init__(self, preserved=(), *, clustered=False, sparse=False):
        self.preserved, self.clustered, self.sparse = frozenset(preserved), clustered, sparse

    def get_quantize_registry(self):
        return _Registry(self)


class _Registry(default_8bit_quantize_registry.Default8BitQuantizeRegistry):
    def __init__(self, scheme):
        super().__init__()
        self._scheme = scheme

    def get_quantize_config(self, layer):
        if type(layer).__name__ == "AveragePooling2D":
            # TFLite averages without rescaling: a range of its own would only add an operator before it.
            return default_8bit_quantize_configs.NoOpQuantizeConfig()
        if layer.name in self._scheme.preserved:
            if self._scheme.clustered:
                registry = clusters.Default8bitClusterPreserveQuantizeRegistry(self._scheme.sparse)
                return registry.get_quantize_config(layer)
            if self._scheme.sparse:
                return zeros.Default8bitPrunePreserveQuantizeRegistry().get_quantize_config(layer)
        return super().get_quantize_config(layer)
