"""Ratings in a database that both models contradict, or do not."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import feedback, reviews, users
from db.feedback import Given
from db.models import Prediction, Review


async def add_rating(
    session: AsyncSession,
    user_id: int,
    number: int,
    rating: int,
    now: datetime,
    *,
    text: str = "",
    bad: float = 0.02,
) -> int:
    """A review that both models find good, and its author's rating; the review's id.

    `bad` is the probability that both give to Bad; `number` is the user's own.
    """
    await users.seen(session, user_id, "ru", now)
    update_id = 1000 * user_id + number
    review = Review(
        user_id=user_id,
        chat_id=user_id,
        message_id=update_id,
        update_id=update_id,
        text=text or f"Отзыв {user_id}-{number}: великолепное кино, смотрел не отрываясь.",
        source="private",
        reply_message_id=None,
        created_at=now,
        predictions=[_prediction(pooling, bad, now) for pooling in ("cls", "mean")],
    )
    await reviews.add(session, review)
    given = Given(review.id, user_id, rating, asked=False, held_out=number % 5 == 0)
    await feedback.rate(session, given, now)
    return review.id


def _prediction(pooling: str, bad: float, now: datetime) -> Prediction:
    return Prediction(
        pooling=pooling,
        model_version="20260301T000000Z-0a1b2c3d",
        sentiment=2,
        probability_bad=bad,
        probability_neutral=0.04,
        probability_good=0.96 - bad,
        rating=9,
        rating_probabilities=[0.0] * 9 + [0.8, 0.2],
        rating_confidence=0.95,
        milliseconds=5.0,
        created_at=now,
    )
