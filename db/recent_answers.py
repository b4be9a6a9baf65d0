"""What the models said of late, review by review."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.models import Prediction, Review

Shares = tuple[float, float, float]
"""The probabilities of Bad, Neutral and Good."""


class AnsweredReview(NamedTuple):
    text: str
    cls: Shares
    mean: Shares


async def sample(
    session: AsyncSession, model_version: str, since: datetime, limit: int
) -> list[AnsweredReview]:
    """Reviews that both models of the version have answered since then: all, or so many at random.

    In any order.
    """
    cls, mean = aliased(Prediction), aliased(Prediction)
    rows = await session.execute(
        select(
            Review.text,
            *(cls.probability_bad, cls.probability_neutral, cls.probability_good),
            *(mean.probability_bad, mean.probability_neutral, mean.probability_good),
        )
        .join(cls, and_(cls.review_id == Review.id, cls.pooling == "cls"))
        .join(mean, and_(mean.review_id == Review.id, mean.pooling == "mean"))
        .where(
            Review.created_at >= since,
            cls.model_version == model_version,
            mean.model_version == model_version,
        )
        .order_by(func.random())
        .limit(limit)
    )
    return [
        AnsweredReview(text, cls=(bad, neutral, good), mean=(bad_too, neutral_too, good_too))
        for text, bad, neutral, good, bad_too, neutral_too, good_too in rows
    ]
