"""Invented live reviews, predicted by both poolings and partly rated, as a database holds them."""

import random
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from classifier.labels import sentiment_of
from db import users
from db.models import Feedback, Prediction, Review

SENTENCES = (
    "Сюжет предсказуем, зато актёры играют так, что веришь каждому слову.",
    "Затянуто до невозможности, к середине я уже смотрела на часы.",
    "Операторская работа выше всяких похвал, хочется поставить каждый кадр на паузу.",
    "Диалоги написаны так, будто сценарист ни разу не слышал живой речи.",
    "Финал вытягивает всё, что до него провисало.",
    "Ни хорошо ни плохо: посмотрел и забыл.",
    "Музыка спорит с картинкой и почти всегда проигрывает.",
    "Детям понравилось, взрослым придётся потерпеть.",
)
VERSIONS = ("20260301T000000Z-0a1b2c3d", "20260308T000000Z-4e5f6a7b")


async def add_live_reviews(
    session: AsyncSession, count: int, until: datetime, days: float, seed: int = 0
) -> None:
    """Add so many, spread evenly over the days before `until`; mean errs a little less.

    One in eight is read in short.
    """
    chance = random.Random(seed)
    for user_id in range(1, 41):
        await users.seen(session, user_id, "ru", until - timedelta(days=days))
    rated = []
    for number in range(count):
        moment = until - timedelta(days=days * (1 - (number + 0.5) / count))
        true = chance.choices(range(11), (2, 3, 3, 4, 5, 7, 8, 14, 20, 18, 16))[0]
        version = VERSIONS[number * 2 >= count]
        review = _review(chance, number, moment)
        review.predictions += [
            _prediction(chance, "cls", true, 1.9, version, moment),
            _prediction(chance, "mean", true, 1.5, version, moment),
        ]
        for row in review.predictions:
            row.tokens, row.in_short = (256, True) if number % 8 == 3 else (400, False)
        session.add(review)
        if chance.random() < 0.4:
            rated.append((review, true))
    await session.flush()
    session.add_all(
        Feedback(
            review_id=review.id,
            user_id=review.user_id,
            rating=true,
            asked=chance.random() < 0.6,
            held_out=False,
            created_at=review.created_at,
            updated_at=review.created_at,
        )
        for review, true in rated
    )
    await session.flush()


def private_review(update_id: int, user_id: int, text: str, now: datetime) -> Review:
    """One that waits for its answer, of the message with the number of its update."""
    return Review(
        user_id=user_id,
        chat_id=user_id,
        message_id=update_id,
        update_id=update_id,
        text=text,
        source="private",
        reply_message_id=None,
        created_at=now,
    )


def _review(chance: random.Random, number: int, moment: datetime) -> Review:
    text = " ".join(chance.choices(SENTENCES, k=chance.choice((1, 2, 3, 5, 9, 20, 40))))
    user_id = chance.randint(1, 40)
    return Review(
        user_id=user_id,
        chat_id=user_id,
        message_id=number + 1,
        update_id=number + 1,
        text=text,
        source=chance.choice(("private", "private", "group", "document")),
        reply_message_id=number + 2,
        created_at=moment,
    )


def _prediction(
    chance: random.Random, pooling: str, true: int, error: float, version: str, moment: datetime
) -> Prediction:
    rating = min(max(round(chance.gauss(true, error)), 0), 10)
    sentiment = sentiment_of(rating)
    sure = chance.uniform(0.4, 0.98)
    probabilities = [(1 - sure) / 2] * 3
    probabilities[sentiment] = sure
    return Prediction(
        pooling=pooling,
        model_version=version,
        sentiment=sentiment,
        probability_bad=probabilities[0],
        probability_neutral=probabilities[1],
        probability_good=probabilities[2],
        rating=rating,
        rating_probabilities=[1 / 11] * 11,
        rating_confidence=chance.uniform(0.3, 0.95),
        milliseconds=chance.lognormvariate(2.7, 0.4),
        created_at=moment,
    )
