"""What a run may fail to write without losing its model: pictures, the report, samples, logs."""

import contextlib
import sys


@contextlib.contextmanager
def optional(what, on_failure=None):
    """In this block ``what`` is written; what goes wrong becomes a warning on stderr, and ``on_failure`` is called."""
    try:
        yield
    except Exception as error:  # libraries that draw and write raise what they like
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        print(f"Warning: cannot write {what}: {reason}. The model does not need it.", file=sys.stderr, flush=True)
        if on_failure:
            on_failure()
