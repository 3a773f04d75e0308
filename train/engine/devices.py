"""Which devices and machines train and how they compute: strategy, precision, determinism."""

import json
import os

import keras
import numpy as np
import tensorflow as tf

from keras_classics import runtime
from keras_classics.errors import InputError


def configure(precision="float32", deterministic=False):
    """Set how networks built from now on compute; before the first of them.

    Args:
        precision: a name in ``run_settings.PRECISIONS``. In the mixed ones weights, losses and outputs stay float32;
            under "mixed_float16" the trainer scales the loss so that small gradients do not vanish.
        deterministic: choose kernels whose result does not depend on the order of their threads, so that two runs with
            one seed end with the same bits on one machine.
    """
    keras.config.set_dtype_policy(precision)
    if deterministic:
        tf.config.experimental.enable_op_determinism()


def strategy(kind="auto", devices=None):
    """The ``tf.distribute.Strategy`` that shares each step's batch out evenly and sums the gradients.

    Args:
        kind: "one" device; "mirrored" over the devices of this machine; "multiworker" over the machines that
            ``TF_CONFIG`` names; "auto": multiworker where ``TF_CONFIG`` names several, mirrored over several devices,
            else one.
        devices: how many of this machine; None takes all GPUs, or the one CPU where there is none. Without a GPU, a
            larger number divides the CPU, to try things out; before TensorFlow has used it.

    Raises:
        InputError: there are not so many devices, or ``TF_CONFIG`` is not what it should be.
    """
    workers = _workers_named()
    if kind == "auto":
        kind = "multiworker" if workers > 1 else "auto"
    gpus = tf.config.list_physical_devices("GPU")
    if kind == "multiworker":
        return _multiworker(workers, gpus, devices)
    count = devices or (1 if kind == "one" else max(1, len(gpus)))
    if kind == "one" and count > 1:
        raise InputError(f"the strategy is one device, and {count} are requested.", settings=("strategy", "devices"))
    if gpus:
        if count > len(gpus):
            raise InputError(f"{count} devices are requested; this machine has {len(gpus)} GPUs.")
        names = [f"GPU:{number}" for number in range(count)]
    else:
        names = [f"CPU:{number}" for number in range(count)]
        if count > 1:
            _divide_cpu(count)
    if count == 1 and kind != "mirrored":
        return tf.distribute.OneDeviceStrategy(names[0])
    # NCCL, the default, is for GPUs only.
    return tf.distribute.MirroredStrategy(
        names, cross_device_ops=None if gpus else tf.distribute.ReductionToOneDevice()
    )


def one_thread_an_operation():
    """Have TensorFlow compute an operation on a CPU in one thread, and several of them at once.

    For networks as small as LeNet-5, whose operations end before their threads have shared them out, if the images of a
    step go through the network in lanes (``trainer.Trainer``). Does nothing once TensorFlow is in use, or where there
    is a GPU.

    Returns:
        How many lanes there may be: as many as cores, or 1 where nothing was done.
    """
    if tf.config.list_physical_devices("GPU"):
        return 1
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
    except RuntimeError:
        return 1
    return runtime.cores()


def _divide_cpu(count):
    cpu = tf.config.list_physical_devices("CPU")[0]
    parts = tf.config.get_logical_device_configuration(cpu)
    if parts and len(parts) >= count:
        return
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except RuntimeError as error:
        raise InputError(f"the CPU cannot be divided into {count} devices any more; it is in use.") from error


def _workers_named():
    """How many workers ``TF_CONFIG`` names; 0 where it is not set."""
    text = os.environ.get("TF_CONFIG")
    if not text:
        return 0
    try:
        content = json.loads(text)
        jobs, task = content["cluster"], content["task"]
        addresses = [address for job in ("chief", "worker") for address in jobs.get(job, [])]
        if {*jobs} - {"chief", "worker"}:
            raise ValueError(f"it names {', '.join(sorted({*jobs} - {'chief', 'worker'}))}")
        if not all(isinstance(job, list) for job in jobs.values()) or not all(map(_is_address, addresses)):
            raise ValueError("its addresses are no lists of HOST:PORT")
        if not 0 <= int(task["index"]) < len(jobs[task["type"]]):
            raise ValueError(f"there is no {task['type']} {task['index']}")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise InputError(
            'TF_CONFIG is not of the form {"cluster": {"worker": ["HOST:PORT", …]}, "task": {"type": "worker", '
            f'"index": 0}}}}, with this machine\'s own index ({error}).'
        ) from error
    return len(addresses)


def _is_address(text):
    host, _, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    return bool(host) and port.isdecimal() and 0 < int(port) < 2**16


def _multiworker(workers, gpus, devices):
    if not workers:
        raise InputError(
            "several machines find each other by their addresses in TF_CONFIG, which is not set.",
            settings=("strategy",),
        )
    if devices and devices > max(1, len(gpus)):
        raise InputError(f"{devices} devices are requested; each machine has {max(1, len(gpus))} here.")
    if devices and gpus:
        tf.config.set_visible_devices(gpus[:devices], "GPU")
    communication = tf.distribute.experimental.CommunicationImplementation
    options = tf.distribute.experimental.CommunicationOptions(
        implementation=communication.AUTO if gpus else communication.RING
    )
    return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)


def workers(strategy):
    """How many machines the strategy spans, and which of them this is, from 0: the chief."""
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None or not resolver.task_type:
        return 1, 0
    jobs = resolver.cluster_spec().as_dict()
    before = len(jobs.get("chief", ())) if resolver.task_type == "worker" else 0
    return sum(map(len, jobs.values())), before + resolver.task_id


def summed(strategy, values):
    """Over the machines, the sum of a tensor that each has one of; in a graph, at the same point of each."""

    def a_replica(share):
        # A value from outside belongs to no device, and could not be sent from one.
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(share))

    local = len(strategy.extended.worker_devices)
    return strategy.experimental_local_results(strategy.run(a_replica, args=(values / local,)))[0]


_summed = tf.function(summed, autograph=False)


def total(strategy, values):
    """Over the machines, the sums of some numbers that each knows; all call this at the same point. An array."""
    if workers(strategy)[0] == 1:
        return np.asarray(values, np.float64)
    return _summed(strategy, tf.constant(values, tf.float64)).numpy()


def anyone(strategy, flag):
    """Whether ``flag`` is true on any machine; all call this at the same point."""
    return bool(total(strategy, [float(flag)])[0] > 0)


def describe(strategy):
    """A description of the devices of ``strategy``."""
    local = strategy.extended.worker_devices
    count = strategy.num_replicas_in_sync
    kinds = "/".join(sorted({device.split(":")[-2] for device in local}))
    machines, _ = workers(strategy)
    return f"{count} {kinds} device{'s' if count > 1 else ''}" + (f" of {machines} machines" if machines > 1 else "")
