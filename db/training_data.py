"""Rated reviews: those to train on, and those to evaluate with."""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Feedback, Prediction, Review


@dataclass(frozen=True)
class RatedReview:
    review_id: int
    user_id: int
    text: str
    rating: int
    asked: bool
    answered: tuple[int, ...] = ()  # the sentiments that the models gave it when it was sent


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
        select(Review.id, Review.user_id, Review.text, Feedback.rating, Feedback.asked)
        .join(Feedback, Feedback.review_id == Review.id)
        .join(ranked, ranked.c.id == Feedback.id)
        .where(ranked.c.place <= per_user)
        .order_by(*newest)
    )
    found = [RatedReview(*row) for row in rows]
    answered = await _answered(session, held_out)
    return [replace(one, answered=tuple(answered.get(one.review_id, ()))) for one in found]


async def _answered(session: AsyncSession, held_out: bool) -> dict[int, list[int]]:
    """The sentiments that were predicted of each rated review."""
    rows = await session.execute(
        select(Prediction.review_id, Prediction.sentiment)
        .join(Feedback, Feedback.review_id == Prediction.review_id)
        .where(Feedback.held_out == held_out)
    )
    answered: dict[int, list[int]] = {}
    for review_id, sentiment in rows:
        answered.setdefault(review_id, []).append(sentiment)
    return answered


async def rated_since(session: AsyncSession, moment: datetime | None, per_user: int) -> int:
    """How many ratings to train on are new or changed since then; all of them if it is None.

    A text that its user sent again is the same one, and of each user at most `per_user` count.
    """
    ratings = (
        select(Feedback.user_id, Review.text)
        .join(Review, Feedback.review_id == Review.id)
        .where(Feedback.held_out.is_(False))
    )
    if moment is not None:
        ratings = ratings.where(Feedback.updated_at > moment)
    texts: dict[int, set[bytes]] = {}
    async for user_id, text in await session.stream(ratings):
        of_user = texts.setdefault(user_id, set())
        if len(of_user) < per_user:
            of_user.add(sha256(normalised(text).encode()).digest())
    return sum(map(len, texts.values()))


def normalised(text: str) -> str:
    """A text without what makes no other text of it: capitals and the kinds of blanks."""
    return " ".join(text.casefold().split())
