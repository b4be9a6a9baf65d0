"""Ratings that are likely wrong, by what the models said before they could have seen them.

The idea is confident learning's (Northcutt et al. 2021, https://arxiv.org/abs/1911.00068): a label
is doubtful where models that never learnt from it give it a low probability. Both models must see
another sentiment than the rating stands for, and the rating's support is the probability of the
model that believes more in it. Who reads the list sets the limit.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, Select, and_, case, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.counting import counts_as, on_its_judgement
from db.hard_reviews import HardReview
from db.measures import Period, SentimentOf, probability_of, same_review, truth
from db.models import Feedback, Judgement, Prediction, Review


class Doubt(NamedTuple):
    hard: HardReview
    support: int  # per cent, rounded up: the most that one of the models believes in the rating


class Rater(NamedTuple):
    """A person, all of whose ratings were answered by both models."""

    user_id: int
    ratings: int
    doubtful: int


class DoubtfulText(NamedTuple):
    feedback_id: int
    user_id: int
    review_id: int
    text: str


class Doubts:
    """Queries on the authors' ratings of the reviews that were answered in a period."""

    def __init__(self, session: AsyncSession, period: Period, sentiment_of: SentimentOf) -> None:
        self._session = session
        self._cls, self._mean = aliased(Prediction), aliased(Prediction)
        self._made = period.holds(self._cls.created_at)
        true = truth(Feedback.rating, sentiment_of)
        self._contradicts = and_(
            Judgement.id.is_(None), self._cls.sentiment != true, self._mean.sentiment != true
        )
        self._has_changed = Judgement.given != Feedback.rating  # since an admin judged it
        cls, mean = (probability_of(true, said) for said in (self._cls, self._mean))
        more = case((cls > mean, cls), else_=mean)
        self._support = cast(func.round(100 * more + 0.499), Integer)

    async def count(self) -> int:
        return await self._count(self._doubtful)

    async def first(self, limit: int, offset: int = 0) -> list[Doubt]:
        """The most doubtful after the first `offset`, of equals the newest first.

        Before them come those that their users changed after an admin's word, which stands.
        """
        order = (
            case((self._has_changed, 0), else_=1),
            self._support,
            Feedback.updated_at.desc(),
            Feedback.id.desc(),
        )
        return await self._read(self._doubtful, order, limit, offset)

    async def count_judged(self) -> int:
        return await self._count(Judgement.id.is_not(None))

    async def judged(self, limit: int, offset: int = 0) -> list[Doubt]:
        """Those on which an admin's word stands, the last one first."""
        order = (Judgement.id.desc(),)
        return await self._read(Judgement.id.is_not(None), order, limit, offset)

    async def raters(self, fewest: int) -> list[Rater]:
        """Whoever has so many doubtful ratings, and half of all theirs: the most first."""
        doubtful = func.count().filter(self._contradicts)
        rows = await self._session.execute(
            self._joined(Feedback.user_id, func.count(), doubtful)
            .group_by(Feedback.user_id)
            .having(doubtful >= fewest, 2 * doubtful >= func.count())
            .order_by(doubtful.desc(), Feedback.user_id)
        )
        return [Rater(*row) for row in rows]

    async def doubtful_of(self, user_id: int, limit: int) -> list[tuple[int, int]]:
        """A person's doubtful ratings, the newest first: the ids of each and of its review."""
        rows = await self._session.execute(
            self._joined(Feedback.id, Review.id)
            .where(self._contradicts, Feedback.user_id == user_id)
            .order_by(Feedback.id.desc())
            .limit(limit)
        )
        return [(row[0], row[1]) for row in rows]

    async def doubtful_texts(self, limit: int) -> list[DoubtfulText]:
        """The newest doubtful ratings with their texts."""
        rows = await self._session.execute(
            self._joined(Feedback.id, Feedback.user_id, Review.id, Review.text)
            .where(self._contradicts)
            .order_by(Feedback.id.desc())
            .limit(limit)
        )
        return [DoubtfulText(*row) for row in rows]

    async def with_phrase(self, phrase: str, limit: int) -> list[tuple[int, int]]:
        """As `doubtful_of`: all ratings of reviews with the phrase that no admin has judged."""
        rows = await self._session.execute(
            self._joined(Feedback.id, Review.id)
            .where(Judgement.id.is_(None), Review.text.contains(phrase, autoescape=True))
            .order_by(Feedback.id.desc())
            .limit(limit)
        )
        return [(row[0], row[1]) for row in rows]

    async def other_texts(self, limit: int) -> Sequence[str]:
        """The newest texts whose ratings the models do not contradict."""
        rows = await self._session.execute(
            self._joined(Review.text)
            .where(or_(Judgement.id.is_not(None), ~self._contradicts))
            .order_by(Feedback.id.desc())
            .limit(limit)
        )
        return list(rows.scalars())

    @property
    def _doubtful(self) -> ColumnElement[bool]:
        return or_(self._contradicts, self._has_changed)

    async def _count(self, chosen: ColumnElement[bool]) -> int:
        return await self._session.scalar(self._joined(func.count()).where(chosen)) or 0

    async def _read(
        self, chosen: ColumnElement[bool], order: Sequence[Any], limit: int, offset: int
    ) -> list[Doubt]:
        rows = await self._session.execute(
            self._joined(
                *(Review, self._cls, self._mean, counts_as()),
                *(Feedback.asked, Feedback.rating, Judgement, self._support),
            )
            .where(chosen)
            .order_by(*order)
            .limit(limit)
            .offset(offset)
        )
        return [Doubt(HardReview(*row[:-1]), row[-1]) for row in rows]

    def _joined(self, *columns: Any) -> Select[Any]:
        by_author = and_(
            Feedback.review_id == self._cls.review_id, Feedback.user_id == Review.user_id
        )
        return (
            select(*columns)
            .select_from(self._cls)
            .join(self._mean, same_review(self._cls, self._mean))
            .join(Review, Review.id == self._cls.review_id)
            .join(Feedback, by_author)
            .outerjoin(Judgement, on_its_judgement())
            .where(self._made)
        )
