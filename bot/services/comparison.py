"""Which pooling is better on live reviews, and whether that is more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from db.pairs import UserSums

if TYPE_CHECKING:  # numpy takes a tenth of a second that the bot's start does without
    from numpy.typing import NDArray

    from classifier.evaluation.resampling import Difference, Figures

ENOUGH = 100
"""Answers below which no verdict is given. Two good models differ on one review in ten or so, and
of fewer than six such reviews even "all for one model" is within chance."""

ENOUGH_USERS = 10  # users below which none is given either: the interval is about other users
_MEASURES = 2  # that the level of significance is shared out among
_RESAMPLES = 4000
_SEED = 0  # the same answers make the same message


@dataclass(frozen=True)
class Comparison:
    """What the answers say of the two, mean less CLS; None of what no review has."""

    answers: int
    users: int
    accuracy: "Difference | None" = None
    mae: "Difference | None" = None

    @property
    def better_at_sentiment(self) -> str | None:
        """The pooling that is better, or None as far as the answers show."""
        return _better(self.accuracy, "mean", "cls")

    @property
    def better_at_rating(self) -> str | None:
        return _better(self.mae, "cls", "mean")  # the smaller error is better


def compare(users: Sequence[UserSums]) -> Comparison:
    """Each user with all of their answers is the unit of the intervals and of the error's p.

    10,000 users take about a second of processor time: call it in a thread.

    The p value of the accuracy is exact McNemar's, of single answers; so its interval, which is
    wider where users differ, has to exclude zero too.
    """
    import numpy as np

    from classifier.evaluation.resampling import mcnemar, paired_differences, ratio

    def figures_of(sums: "NDArray[np.float64]") -> "Figures":
        answers, right, rated, error = sums.T
        return {"accuracy": ratio(right, answers), "mae": ratio(error, rated)}

    if not users:
        return Comparison(answers=0, users=0)
    # What is drawn depends on the order, and a database may give the users in any.
    answers, only_cls, only_mean, rated, error = np.array(sorted(users)).T
    # What both models have in common cancels out of their differences, and isn't counted.
    cls, mean = (answers, only_cls, rated, 0 * error), (answers, only_mean, rated, error)
    found = paired_differences(
        np.stack(cls, axis=1), np.stack(mean, axis=1), figures_of, seed=_SEED, resamples=_RESAMPLES
    )
    p = mcnemar(int(only_cls.sum()), int(only_mean.sum()))
    accuracy = replace(found["accuracy"], p=p)
    return Comparison(int(answers.sum()), len(users), accuracy, found.get("mae"))


def _better(difference: "Difference | None", if_more: str, if_less: str) -> str | None:
    from classifier.evaluation.resampling import SIGNIFICANCE, excludes_zero

    if difference is None or difference.p > SIGNIFICANCE / _MEASURES:
        return None
    if not excludes_zero(difference.difference, difference.low, difference.high):
        return None
    return if_more if difference.difference > 0 else if_less
