"""Pairs: what both poolings of one version predicted of one review."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.counting import counted
from db.measures import Period, SentimentOf, same_review, truth
from db.models import Prediction, Review

Shares = tuple[float, float, float]
"""The probabilities of Bad, Neutral and Good."""


class AnsweredReview(NamedTuple):
    text: str
    cls: Shares
    mean: Shares


class UserSums(NamedTuple):
    """One user's answers together: a user's reviews are more alike than those of two users."""

    answers: int = 0
    only_cls_right: int = 0
    only_mean_right: int = 0
    rated: int = 0  # answers to reviews to which both gave a rating
    error: int = 0  # how much larger mean's absolute errors on these are than CLS's, summed


@dataclass(frozen=True)
class PairCounts:
    reviews: int
    same_sentiment: int
    ratings_apart: Mapping[int, int]  # points between the ratings of both → reviews
    users: Sequence[UserSums]  # of each user who gave a rating that was asked for at random

    @property
    def rated(self) -> int:
        """Reviews to which both gave a rating."""
        return sum(self.ratings_apart.values())

    def within(self, points: int) -> int:
        """Reviews on which the ratings are at most so far apart."""
        return sum(count for apart, count in self.ratings_apart.items() if apart <= points)

    @property
    def all_users(self) -> UserSums:
        return UserSums(*map(sum, zip(*self.users, strict=True)))


async def count(session: AsyncSession, period: Period, sentiment_of: SentimentOf) -> PairCounts:
    """The pairs of predictions made in the period."""
    cls, mean = aliased(Prediction), aliased(Prediction)
    apart = func.abs(cls.rating - mean.rating).label("apart")
    rows = await session.execute(
        select(apart, func.count(), func.count().filter(cls.sentiment == mean.sentiment))
        .select_from(cls)
        .join(mean, same_review(cls, mean))
        .where(period.holds(cls.created_at))
        .group_by("apart")
    )
    agreement = [(points, reviews, alike) for points, reviews, alike in rows]
    return PairCounts(
        reviews=sum(reviews for _, reviews, _ in agreement),
        same_sentiment=sum(alike for *_, alike in agreement),
        ratings_apart={points: reviews for points, reviews, _ in agreement if points is not None},
        users=await _users(session, period, sentiment_of),
    )


async def _users(
    session: AsyncSession, period: Period, sentiment_of: SentimentOf
) -> list[UserSums]:
    cls, mean, given = aliased(Prediction), aliased(Prediction), counted()
    true = truth(given.rating, sentiment_of)
    cls_right, mean_right = cls.sentiment == true, mean.sentiment == true
    error = func.abs(mean.rating - given.rating) - func.abs(cls.rating - given.rating)
    rows = await session.execute(
        select(
            func.count(),
            func.count().filter(cls_right, ~mean_right),
            func.count().filter(~cls_right, mean_right),
            func.count(error),
            func.coalesce(func.sum(error), 0),
        )
        .select_from(cls)
        .join(given, given.review_id == cls.review_id)
        .join(mean, same_review(cls, mean))
        .where(period.holds(cls.created_at), given.asked)
        .group_by(given.user_id)
    )
    return [UserSums(*row) for row in rows]


async def sample(
    session: AsyncSession, model_version: str, since: datetime, limit: int
) -> list[AnsweredReview]:
    """Reviews since then that both models of the version have read in whole and answered.

    All, or `limit` of them, in random order.
    """
    cls, mean = aliased(Prediction), aliased(Prediction)
    rows = await session.execute(
        select(
            Review.text,
            *(cls.probability_bad, cls.probability_neutral, cls.probability_good),
            *(mean.probability_bad, mean.probability_neutral, mean.probability_good),
        )
        .join(cls, cls.review_id == Review.id)
        .join(mean, same_review(cls, mean))
        .where(Review.created_at >= since, cls.model_version == model_version, ~cls.in_short)
        .order_by(func.random())
        .limit(limit)
    )
    return [AnsweredReview(row[0], cls=row[1:4], mean=row[4:]) for row in rows]
