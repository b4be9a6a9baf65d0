"""The one error that this package raises for bad input."""


class ClassifierError(Exception):
    """Something the user can mend; the message is one sentence for them, naming file and row.

    The command line prints the message alone and exits with 1; a traceback means a bug.
    """
