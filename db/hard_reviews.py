"""The reviews on which the models err most or differ most, and where errors gather."""

from collections.abc import AsyncIterator, Sequence
from enum import Enum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.counting import counted, counts_as, on_its_judgement
from db.measures import Period, SentimentOf, answer_counts, bin_of, confidence, same_review, truth
from db.models import Feedback, Judgement, Prediction, Review

LENGTHS = (200, 500, 1000, 2000, 5000)
"""In characters: where a group of lengths ends and the next begins."""

CONFIDENCE_GROUPS = 10
_CHUNK = 200


class Order(Enum):
    """Which reviews come first; the value stands for it in a button."""

    WORST = "w"  # by the larger of the two errors; among equals, by the smaller one
    DISAGREED = "d"  # by how sure the models are of different sentiments, and by their ratings


class HardReview(NamedTuple):
    """A review, its pair of predictions, and the author's rating if there is one."""

    review: Review
    cls: Prediction
    mean: Prediction
    given: int | None  # the rating that counts: the author's, or what an admin says it is
    asked: bool | None
    by_author: int | None = None  # the author's own rating, whether it counts or not
    judgement: Judgement | None = None  # an admin's word on it


class Group(NamedTuple):
    """The answers of one pooling to reviews that have the same key."""

    key: Any
    pooling: str
    answers: int
    right: int
    rated: int
    absolute_error: int


class HardReviews:
    """Queries on the pairs of predictions made in a period."""

    def __init__(self, session: AsyncSession, period: Period, sentiment_of: SentimentOf) -> None:
        self._session = session
        self._sentiment_of = sentiment_of
        self._cls, self._mean = aliased(Prediction), aliased(Prediction)
        self._given = counted()
        self._made = period.holds(self._cls.created_at)

    async def count(self, order: Order) -> int:
        """How many reviews the order has: those with an error, or with a disagreement."""
        ranked = self._ranked(order).subquery()
        return await self._session.scalar(select(func.count()).select_from(ranked)) or 0

    async def first(self, order: Order, limit: int, offset: int = 0) -> list[HardReview]:
        """The reviews of highest rank, after the first `offset`."""
        # Ranked by ids: sorting whole rows would sort every text too.
        ranked = self._ranked(order)
        place = ranked.order_by(ranked.selected_columns.worth.desc(), self._cls.id.desc())
        ids = list(await self._session.scalars(place.limit(limit).offset(offset)))
        rows = await self._session.execute(self._whole().where(self._cls.id.in_(ids)))
        found = {row[1].id: HardReview(*row) for row in rows}
        return [found[one] for one in ids]

    async def all(self) -> AsyncIterator[Sequence[HardReview]]:
        """Every review with its pair, oldest first, some at a time."""
        ordered = self._whole().where(self._made).order_by(self._cls.created_at, self._cls.id)
        rows = await self._session.stream(ordered.execution_options(yield_per=_CHUNK))
        async for part in rows.partitions():
            yield [HardReview(*row) for row in part]

    async def groups(self, near: int) -> dict[str, list[Group]]:
        """The answers by what may make a review hard, in the order of their keys.

        The keys of `length` are 0 for less than LENGTHS[0] characters, and so on; of `sentiment`
        the true ones; of `confidence` 0 for up to 1 / CONFIDENCE_GROUPS, and so on; of
        `disagreement` 0 where the models agree, 1 where their ratings are more than `near` points
        apart, 2 where their sentiments differ; of `reading` 1 where the models did not read all,
        because others waited; of `version` the names.
        """
        cls, mean = self._cls, self._mean
        length = func.length(Review.text)
        ends = [(length < end, place) for place, end in enumerate(LENGTHS)]
        apart = func.abs(cls.rating - mean.rating) > near
        keys: dict[str, ColumnElement[Any]] = {
            "length": case(*ends, else_=len(LENGTHS)),
            "sentiment": truth(self._given.rating, self._sentiment_of),
            "confidence": bin_of(confidence(cls), CONFIDENCE_GROUPS),
            "disagreement": case((cls.sentiment != mean.sentiment, 2), (apart, 1), else_=0),
            "reading": case((cls.in_short, 1), else_=0),
            "version": cls.model_version.expression,
        }
        return {name: await self._grouped(key) for name, key in keys.items()}

    def _ranked(self, order: Order) -> Select[int, float]:
        cls, mean = self._cls, self._mean
        worth: ColumnElement[Any]
        if order is Order.WORST:
            first, second = self._error(cls), self._error(mean)
            worth = case((first > second, 100 * first + second), else_=100 * second + first)
        else:
            differ = (cls.sentiment != mean.sentiment, (confidence(cls) + confidence(mean)) / 2)
            ratings = func.coalesce(func.abs(cls.rating - mean.rating), 0) / 10.0
            worth = case(differ, else_=0.0) + ratings
        ranked = (
            select(cls.id, worth.label("worth"))
            .select_from(cls)
            .join(mean, same_review(cls, mean))
            .join(Review, Review.id == cls.review_id)
            .where(self._made, worth > 0)
        )
        given = self._given
        return ranked.join(given, _by_author(given)) if order is Order.WORST else ranked

    def _error(self, said: type[Prediction]) -> ColumnElement[Any]:
        """In points; without a rating, half the scale for each step that the sentiment is off."""
        off = func.abs(said.sentiment - truth(self._given.rating, self._sentiment_of))
        return func.coalesce(func.abs(said.rating - self._given.rating), 5 * off)

    def _whole(
        self,
    ) -> Select[Review, Prediction, Prediction, int | None, bool, int, Judgement]:
        return (
            select(
                Review,
                self._cls,
                self._mean,
                counts_as(),
                Feedback.asked,
                Feedback.rating,
                Judgement,
            )
            .select_from(self._cls)
            .join(self._mean, same_review(self._cls, self._mean))
            .join(Review, Review.id == self._cls.review_id)
            .outerjoin(Feedback, _by_author(Feedback))
            .outerjoin(Judgement, on_its_judgement())
        )

    async def _grouped(self, key: ColumnElement[Any]) -> list[Group]:
        """In `key`, `_cls` stands for the pooling that is counted, and `_mean` for the other."""
        said, other = self._cls, self._mean
        both = and_(
            other.review_id == said.review_id,
            other.model_version == said.model_version,
            other.pooling != said.pooling,
        )
        rows = await self._session.execute(
            select(key, said.pooling, *answer_counts(said, self._given, self._sentiment_of))
            .select_from(said)
            .join(other, both)
            .join(Review, Review.id == said.review_id)
            .join(self._given, _by_author(self._given))
            .where(self._made)
            .group_by(key, said.pooling)
            .order_by(key, said.pooling)
        )
        return [Group(*row) for row in rows]


def _by_author(given: type[Feedback]) -> ColumnElement[bool]:
    return and_(given.review_id == Review.id, given.user_id == Review.user_id)
