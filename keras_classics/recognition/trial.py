"""A ``.tflite`` run once in a child process, so that what it does to the interpreter it does not do to us.

What ``structure.check`` cannot rule out is left to this: operators with numbers that the native code divides by, sides
that grow from layer to layer. The child has a limit of memory and of time. Where the process has one thread and no
TensorFlow the child is a fork, which takes some 10 ms; else it is a Python of its own, which takes some 400 ms.
"""

import faulthandler
import os
import resource
import signal
import subprocess
import sys
import threading
import warnings

from keras_classics import children
from keras_classics.errors import InputError

MEMORY = 2**30  # bytes a model may take, beside four times its file
SECONDS = 5  # of computing one image
_NO_FORK = ("tensorflow", "torch", "onnxruntime", "jax")  # modules with threads that no fork survives
_REFUSED = 3  # exit code of a child that has written why


def check(model, name, *, reference=False):
    """Load ``model`` (bytes of a ``.tflite``) in a child process and compute one image of zeros.

    Args:
        model: of sound structure.
        name: what messages call it.
        reference: use the reference kernels, not the optimised ones.

    Raises:
        InputError: LiteRT refuses it, or the child does not survive it.
    """
    if threading.active_count() == 1 and not any(module in sys.modules for module in _NO_FORK):
        code, said = _in_fork(model, reference)
    else:
        command = children.module(__name__, *(["reference"] if reference else []))
        done = subprocess.run(command, input=model, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        code, said = done.returncode, done.stdout
    if code == 0:
        return
    if code == _REFUSED:
        reason = said.decode(errors="replace").rstrip(".")
    elif code in (-signal.SIGXCPU, -signal.SIGALRM, -signal.SIGKILL):
        reason = f"one image takes more than {SECONDS} s or {MEMORY:,} bytes"
    elif code < 0:
        reason = f"it ends in {signal.Signals(-code).name}; the file is damaged"
    else:
        reason = f"its trial ended with exit code {code}"
    raise InputError(f"LiteRT cannot run {name}: {reason}.")


def _in_fork(model, reference):
    """``(exit code, what it wrote)`` of a child."""
    from ai_edge_litert import interpreter  # noqa: F401 (loaded once, here)

    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads: those that NumPy starts survive it
        child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            faulthandler.disable()  # the parent says what there is to say
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            _attempt(model, reference, writing)
        finally:
            os._exit(1)
    code = None
    try:
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code, said
    finally:
        if code is None:  # interrupted
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _attempt(model, reference, output):
    """Confine this process, run the model once and end; what is wrong goes to the file descriptor ``output``."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    _confine(len(model))
    kernels = OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO
    try:
        interpreter = Interpreter(model_content=model, num_threads=1, experimental_op_resolver_type=kernels)
        interpreter.allocate_tensors()
        interpreter.get_tensor_details()
        interpreter.invoke()
        for output_details in interpreter.get_output_details():
            interpreter.get_tensor(output_details["index"])
    except MemoryError:
        os.write(output, f"it takes more than {MEMORY:,} bytes of memory".encode())
        os._exit(_REFUSED)
    except Exception as error:  # pybind11 raises what the C++ code does
        lines = str(error).strip().splitlines() or [type(error).__name__]
        os.write(output, lines[0].encode(errors="replace")[:300])
        os._exit(_REFUSED)
    os._exit(0)


def _confine(size):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(6 * SECONDS)  # of a machine that is busy
    with open("/proc/self/statm", "rb") as pages:  # noqa: PTH123
        taken = int(pages.read().split()[0]) * resource.getpagesize()
    limits = {
        resource.RLIMIT_AS: taken + MEMORY + 4 * size,
        resource.RLIMIT_CPU: SECONDS,
        resource.RLIMIT_CORE: 0,
    }
    for which, limit in limits.items():
        hard = resource.getrlimit(which)[1]
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(which, (allowed, allowed))


if __name__ == "__main__":
    _attempt(sys.stdin.buffer.read(), sys.argv[1:] == ["reference"], 1)
