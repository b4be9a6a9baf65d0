"""Rated reviews: those to train on, and those to evaluate with."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.counting import counted
from db.models import Feedback, Judgement, Prediction, Review


@dataclass(frozen=True)
class RatedReview:
    review_id: int
    user_id: int
    text: str
    rating: int
    asked: bool
    answered: tuple[int, ...] = ()  # the sentiments that the models gave it when it was sent
    judged: bool = False  # an admin stands behind the rating


async def rated_reviews(
    session: AsyncSession, *, held_out: bool, per_user: int
) -> list[RatedReview]:
    """Those held out or the others, newest first: of each user at most the last `per_user` rated.

    So no user dominates. Erased reviews are not among them, nor ratings that an admin has called
    wrong; where an admin has said the true rating, it is that one.
    """
    ranking, given = counted(), counted()
    place = (
        func.row_number()
        .over(partition_by=ranking.user_id, order_by=(ranking.updated_at.desc(), ranking.id.desc()))
        .label("place")
    )
    ranked = select(ranking.id, place).where(ranking.held_out == held_out).subquery()
    judged = exists().where(Judgement.feedback_id == given.id, Judgement.stands)
    newest = given.updated_at.desc(), given.id.desc()
    rows = await session.execute(
        select(Review.id, Review.user_id, Review.text, given.rating, given.asked, judged)
        .join(given, given.review_id == Review.id)
        .join(ranked, ranked.c.id == given.id)
        .where(ranked.c.place <= per_user)
        .order_by(*newest)
    )
    answered = await _answered(session, held_out)
    return [
        RatedReview(row[0], row[1], row[2], row[3], row[4], tuple(answered.get(row[0], ())), row[5])
        for row in rows
    ]


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
    given = counted()
    ratings = (
        select(given.user_id, Review.text)
        .join(Review, given.review_id == Review.id)
        .where(given.held_out.is_(False))
    )
    if moment is not None:
        ratings = ratings.where(given.updated_at > moment)
    texts: dict[int, set[bytes]] = {}
    async for user_id, text in await session.stream(ratings):
        of_user = texts.setdefault(user_id, set())
        if len(of_user) < per_user:
            of_user.add(sha256(normalised(text).encode()).digest())
    return sum(map(len, texts.values()))


def normalised(text: str) -> str:
    """A text without what makes no other text of it: capitals and the kinds of blanks."""
    return " ".join(text.casefold().split())
