"""The one exception for what a user can put right: its text is one sentence, shown as it stands."""


class InputError(ValueError):
    """Something given from outside (a name, a file, a folder, a value) cannot be used; the text says what to do."""
