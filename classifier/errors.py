"""What this package raises for what the user can fix, its special case, and an interruption."""


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


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM; the message says what can be done about it.

    No KeyboardInterrupt: typer ends the process at that one before anybody can say a word.
    """

    def __init__(self, message: str = "Interrupted.") -> None:
        super().__init__(message)
