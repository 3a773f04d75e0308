"""Pictures that cannot be decoded: named, counted, and borne up to a limit."""

import sys

from keras_classics.errors import InputError


class Unreadable:
    """The unreadable pictures met in a run, each named on stderr once.

    Args:
        limit: how many of them are borne.
    """

    def __init__(self, limit=0):
        self.limit, self.names = limit, []

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

    def check(self):
        """Raise an ``InputError`` if there are more than the limit."""
        if len(self.names) > self.limit:
            raise InputError(
                f"cannot decode {len(self.names)} of the pictures, such as {self.names[-1]}; "
                f"{f'at most {self.limit} are borne' if self.limit else 'none is borne'} (--max-bad)."
            )
