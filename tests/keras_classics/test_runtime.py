"""What the commands know of the machine."""

import os
import subprocess
import sys

from keras_classics import runtime
from tests.conftest import ROOT


def test_cores_are_those_that_the_process_may_run_on():
    """As a batch system, a container or ``taskset`` leaves them."""
    said = "import os; os.sched_setaffinity(0, {%d}); from keras_classics import runtime; print(runtime.cores())"
    one = said % min(os.sched_getaffinity(0))
    done = subprocess.run([sys.executable, "-c", one], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]
    assert 1 <= runtime.cores() <= os.cpu_count()
