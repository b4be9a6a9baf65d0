"""How both poolings fare on live reviews: counted by the database, over a period.

The database groups, so that a few rows stand for any number of reviews; what is derived from the
groups (accuracy, mean error) is a few additions here.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import BigInteger, cast, distinct, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.answers import Answered, Answers, answered, answers_of, calibration_error, grouped, share
from db.measures import Period, SentimentOf
from db.models import Prediction, Review
from db.pairs import PairStatistics, pair


@dataclass(frozen=True)
class PoolingStatistics:
    """The predictions of one pooling, made in the period."""

    sentiments: tuple[int, ...]  # how often it predicted each
    median_milliseconds: float  # to a tenth
    p95_milliseconds: float
    answers: Answers  # all of them
    asked: Answers  # by users who were asked to rate
    volunteered: Answers  # by users who chose to: not a fair sample
    calibration_error: float | None
    versions: dict[str, Answers]  # those of each model version that users answered

    @property
    def predictions(self) -> int:
        return sum(self.sentiments)


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
        return share(self.reviews_with_feedback, self.reviews)


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
        pair=await pair(session, period, sentiment_of),
    )


async def first_prediction(session: AsyncSession) -> datetime | None:
    """When the oldest prediction was made."""
    return await session.scalar(select(func.min(Prediction.created_at)))


async def _poolings(
    session: AsyncSession, period: Period, sentiment_of: SentimentOf
) -> dict[str, PoolingStatistics]:
    predicted = await _predicted(session, period)
    rows_of = grouped(await answered(session, period), attrgetter("pooling"))
    statistics = {}
    for pooling in sorted({row.pooling for row in predicted}):
        made = [row for row in predicted if row.pooling == pooling]
        statistics[pooling] = _pooling(made, rows_of.get(pooling, []), sentiment_of)
    return statistics


def _pooling(
    made: list["_Predicted"], rows: list[Answered], sentiment_of: SentimentOf
) -> PoolingStatistics:
    return PoolingStatistics(
        sentiments=tuple(map(sum, zip(*(row.sentiments for row in made), strict=True))),
        median_milliseconds=_percentile(made, 50),
        p95_milliseconds=_percentile(made, 95),
        answers=answers_of(rows, sentiment_of),
        asked=answers_of((row for row in rows if row.asked), sentiment_of),
        volunteered=answers_of((row for row in rows if not row.asked), sentiment_of),
        calibration_error=calibration_error(rows, sentiment_of),
        versions={
            version: answers_of(of_version, sentiment_of)
            for version, of_version in sorted(grouped(rows, attrgetter("version")).items())
        },
    )


class _Predicted(NamedTuple):
    tenths: int  # of a millisecond
    pooling: str
    sentiments: tuple[int, ...]  # how often it predicted each in that time


async def _predicted(session: AsyncSession, period: Period) -> list[_Predicted]:
    """How often each sentiment was predicted in each tenth of a millisecond, the least first."""
    tenths = cast(func.round(Prediction.milliseconds * 10), BigInteger).label("tenths")
    rows = await session.execute(
        select(
            tenths,
            Prediction.pooling,
            *(func.count().filter(Prediction.sentiment == sentiment) for sentiment in range(3)),
        )
        .where(period.holds(Prediction.created_at))
        .group_by("tenths", Prediction.pooling)
        .order_by("tenths", Prediction.pooling)
    )
    return [_Predicted(place, pooling, tuple(times)) for place, pooling, *times in rows]


def _percentile(rows: Sequence[_Predicted], percent: int) -> float:
    """The least latency, in milliseconds, that `percent` % of the predictions don't exceed."""
    up_to = list(accumulate(sum(row.sentiments) for row in rows))
    least = bisect_left(up_to, percent * up_to[-1], key=lambda times: 100 * times)
    return rows[least].tenths / 10
