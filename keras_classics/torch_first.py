"""PyTorch beside TensorFlow in one process: the order in which the two can be loaded."""

import sys


def load():
    """Import PyTorch so that it works beside TensorFlow, and return it.

    PyTorch loads triton when something first needs it (``torch.optim`` does), and triton's LLVM clashes with
    TensorFlow's if TensorFlow is there already: the process ends with SIGSEGV (PyTorch 2.14.1, triton 3.8, TensorFlow
    2.21). So call this before TensorFlow is started where both are needed: triton is then loaded at once. Where
    TensorFlow came first, triton is hidden from this process, and PyTorch does without it; only ``torch.compile``
    needs it.

    Raises:
        ImportError: PyTorch is not installed.
    """
    if "tensorflow" in sys.modules:
        sys.modules.setdefault("triton", None)  # "import triton" then fails as if it were not installed
        import torch
    else:
        import torch
        import torch._dynamo  # loads triton
    return torch
