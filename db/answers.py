"""Predictions beside the ratings that users gave: how often they are right, and how far off."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.measures import Period, SentimentOf, beginning, bin_of, confidence, step_of, truth
from db.models import Feedback, Prediction

BINS = 15
"""Of the confidence, for the calibration error: as many as the models' own report has."""


@dataclass(frozen=True)
class Answers:
    """Predictions of one pooling beside the ratings that users gave."""

    confusion: tuple[tuple[int, ...], ...]  # counts, [true sentiment][predicted sentiment]
    rated: int  # of these, predictions that have a rating
    exact: int  # rating predicted = rating given
    within_one: int
    absolute_error: int  # summed over the rated ones

    @property
    def count(self) -> int:
        return sum(map(sum, self.confusion))

    @property
    def accuracy(self) -> float | None:
        return share(sum(self.confusion[i][i] for i in range(3)), self.count)

    @property
    def macro_f1(self) -> float | None:
        """The mean F1 of the three sentiments; one that is neither true nor predicted counts 0."""
        true = [sum(row) for row in self.confusion]
        said = [sum(column) for column in zip(*self.confusion, strict=True)]
        f1 = [share(2 * self.confusion[i][i], true[i] + said[i]) or 0.0 for i in range(3)]
        return sum(f1) / 3 if self.count else None

    @property
    def rating_exact(self) -> float | None:
        return share(self.exact, self.rated)

    @property
    def rating_within_one(self) -> float | None:
        return share(self.within_one, self.rated)

    @property
    def rating_mae(self) -> float | None:
        return share(self.absolute_error, self.rated)


class Answered(NamedTuple):
    """How often a prediction met a rating given, and the confidence summed over those times."""

    bin: int
    given: int
    rating: int | None
    sentiment: int
    asked: bool
    pooling: str
    version: str
    times: int
    confidence: float


async def answered(session: AsyncSession, period: Period) -> list[Answered]:
    """The predictions made in the period that users answered, alike ones counted together."""
    sure = confidence(Prediction)
    # SQLite sorts what it groups, and sorts quickest by numbers that differ: the texts come last.
    groups = (
        Feedback.rating,
        Prediction.rating,
        Prediction.sentiment,
        Feedback.asked,
        Prediction.pooling,
        Prediction.model_version,
    )
    rows = await session.execute(
        select(bin_of(sure, BINS).label("bin"), *groups, func.count(), func.sum(sure))
        .join(Feedback, Feedback.review_id == Prediction.review_id)
        .where(period.holds(Prediction.created_at))
        .group_by("bin", *groups)
    )
    return [Answered(*row) for row in rows]


def answers_of(rows: Iterable[Answered], sentiment_of: SentimentOf) -> Answers:
    confusion = [[0, 0, 0] for _ in range(3)]
    rated = exact = within_one = absolute_error = 0
    for row in rows:
        confusion[sentiment_of(row.given)][row.sentiment] += row.times
        if row.rating is not None:
            error = abs(row.rating - row.given)
            rated += row.times
            exact += row.times * (error == 0)
            within_one += row.times * (error <= 1)
            absolute_error += row.times * error
    return Answers(tuple(map(tuple, confusion)), rated, exact, within_one, absolute_error)


def calibration_error(rows: Iterable[Answered], sentiment_of: SentimentOf) -> float | None:
    """How far confidence is from the share of right answers, over the bins; 0 at best.

    The expected calibration error of Guo et al., "On calibration of modern neural networks",
    ICML 2017: a bin's rows times its distance is the absolute sum of its rows' gaps.
    """
    gaps: dict[int, float] = defaultdict(float)
    count = 0
    for row in rows:
        gaps[row.bin] += row.times * (sentiment_of(row.given) == row.sentiment) - row.confidence
        count += row.times
    return sum(map(abs, gaps.values())) / count if count else None


class Step(NamedTuple):
    """The answers to predictions of one pooling made in one step of time."""

    pooling: str
    begins: datetime
    answers: int
    right: int
    rated: int
    absolute_error: int


async def steps(
    session: AsyncSession, period: Period, seconds: int, sentiment_of: SentimentOf
) -> list[Step]:
    """The answers to the period's predictions by steps of so many seconds (UTC), in order."""
    step = step_of(Prediction.created_at, seconds).label("step")
    right = case((truth(Feedback.rating, sentiment_of) == Prediction.sentiment, 1), else_=0)
    error = func.abs(Prediction.rating - Feedback.rating)
    rows = await session.execute(
        select(
            step,
            Prediction.pooling,
            func.count(),
            func.sum(right),
            func.count(Prediction.rating),
            func.coalesce(func.sum(error), 0),
        )
        .join(Feedback, Feedback.review_id == Prediction.review_id)
        .where(period.holds(Prediction.created_at))
        .group_by("step", Prediction.pooling)
        .order_by(Prediction.pooling, "step")
    )
    return [Step(pooling, beginning(begins, seconds), *counts) for begins, pooling, *counts in rows]


def grouped(rows: Iterable[Answered], key: Callable[[Answered], str]) -> dict[str, list[Answered]]:
    groups: dict[str, list[Answered]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
