"""Both poolings on the same reviews: how often they agree, and which of them is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.measures import Period, SentimentOf, same_review, truth
from db.models import Feedback, Prediction


class UserSums(NamedTuple):
    """One user's answers together: a user's reviews are more alike than those of two users."""

    answers: int
    both_right: int
    only_cls_right: int
    only_mean_right: int
    rated: int  # answers to reviews to which both gave a rating
    error: int  # how much larger mean's absolute errors on these are than CLS's, summed

    @property
    def right(self) -> int:
        """How many more of the answers mean got right than CLS did."""
        return self.only_mean_right - self.only_cls_right


@dataclass(frozen=True)
class PairStatistics:
    """Both poolings on the same reviews, predicted by the same model version."""

    reviews: int
    same_sentiment: int
    ratings_apart: Mapping[int, int]  # points between the ratings of both → reviews
    users: Mapping[UserSums, int]  # of those who rated a review → how many have these

    @property
    def rated(self) -> int:
        """Reviews to which both gave a rating."""
        return sum(self.ratings_apart.values())

    @property
    def same_rating(self) -> int:
        return self.ratings_apart.get(0, 0)

    @property
    def within_one(self) -> int:
        """Reviews on which the ratings are at most one point apart."""
        return self.same_rating + self.ratings_apart.get(1, 0)

    @property
    def answered(self) -> int:
        return self._of_users("answers")

    @property
    def both_right(self) -> int:
        return self._of_users("both_right")

    @property
    def only_cls_right(self) -> int:
        return self._of_users("only_cls_right")

    @property
    def only_mean_right(self) -> int:
        return self._of_users("only_mean_right")

    @property
    def neither_right(self) -> int:
        right = self.both_right + self.only_cls_right + self.only_mean_right
        return self.answered - right

    def _of_users(self, figure: str) -> int:
        return sum(times * getattr(sums, figure) for sums, times in self.users.items())


async def pair(session: AsyncSession, period: Period, sentiment_of: SentimentOf) -> PairStatistics:
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
    agreement = [(points, pairs, alike) for points, pairs, alike in rows]
    return PairStatistics(
        reviews=sum(pairs for _, pairs, _ in agreement),
        same_sentiment=sum(alike for *_, alike in agreement),
        ratings_apart={points: pairs for points, pairs, _ in agreement if points is not None},
        users=await _users(session, period, sentiment_of),
    )


async def _users(
    session: AsyncSession, period: Period, sentiment_of: SentimentOf
) -> dict[UserSums, int]:
    cls, mean, given = aliased(Prediction), aliased(Prediction), Feedback.rating
    true = truth(given, sentiment_of)
    cls_right, mean_right = cls.sentiment == true, mean.sentiment == true
    error = func.abs(mean.rating - given) - func.abs(cls.rating - given)
    of_user = (
        select(
            func.count().label("answers"),
            func.count().filter(cls_right, mean_right).label("both_right"),
            func.count().filter(cls_right, ~mean_right).label("only_cls_right"),
            func.count().filter(~cls_right, mean_right).label("only_mean_right"),
            func.count(error).label("rated"),
            func.coalesce(func.sum(error), 0).label("error"),
        )
        .select_from(cls)
        .join(Feedback, Feedback.review_id == cls.review_id)
        .join(mean, same_review(cls, mean))
        .where(period.holds(cls.created_at))
        .group_by(Feedback.user_id)
        .subquery()
    )
    rows = await session.execute(select(*of_user.c, func.count()).group_by(*of_user.c))
    return {UserSums(*sums): users for *sums, users in rows}
