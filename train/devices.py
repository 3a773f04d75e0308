"""Which devices train: one strategy for GPUs and CPUs alike."""

import tensorflow as tf


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
