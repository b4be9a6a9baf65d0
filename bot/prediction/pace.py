"""How much of each review is read: all of it, or less before people have to wait.

The pace is measured: seconds a token, of the batches read last. By it the time is predicted in
which all that waits would be read, in whole or in short.
"""

from collections.abc import Iterable

from classifier.evaluation.limits import LIMITS

SHORTER = (512, LIMITS.in_short)
"""Tokens that are read of a review where there is no time for more: its beginning and its end.
The gate judges by the last of them too."""

BOUND = 0.5
"""Seconds in which all that waits is to be read. Who comes when a batch has just begun waits for
its end and for their own: for about twice as long."""

WHOLE = 1024  # tokens that a review has at most, for the models as they are usually trained
CHARACTERS_A_TOKEN = 4.5  # of Russian reviews (measured)

_REMEMBERED = 8192
"""Tokens after which a measurement counts half: some twenty reviews."""


class Pace:
    """The seconds that a token takes, and what follows from it."""

    def __init__(self) -> None:
        self._seconds = self._tokens = 0.0

    def note(self, seconds: float, tokens: int) -> None:
        """A batch of so many tokens was read in this time."""
        fades = 0.5 ** (tokens / _REMEMBERED)
        self._seconds = self._seconds * fades + seconds
        self._tokens = self._tokens * fades + tokens

    def most_tokens(self, characters: Iterable[int], behind: int = 0) -> int | None:
        """How many tokens to read of each review at most; None for all of them.

        `characters` of each review that waits; so many more are `behind` them, which are likely to
        be as long. What waits alone is read in whole, however slow the machine is.
        """
        lengths = [min(count / CHARACTERS_A_TOKEN, WHOLE) for count in characters]
        if len(lengths) + behind <= 1 or not self._tokens:
            return None
        for most in (None, *SHORTER):
            tokens = sum(lengths if most is None else (min(one, most) for one in lengths))
            tokens *= 1 + behind / len(lengths)
            if tokens * self._seconds / self._tokens <= BOUND:
                return most
        return SHORTER[-1]
