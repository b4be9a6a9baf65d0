"""The reviews on which the models err most or differ most, and where errors gather."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from db.measures import Period, SentimentOf, bin_of, confidence, same_review, truth
from db.models import Feedback, Prediction, Review

LENGTHS = (200, 500, 1000, 2000, 5000)
"""In characters: where a group of lengths ends and the next begins."""

CONFIDENCE_GROUPS = 10
_CHUNK = 200


class HardReview(NamedTuple):
    """A review, what both poolings of one version said, and the author's rating if there is one."""

    review: Review
    cls: Prediction
    mean: Prediction
    given: int | None
    asked: bool | None


class Group(NamedTuple):
    """The answers of one pooling to reviews that are alike in something."""

    key: Any
    pooling: str
    answers: int
    right: int
    rated: int
    absolute_error: int


class HardReviews:
    """Questions about the pairs of predictions made in a period."""

    def __init__(self, session: AsyncSession, period: Period, sentiment_of: SentimentOf) -> None:
        self._session = session
        self._sentiment_of = sentiment_of
        self._cls, self._mean = aliased(Prediction), aliased(Prediction)
        self._made = period.holds(self._cls.created_at)

    async def count_worst(self) -> int:
        return await self._count(self._worst())

    async def worst(self, limit: int, offset: int = 0) -> list[HardReview]:
        """By the larger of the two errors; among equals, by the smaller one."""
        return await self._read(self._worst(), limit, offset)

    async def count_disagreed(self) -> int:
        return await self._count(self._disagreed())

    async def disagreed(self, limit: int, offset: int = 0) -> list[HardReview]:
        """By how sure the models are of different sentiments, and how far their ratings differ."""
        return await self._read(self._disagreed(), limit, offset)

    async def all(self) -> AsyncIterator[Sequence[HardReview]]:
        """Every review with its pair, oldest first, some at a time."""
        ordered = self._whole().where(self._made).order_by(self._cls.created_at, self._cls.id)
        rows = await self._session.stream(ordered.execution_options(yield_per=_CHUNK))
        async for part in rows.partitions():
            yield [HardReview(*row) for row in part]

    async def by_length(self) -> list[Group]:
        """Keys: 0 for less than LENGTHS[0] characters, and so on."""
        length = func.length(Review.text)
        ends = [(length < end, place) for place, end in enumerate(LENGTHS)]
        return await self._grouped(case(*ends, else_=len(LENGTHS)))

    async def by_sentiment(self) -> list[Group]:
        """Keys: the true sentiments."""
        return await self._grouped(truth(Feedback.rating, self._sentiment_of))

    async def by_confidence(self) -> list[Group]:
        """Keys: 0 for a confidence up to 1 / CONFIDENCE_GROUPS, and so on."""
        return await self._grouped(bin_of(confidence(self._cls), CONFIDENCE_GROUPS))

    async def by_disagreement(self) -> list[Group]:
        """Keys: 0 the models agree, 1 their ratings are more than 1 apart, 2 other sentiments."""
        apart = func.abs(self._cls.rating - self._mean.rating)
        differ = (self._cls.sentiment != self._mean.sentiment, 2)
        return await self._grouped(case(differ, (apart > 1, 1), else_=0))

    async def by_version(self) -> list[Group]:
        return await self._grouped(self._cls.model_version)

    def _worst(self) -> Select[int, float]:
        first, second = self._error(self._cls), self._error(self._mean)
        worth = case((first > second, 100 * first + second), else_=100 * second + first)
        return self._ranked(worth).join(Feedback, self._by_author())

    def _disagreed(self) -> Select[int, float]:
        cls, mean = self._cls, self._mean
        differ = (cls.sentiment != mean.sentiment, (confidence(cls) + confidence(mean)) / 2)
        ratings = func.coalesce(func.abs(cls.rating - mean.rating), 0) / 10.0
        return self._ranked(case(differ, else_=0.0) + ratings)

    def _ranked(self, worth: ColumnElement[Any]) -> Select[int, float]:
        pairs = select(self._cls.id, worth.label("worth")).select_from(self._cls)
        joined = pairs.join(self._mean, same_review(self._cls, self._mean))
        return joined.join(Review, Review.id == self._cls.review_id).where(self._made, worth > 0)

    def _error(self, said: type[Prediction]) -> ColumnElement[Any]:
        """In points; half the scale for each step that the sentiment is off without a rating."""
        off = func.abs(said.sentiment - truth(Feedback.rating, self._sentiment_of))
        return func.coalesce(func.abs(said.rating - Feedback.rating), 5 * off)

    def _by_author(self) -> ColumnElement[bool]:
        return and_(Feedback.review_id == Review.id, Feedback.user_id == Review.user_id)

    async def _count(self, ranked: Select[int, float]) -> int:
        return await self._session.scalar(select(func.count()).select_from(ranked.subquery())) or 0

    async def _read(self, ranked: Select[int, float], limit: int, offset: int) -> list[HardReview]:
        # Ranked by ids: sorting whole rows would carry every text along.
        place = ranked.order_by(ranked.selected_columns.worth.desc(), self._cls.id.desc())
        ids = list(await self._session.scalars(place.limit(limit).offset(offset)))
        rows = await self._session.execute(self._whole().where(self._cls.id.in_(ids)))
        found = {row[1].id: HardReview(*row) for row in rows}
        return [found[one] for one in ids]

    def _whole(self) -> Select[Review, Prediction, Prediction, int, bool]:
        return (
            select(Review, self._cls, self._mean, Feedback.rating, Feedback.asked)
            .select_from(self._cls)
            .join(self._mean, same_review(self._cls, self._mean))
            .join(Review, Review.id == self._cls.review_id)
            .outerjoin(Feedback, self._by_author())
        )

    async def _grouped(self, key: ColumnElement[Any] | InstrumentedAttribute[Any]) -> list[Group]:
        """`key` is made of the pooling in question as `_cls`, and the other one as `_mean`."""
        said, other = self._cls, self._mean
        pair = and_(
            other.review_id == said.review_id,
            other.model_version == said.model_version,
            other.pooling != said.pooling,
        )
        right = case((said.sentiment == truth(Feedback.rating, self._sentiment_of), 1), else_=0)
        error = func.abs(said.rating - Feedback.rating)
        rows = await self._session.execute(
            select(
                key,
                said.pooling,
                func.count(),
                func.sum(right),
                func.count(said.rating),
                func.coalesce(func.sum(error), 0),
            )
            .select_from(said)
            .join(other, pair)
            .join(Review, Review.id == said.review_id)
            .join(Feedback, self._by_author())
            .where(self._made)
            .group_by(key, said.pooling)
            .order_by(key, said.pooling)
        )
        return [Group(*row) for row in rows]
