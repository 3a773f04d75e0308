"""Which devices train and how they compute: one strategy for GPUs and CPUs alike, precision, determinism."""

import keras
import tensorflow as tf

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def configure(precision="float32", deterministic=False):
    """Set how networks built from now on compute; before the first of them.

    Args:
        precision: a name in ``PRECISIONS``. In the mixed ones weights, losses and outputs stay float32; under
            "mixed_float16" the trainer scales the loss so that small gradients do not vanish.
        deterministic: choose kernels whose result does not depend on the order of their threads, so that two runs with
            one seed end with the same bits on one machine.
    """
    keras.config.set_dtype_policy(precision)
    if deterministic:
        tf.config.experimental.enable_op_determinism()


def strategy(devices=None):
    """``tf.distribute.MirroredStrategy`` over ``devices``: all GPUs by default, or the one CPU when there is none.

    Over several devices each step's batch is shared out evenly and gradients are summed.
    """
    if devices is None:
        devices = [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
    if not devices:
        return tf.distribute.OneDeviceStrategy("CPU:0")
    # NCCL, the default, is for GPUs only.
    on_gpus = all("GPU" in device for device in devices)
    reduce = None if on_gpus else tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(devices, cross_device_ops=reduce)


def describe(strategy):
    """The devices of ``strategy`` in words."""
    devices = strategy.extended.worker_devices
    kinds = {device.split(":")[-2] for device in devices}
    return f"{len(devices)} {'/'.join(sorted(kinds))} device{'s' if len(devices) > 1 else ''}"
