"""Both poolings on the same reviews: how often they agree, and which of them is right."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.measures import Period, SentimentOf, same_review
from db.models import Feedback, Prediction


@dataclass(frozen=True)
class PairStatistics:
    """Both poolings on the same reviews, predicted by the same model version."""

    reviews: int
    same_sentiment: int
    ratings_apart: Mapping[int, int]  # points between the ratings of both → reviews
    # Of the ratings that users gave:
    sentiments: Mapping[tuple[int, int, int], int]  # the true one, CLS's, mean's → times
    errors: Mapping[tuple[int, int], int]  # absolute rating error of CLS, of mean → times

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
    )
