"""Pictures that cannot be decoded: named, counted, and tolerated up to a limit."""

import contextlib
import sys

from keras_classics.errors import InputError


class Unreadable:
    """The unreadable pictures met in a run, each named on stderr once.

    Args:
        limit: how many of them are tolerated.
    """

    def __init__(self, limit=0):
        self.limit, self.names = limit, []
        self._problem = None

    def note(self, names, what):
        """Tell of pictures, and what is done about them.

        Raises:
            InputError: there are more than the limit by now.
        """
        for name in names:
            if name not in self.names:
                self.names.append(name)
                if len(self.names) <= self.limit:
                    print(f"Cannot decode {name}; {what}.", file=sys.stderr, flush=True)
        self.check()

    def give_up(self, problem):
        """Raise an ``InputError`` of that text, now and whenever ``check`` is called."""
        self._problem = problem
        self.check()

    def check(self):
        """Raise an ``InputError`` if there are more than the limit."""
        if self._problem:
            raise InputError(self._problem)
        if len(self.names) > self.limit:
            raise InputError(
                f"cannot decode {len(self.names)} of the pictures, such as {self.names[-1]}; "
                f"{f'at most {self.limit} are tolerated' if self.limit else 'none is tolerated'}."
            )

    @contextlib.contextmanager
    def as_input_errors(self):
        """A block that reads pictures: what ``note`` raised in TensorFlow's threads becomes an ``InputError`` again."""
        try:
            yield
        except Exception:  # tf.errors.OpError, without importing TensorFlow
            self.check()
            raise
