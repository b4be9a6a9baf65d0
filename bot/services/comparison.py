"""What the answers of live reviews say of the two poolings; bot/services/comparing.py finds it."""

from dataclasses import dataclass
from enum import Enum, auto

ENOUGH = 100
"""Answers below which no verdict is given. Two good models differ on one review in ten or so, and
of fewer than six such reviews even "all for one model" is within chance."""

ENOUGH_USERS = 10
"""Users below which none is given either: the interval is about other users than these."""

P_LIMIT = 0.05 / 2
"""0.05 shared out between the two measures (Bonferroni)."""


@dataclass(frozen=True)
class Difference:
    """Mean's figure less CLS's, its 95 % interval by the paired bootstrap of users, p by a test."""

    value: float
    low: float
    high: float
    p: float

    @property
    def shown(self) -> bool:
        """Whether it is more than chance."""
        return self.p <= P_LIMIT and (self.low > 0 or self.high < 0)


class Better(Enum):
    CLS = auto()
    MEAN = auto()
    NEITHER = auto()  # as far as the answers show


@dataclass(frozen=True)
class Comparison:
    """What the answers say of the two; nothing of what no review has."""

    answers: int
    users: int
    accuracy: Difference | None
    mae: Difference | None

    @property
    def at_sentiment(self) -> Better:
        return _better(self.accuracy, Better.MEAN, Better.CLS)

    @property
    def at_rating(self) -> Better:
        return _better(self.mae, Better.CLS, Better.MEAN)  # the smaller error is better


def _better(difference: Difference | None, if_more: Better, if_less: Better) -> Better:
    if difference is None or not difference.shown:
        return Better.NEITHER
    return if_more if difference.value > 0 else if_less
