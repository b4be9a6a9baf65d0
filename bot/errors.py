"""The one error that this package raises for what the operator can correct."""


class BotError(Exception):
    """A sentence for the operator, or several: `python -m bot` prints it and exits with 1."""
