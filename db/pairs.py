"""Both poolings on the same reviews: how often they agree, and which of them is right."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.measures import Period, SentimentOf, same_review, truth
from db.models import Feedback, Prediction


class UserSums(NamedTuple):
    """One user's answers together: a user's reviews are more alike than those of two users."""

    answers: int
    right: int  # how many more of them mean got right than CLS did
    rated: int  # answers to reviews to which both gave a rating
    error: int  # how much larger mean's absolute errors on these are than CLS's, summed


@dataclass(frozen=True)
class PairStatistics:
    """Both poolings on the same reviews, predicted by the same model version."""

    reviews: int
    same_sentiment: int
    ratings_apart: Mapping[int, int]  # points between the ratings of both → reviews
    # Of the ratings that users gave:
    sentiments: Mapping[tuple[int, int, int], int]  # the true one, CLS's, mean's → times
    errors: Mapping[tuple[int, int], int]  # absolute rating error of CLS, of mean → times
    users: Mapping[UserSums, int]  # → how many users have these

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
        return sum(self.sentiments.values())

    @property
    def both_right(self) -> int:
        return self._right(True, True)

    @property
    def only_cls_right(self) -> int:
        return self._right(True, False)

    @property
    def only_mean_right(self) -> int:
        return self._right(False, True)

    @property
    def neither_right(self) -> int:
        return self._right(False, False)

    def _right(self, of_cls: bool, of_mean: bool) -> int:
        return sum(
            times
            for (truth, cls, mean), times in self.sentiments.items()
            if (cls == truth, mean == truth) == (of_cls, of_mean)
        )


async def pair(session: AsyncSession, period: Period, sentiment_of: SentimentOf) -> PairStatistics:
    """The pairs of predictions made in the period."""
    cls, mean = aliased(Prediction), aliased(Prediction)
    both, made = same_review(cls, mean), period.holds(cls.created_at)
    same_sentiment, apart = cls.sentiment == mean.sentiment, func.abs(cls.rating - mean.rating)
    agreement = (
        await session.execute(
            select(same_sentiment, apart, func.count())
            .select_from(cls)
            .join(mean, both)
            .where(made)
            .group_by(same_sentiment, apart)
        )
    ).all()
    ratings_apart: Counter[int] = Counter()
    for _, points, times in agreement:
        if points is not None:
            ratings_apart[points] += times

    groups = (Feedback.rating, cls.sentiment, mean.sentiment, cls.rating, mean.rating)
    sentiments: Counter[tuple[int, int, int]] = Counter()
    errors: Counter[tuple[int, int]] = Counter()
    for given, of_cls, of_mean, cls_rating, mean_rating, times in await session.execute(
        select(*groups, func.count())
        .join(cls, cls.review_id == Feedback.review_id)
        .join(mean, both)
        .where(made)
        .group_by(*groups)
    ):
        sentiments[sentiment_of(given), of_cls, of_mean] += times
        if cls_rating is not None and mean_rating is not None:
            errors[abs(cls_rating - given), abs(mean_rating - given)] += times
    return PairStatistics(
        reviews=sum(times for *_, times in agreement),
        same_sentiment=sum(times for same, _, times in agreement if same),
        ratings_apart=dict(ratings_apart),
        sentiments=dict(sentiments),
        errors=dict(errors),
        users=await _users(session, period, sentiment_of),
    )


async def _users(
    session: AsyncSession, period: Period, sentiment_of: SentimentOf
) -> dict[UserSums, int]:
    cls, mean, given = aliased(Prediction), aliased(Prediction), Feedback.rating
    true = truth(given, sentiment_of)
    both_rate = and_(cls.rating.is_not(None), mean.rating.is_not(None))
    right = _one_if(mean.sentiment == true) - _one_if(cls.sentiment == true)
    error = func.abs(mean.rating - given) - func.abs(cls.rating - given)
    of_user = (
        select(
            func.count().label("answers"),
            func.sum(right).label("right"),
            func.sum(_one_if(both_rate)).label("rated"),
            func.sum(case((both_rate, error), else_=0)).label("error"),
        )
        .select_from(Feedback)
        .join(cls, cls.review_id == Feedback.review_id)
        .join(mean, same_review(cls, mean))
        .where(period.holds(cls.created_at))
        .group_by(Feedback.user_id)
        .subquery()
    )
    rows = await session.execute(select(*of_user.c, func.count()).group_by(*of_user.c))
    return {UserSums(*map(int, sums)): users for *sums, users in rows}


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)
