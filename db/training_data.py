"""Rated reviews: those to train on, and those to evaluate with."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Feedback, Review


@dataclass(frozen=True)
class RatedReview:
    review_id: int
    text: str
    rating: int
    asked: bool


async def rated_reviews(
    session: AsyncSession, *, held_out: bool, per_user: int
) -> list[RatedReview]:
    """Those held out or the others, newest first: of each user at most the last `per_user` rated.

    So no user dominates. Erased reviews are not among them.
    """
    newest = Feedback.updated_at.desc(), Feedback.id.desc()
    place = func.row_number().over(partition_by=Feedback.user_id, order_by=newest).label("place")
    ranked = select(Feedback.id, place).where(Feedback.held_out == held_out).subquery()
    rows = await session.execute(
        select(Review.id, Review.text, Feedback.rating, Feedback.asked)
        .join(Feedback, Feedback.review_id == Review.id)
        .join(ranked, ranked.c.id == Feedback.id)
        .where(ranked.c.place <= per_user)
        .order_by(*newest)
    )
    return [RatedReview(*row) for row in rows]


async def rated_since(session: AsyncSession, moment: datetime | None) -> int:
    """How many ratings to train on are new or changed since then; all of them if it is None."""
    count = select(func.count()).select_from(Feedback).where(Feedback.held_out.is_(False))
    if moment is not None:
        count = count.where(Feedback.updated_at > moment)
    return await session.scalar(count) or 0
