"""The one error that this package raises for what the user can mend, and its one special case."""


class ClassifierError(Exception):
    """Something the user can mend; the message is one sentence for them, naming file and row.

    The command line prints the message alone and exits with 1; a traceback means a bug.
    """


class DiskFullError(ClassifierError):
    """There was no room to write `target`; what was there before is there still."""

    def __init__(self, target: object, then: str = "try again") -> None:
        super().__init__(
            f"The disk is full: nothing was written to {target}; free some space and {then}."
        )
        self.target = target
