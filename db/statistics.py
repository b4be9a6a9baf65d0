"""How both poolings fare on live reviews: counted by the database, over a period.

The database groups, so that a few rows stand for any number of reviews; what is derived from the
groups (accuracy, mean error) is a few additions here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, distinct, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from db.models import Feedback, Prediction, Review

SentimentOf = Callable[[int], int]
"""The sentiment 0..2 that a rating 0..10 stands for."""


class Period(NamedTuple):
    """From `since` on, before `until`; both aware."""

    since: datetime
    until: datetime

    def holds(self, moment: InstrumentedAttribute[datetime]) -> ColumnElement[bool]:
        return and_(moment >= self.since, moment < self.until)


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
        return _share(sum(self.confusion[i][i] for i in range(3)), self.count)

    @property
    def rating_exact(self) -> float | None:
        return _share(self.exact, self.rated)

    @property
    def rating_within_one(self) -> float | None:
        return _share(self.within_one, self.rated)

    @property
    def rating_mae(self) -> float | None:
        return _share(self.absolute_error, self.rated)


@dataclass(frozen=True)
class PoolingStatistics:
    """The predictions of one pooling, made in the period."""

    sentiments: tuple[int, ...]  # how often it predicted each
    median_milliseconds: float  # to a tenth
    p95_milliseconds: float
    answers: Answers  # all of them
    asked: Answers  # by users who were asked to rate
    volunteered: Answers  # by users who chose to: not a fair sample

    @property
    def predictions(self) -> int:
        return sum(self.sentiments)


@dataclass(frozen=True)
class PairStatistics:
    """Both poolings on the same reviews, predicted by the same model version."""

    reviews: int
    same_sentiment: int
    rated: int  # reviews to which both gave a rating
    same_rating: int
    # Of the ratings that users gave: how often the sentiment of both is right, and so on.
    both_right: int
    only_cls_right: int
    only_mean_right: int
    neither_right: int


@dataclass(frozen=True)
class Statistics:
    """What was written, predicted and answered in a period."""

    reviews: int
    users: int
    reviews_with_feedback: int
    poolings: dict[str, PoolingStatistics]  # "cls" and "mean", less one that predicted nothing
    pair: PairStatistics

    @property
    def coverage(self) -> float | None:
        return _share(self.reviews_with_feedback, self.reviews)


async def collect(session: AsyncSession, period: Period, sentiment_of: SentimentOf) -> Statistics:
    """Count the reviews written and the predictions made in the period, with the feedback on them.

    Feedback counts however late it came. A share of nothing is None. Best in a reading session:
    the numbers are then of one moment, and nobody waits for them.
    """
    written = period.holds(Review.created_at)
    users = func.count(distinct(Review.user_id))
    totals = (await session.execute(select(func.count(), users).where(written))).one()
    rated = select(func.count(distinct(Review.id))).join(Review.feedback).where(written)
    return Statistics(
        reviews=totals[0],
        users=totals[1],
        reviews_with_feedback=await session.scalar(rated) or 0,
        poolings=await _poolings(session, period, sentiment_of),
        pair=await _pair(session, period, sentiment_of),
    )


async def _poolings(
    session: AsyncSession, period: Period, sentiment_of: SentimentOf
) -> dict[str, PoolingStatistics]:
    predicted = await _predicted(session, period)
    answered = await _answered(session, period)
    statistics = {}
    for pooling in sorted({row.pooling for row in predicted}):
        made = [row for row in predicted if row.pooling == pooling]
        rows = [row for row in answered if row.pooling == pooling]
        statistics[pooling] = PoolingStatistics(
            sentiments=tuple(
                sum(row.times for row in made if row.sentiment == i) for i in range(3)
            ),
            median_milliseconds=_percentile(made, 50),
            p95_milliseconds=_percentile(made, 95),
            answers=_answers(rows, sentiment_of),
            asked=_answers([row for row in rows if row.asked], sentiment_of),
            volunteered=_answers([row for row in rows if not row.asked], sentiment_of),
        )
    return statistics


class _Predicted(NamedTuple):
    pooling: str
    sentiment: int
    tenths: float  # of a millisecond, whole
    times: int


async def _predicted(session: AsyncSession, period: Period) -> list[_Predicted]:
    """How often each sentiment was predicted in each tenth of a millisecond."""
    tenths = func.round(Prediction.milliseconds * 10)
    rows = await session.execute(
        select(Prediction.pooling, Prediction.sentiment, tenths, func.count())
        .where(period.holds(Prediction.created_at))
        .group_by(Prediction.pooling, Prediction.sentiment, tenths)
    )
    return [_Predicted(*row) for row in rows]


def _percentile(rows: Iterable[_Predicted], percent: int) -> float:
    """The least latency, in milliseconds, that `percent` % of the predictions don't exceed."""
    ordered = sorted(rows, key=attrgetter("tenths"))
    total = sum(row.times for row in ordered)
    up_to = accumulate(row.times for row in ordered)
    least = next(row for row, n in zip(ordered, up_to, strict=True) if 100 * n >= percent * total)
    return least.tenths / 10


class _Answered(NamedTuple):
    pooling: str
    asked: bool
    given: int
    sentiment: int
    rating: int | None
    times: int


async def _answered(session: AsyncSession, period: Period) -> list[_Answered]:
    """How often each prediction met each rating given."""
    groups = (
        Prediction.pooling,
        Feedback.asked,
        Feedback.rating,
        Prediction.sentiment,
        Prediction.rating,
    )
    rows = await session.execute(
        select(*groups, func.count())
        .join(Feedback, Feedback.review_id == Prediction.review_id)
        .where(period.holds(Prediction.created_at))
        .group_by(*groups)
    )
    return [_Answered(*row) for row in rows]


def _answers(rows: Iterable[_Answered], sentiment_of: SentimentOf) -> Answers:
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


async def _pair(session: AsyncSession, period: Period, sentiment_of: SentimentOf) -> PairStatistics:
    cls, mean = aliased(Prediction), aliased(Prediction)
    same_sentiment, same_rating = cls.sentiment == mean.sentiment, cls.rating == mean.rating
    both = and_(
        mean.review_id == cls.review_id,
        mean.model_version == cls.model_version,
        mean.pooling == "mean",
    )
    chosen = and_(cls.pooling == "cls", period.holds(cls.created_at))
    agreement = (
        await session.execute(
            select(same_sentiment, same_rating, func.count())
            .select_from(cls)
            .join(mean, both)
            .where(chosen)
            .group_by(same_sentiment, same_rating)
        )
    ).all()
    right = {(first, second): 0 for first in (True, False) for second in (True, False)}
    for given, of_cls, of_mean, count in await session.execute(
        select(Feedback.rating, cls.sentiment, mean.sentiment, func.count())
        .join(cls, cls.review_id == Feedback.review_id)
        .join(mean, both)
        .where(chosen)
        .group_by(Feedback.rating, cls.sentiment, mean.sentiment)
    ):
        truth = sentiment_of(given)
        right[of_cls == truth, of_mean == truth] += count
    return PairStatistics(
        reviews=sum(count for _, _, count in agreement),
        same_sentiment=sum(count for same, _, count in agreement if same),
        rated=sum(count for _, same, count in agreement if same is not None),
        same_rating=sum(count for _, same, count in agreement if same),
        both_right=right[True, True],
        only_cls_right=right[True, False],
        only_mean_right=right[False, True],
        neither_right=right[False, False],
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
