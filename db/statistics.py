"""What was written, predicted and answered in a period: counts and sums, never a metric.

The database groups, so that a few rows stand for any number of reviews. Feedback counts however
late it came. Best read in one reading session: the numbers are then of one moment, and nobody waits
for them.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    cast,
    distinct,
    extract,
    func,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.counting import counted, on_its_judgement
from db.measures import Period, SentimentOf, answer_counts, bin_of, confidence
from db.models import Judgement, Prediction, Review


class Written(NamedTuple):
    reviews: int
    users: int
    rated: int  # reviews with a rating that counts
    called_wrong: int  # reviews whose rating does not count, as an admin says


async def written(session: AsyncSession, period: Period) -> Written:
    """The reviews written in the period."""
    inside = period.holds(Review.created_at)
    users = func.count(distinct(Review.user_id))
    reviews = (await session.execute(select(func.count(), users).where(inside))).one()
    given = counted()
    rated = select(func.count(distinct(Review.id))).join(given, given.review_id == Review.id)
    called_wrong = (
        select(func.count(distinct(Review.id)))
        .join(Review.feedback)
        .join(Judgement, on_its_judgement())
        .where(Judgement.rating.is_(None))
    )
    counts = [await session.scalar(each.where(inside)) or 0 for each in (rated, called_wrong)]
    return Written(*reviews, *counts)


class Predicted(NamedTuple):
    """How often a pooling took so long, and what it predicted in that time."""

    tenths: int  # of a millisecond
    pooling: str
    in_short: int  # of how many reviews it did not read all, because others waited
    sentiments: tuple[int, ...]  # how often it predicted each


async def predicted(session: AsyncSession, period: Period) -> list[Predicted]:
    """The predictions made in the period, the quickest first."""
    tenths = cast(func.round(Prediction.milliseconds * 10), BigInteger).label("tenths")
    rows = await session.execute(
        select(
            tenths,
            Prediction.pooling,
            func.count().filter(Prediction.in_short),
            *(func.count().filter(Prediction.sentiment == sentiment) for sentiment in range(3)),
        )
        .where(period.holds(Prediction.created_at))
        .group_by("tenths", Prediction.pooling)
        .order_by("tenths", Prediction.pooling)
    )
    return [
        Predicted(tenth, pooling, in_short, tuple(times))
        for tenth, pooling, in_short, *times in rows
    ]


class Answered(NamedTuple):
    """How often a prediction met a rating given, and the confidence summed over those times."""

    bin: int
    given: int
    rating: int | None
    sentiment: int
    asked: bool
    in_short: bool
    pooling: str
    version: str
    times: int
    confidence: float


async def answered(session: AsyncSession, period: Period, bins: int) -> list[Answered]:
    """The predictions made in the period that users answered, equal ones counted together.

    `bins` is into how many equal parts the confidence is cut.
    """
    sure, given = confidence(Prediction), counted()
    # SQLite sorts what it groups, and sorts quickest by numbers that differ: the texts come last.
    groups: tuple[Any, ...] = (
        given.rating,
        Prediction.rating,
        Prediction.sentiment,
        given.asked,
        Prediction.in_short,
        Prediction.pooling,
        Prediction.model_version,
    )
    rows = await session.execute(
        select(bin_of(sure, bins).label("bin"), *groups, func.count(), func.sum(sure))
        .join(given, given.review_id == Prediction.review_id)
        .where(period.holds(Prediction.created_at))
        .group_by("bin", *groups)
    )
    return [Answered(*row) for row in rows]


class Step(NamedTuple):
    """The answers asked for at random to predictions of one pooling made in one step of time."""

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
    # Rounded down. A parameter would be a double, whose halves PostgreSQL rounds to even.
    half: ColumnElement[Any] = literal_column("0.5")
    whole = cast(func.round(extract("epoch", Prediction.created_at) - half), BigInteger)
    step = (whole // seconds).label("step")
    given = counted()
    rows = await session.execute(
        select(step, Prediction.pooling, *answer_counts(Prediction, given, sentiment_of))
        .join(given, given.review_id == Prediction.review_id)
        .where(period.holds(Prediction.created_at), given.asked)
        .group_by("step", Prediction.pooling)
        .order_by(Prediction.pooling, "step")
    )
    return [
        Step(pooling, datetime.fromtimestamp(number * seconds, UTC), *counts)
        for number, pooling, *counts in rows
    ]
