"""The one exception for what a user can put right: its text is one sentence, shown as it stands."""


class InputError(ValueError):
    """Something given from outside (a name, a file, a folder, a value) cannot be used; the text says what to do.

    Args:
        text: the sentence. It names things, not command-line arguments, for it is raised by the library too.
        settings: names of the settings that it is about, such as "learning_rate"; a command adds them to the sentence
            as its arguments, ``--learning-rate``.
    """

    def __init__(self, text, settings=()):
        super().__init__(text)
        self.settings = tuple(settings)
