"""Names of other libraries that are private or experimental: each is still there, and stands in docs/internals.md."""

import atexit
import functools
import importlib
import pathlib
import re
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from export.finetune import tfmot

ROOT = pathlib.Path(__file__).parents[1]
USED = [path for folder in ("keras_classics", "train", "export") for path in sorted((ROOT / folder).rglob("*.py"))]
DOCUMENTED = (ROOT / "docs" / "internals.md").read_text(encoding="utf-8")
PRIVATE = re.compile(
    r"""
      \b(?:tf|keras|tfds|tfmot|atexit|torch|ops|np)(?:\.\w+)*\.(?:experimental|raw_ops|compat|_[a-z]\w*)(?:\.\w+)*
    | \btensorflow_model_optimization\.python[.\w]*
    | (?<=\.)_?experimental_\w+
    | \bexperimental_\w+(?==)
    | \bschema_py_generated | \bflatbuffer_utils | \b_get_ops_details | \bBUILTIN_REF
    """,
    re.VERBOSE,
)


def trained(optimizer):
    """The optimizer, built for one variable."""
    optimizer.build([keras.Variable(np.zeros(2, "float32"))])
    return optimizer


def converter():
    return tf.lite.TFLiteConverter.from_keras_model(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))


def module_of_tfmot(name):
    tfmot.import_tfmot()  # which keeps what its import changes from the rest of the process
    return importlib.import_module(f"tensorflow_model_optimization.python.{name}")


def interpreter():
    return Interpreter(model_content=converter().convert(), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)


OPTIONS = "collab_opts"
# What each name belongs to, and the name.
NAMES = [
    *((lambda: tf.raw_ops, f"ResourceApply{name}") for name in ("Adam", "GradientDescent", "KerasMomentum")),
    *((lambda: tf.raw_ops, name) for name in ("FusedBatchNormV3", "ScaleAndTranslate", "RandomIndexShuffle")),
    (lambda: tf.autograph.experimental, "do_not_convert"),
    *(
        (lambda: trained(keras.optimizers.AdamW()), name)
        for name in ("_get_variable_index", "_momentums", "_velocities")
    ),
    (lambda: tf.experimental.dlpack, "from_dlpack"),
    (lambda: tf.xla.experimental, "jit_scope"),
    (lambda: tf.config.experimental, "enable_op_determinism"),
    (lambda: tf.data.experimental.AutoShardPolicy, "OFF"),
    (lambda: tf.data.Options(), "experimental_distribute"),
    *((lambda: tf.distribute.experimental, name) for name in ("CommunicationImplementation", "CommunicationOptions")),
    *(
        (lambda: tf.distribute.OneDeviceStrategy("CPU:0"), name)
        for name in ("experimental_distribute_dataset", "experimental_local_results")
    ),
    (lambda: tf.compat.v1, "SummaryMetadata"),
    (lambda: atexit, "_run_exitfuncs"),
    (lambda: threading, "_shutdown"),
    (converter, "_experimental_disable_per_channel_quantization_for_dense_layers"),
    (converter, "_experimental_calibrate_only"),
    (lambda: importlib.import_module("tensorflow.lite.python.convert"), "mlir_quantize"),
    (lambda: tf.lite.experimental, "QuantizationDebugger"),
    (lambda: OpResolverType, "BUILTIN_REF"),
    (interpreter, "_get_ops_details"),
    (lambda: importlib.import_module("ai_edge_litert.schema_py_generated"), "ModelT"),
    *(
        (lambda: importlib.import_module("ai_edge_litert.tools.flatbuffer_utils"), name)
        for name in ("read_model_from_bytearray", "convert_object_to_bytearray", "opcode_to_name")
    ),
    (functools.partial(module_of_tfmot, "core.clustering.keras.experimental.cluster"), "cluster_weights"),
    (lambda: tfmot.import_tfmot().experimental.combine, "strip_clustering_cqat"),
    *(
        (functools.partial(module_of_tfmot, f"core.quantization.keras.{module}"), name)
        for module, name in (
            (
                f"{OPTIONS}.cluster_preserve.cluster_preserve_quantize_registry",
                "Default8bitClusterPreserveQuantizeRegistry",
            ),
            (f"{OPTIONS}.prune_preserve.prune_preserve_quantize_registry", "Default8bitPrunePreserveQuantizeRegistry"),
            ("default_8bit.default_8bit_quantize_configs", "NoOpQuantizeConfig"),
            ("default_8bit.default_8bit_quantize_registry", "Default8BitQuantizeRegistry"),
            ("default_8bit.default_8bit_quantize_scheme", "Default8BitQuantizeScheme"),
        )
    ),
]


@pytest.mark.needs_extras("torch")
def test_torchs_compiler_is_there():
    assert importlib.import_module("torch._dynamo")


@pytest.mark.parametrize(("owner", "name"), NAMES, ids=[name for _, name in NAMES])
def test_the_name_is_there(owner, name):
    try:
        found = owner()
    except (AttributeError, ImportError) as error:
        pytest.fail(f"what has {name} is gone ({error}); docs/internals.md says where it is used and why.")
    assert hasattr(found, name), f"{found!r} has no {name} any more; docs/internals.md says where it is used and why."


def used():
    """Every such name in the code, outside comments and docstrings of one line: its last part."""
    for path in USED:
        for line in path.read_text(encoding="utf-8").splitlines():
            for match in PRIVATE.finditer(line.partition("  # ")[0]):
                yield match[0].rpartition(".")[2], path.relative_to(ROOT)


def test_every_such_name_in_the_code_is_documented():
    found = dict(used())
    assert len(found) > 15
    assert {name: str(path) for name, path in found.items() if name not in DOCUMENTED} == {}


def test_every_such_name_in_the_code_is_guarded():
    guarded = {name for _, name in NAMES}
    guarded |= {"schema_py_generated", "flatbuffer_utils", "cluster", "_dynamo"}  # modules
    guarded |= {"cluster_preserve", "prune_preserve", "default_8bit", "experimental_op_resolver_type"}
    guarded |= {"AUTO", "RING"}
    missing = {name: str(path) for name, path in used() if name not in guarded}
    assert missing == {}
