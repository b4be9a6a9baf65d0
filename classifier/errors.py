"""The error that this package raises for what the user can fix, and its one special case."""


class ClassifierError(Exception):
    """Something the user can fix; the message is one sentence for them, naming file and row.

    The command line prints the message alone and exits with 1; a traceback means a bug.
    """


class DiskFullError(ClassifierError):
    """There was no space to write `target`; its earlier content is unchanged."""

    def __init__(self, target: object, then: str = "try again") -> None:
        super().__init__(
            f"The disk is full: nothing was written to {target}; free some space and {then}."
        )
        self.target = target
