"""When what can wait is read: at once while nobody writes, else in a small share of the time.

Reading it only while no review waits is not enough: whoever writes next would find the processor
busy with it each time.
"""

import math

QUIET = 1.0
"""Seconds without a new review, after which all time is spare."""

_SHARE = 0.2  # of the time, while reviews come
_AT_ONCE = 4  # texts, in quiet; whoever writes meanwhile waits for no more


class SpareTime:
    """What can wait may be read, by a clock in seconds."""

    def __init__(self) -> None:
        self._review_came = self._next = -math.inf

    def review_came(self, now: float) -> None:
        self._review_came = now

    def used(self, began: float, ended: float) -> None:
        """So long something was read that can wait."""
        self._next = ended + (ended - began) * (1 / _SHARE - 1)

    def starts_in(self, now: float) -> float:
        """Seconds until the next may be read; 0 for now."""
        return max(0.0, min(self._next, self._review_came + QUIET) - now)

    def most(self, now: float) -> int:
        """How many texts to read at once."""
        return _AT_ONCE if now >= self._review_came + QUIET else 1
