"""Which reviews are hard, and where errors gather, equals a plain computation on random rows."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from db import users
from db.engine import Sessions
from db.hard_reviews import LENGTHS, Group, HardReview, HardReviews, Order
from db.measures import Period, confidence_of
from db.models import Feedback, Prediction, Review

pytestmark = pytest.mark.anyio


def sentiment_of(rating: int) -> int:
    return 0 if rating <= 5 else 1 if rating == 6 else 2


@pytest.fixture
async def period(
    write: Sessions,
    new_review: Callable[..., Review],
    new_prediction: Callable[..., Prediction],
    now: datetime,
) -> Period:
    """Of ten days with reviews of every kind, the five in the middle."""
    chance = random.Random(0)

    def prediction(
        pooling: str, version: str, moment: datetime, rated: bool, in_short: bool
    ) -> Prediction:
        parts = [chance.random() for _ in range(3)]
        return new_prediction(
            pooling,
            model_version=version,
            sentiment=chance.randrange(3),
            probability_bad=parts[0] / sum(parts),
            probability_neutral=parts[1] / sum(parts),
            probability_good=parts[2] / sum(parts),
            rating=chance.randrange(11) if rated else None,
            rating_probabilities=[1.0] if rated else None,
            rating_confidence=0.5 if rated else None,
            created_at=moment,
            in_short=in_short,
        )

    async with write.begin() as session:
        for user_id in range(10):
            await users.seen(session, user_id, "ru", now)
        for number in range(200):
            moment = now + timedelta(days=chance.uniform(0, 10))
            version, rated = chance.choice(("v1", "v2")), chance.random() < 0.8
            in_short = chance.random() < 0.2
            review = new_review(
                number,
                user_id=number % 10,
                created_at=moment,
                text="я" * chance.choice((5, 199, 200, 999, 1000, 4999, 5000, 9000)),
                predictions=[
                    prediction(p, version, moment, rated, in_short) for p in ("cls", "mean")
                ],
            )
            session.add(review)
            await session.flush()
            if chance.random() < 0.6:
                session.add(
                    Feedback(
                        review_id=review.id, user_id=review.user_id, rating=chance.randrange(11),
                        asked=chance.random() < 0.3, held_out=False, created_at=now, updated_at=now,
                    )
                )  # fmt: skip
    return Period(now + timedelta(days=2), now + timedelta(days=7))


async def stored(read: Sessions, period: Period) -> list[HardReview]:
    whole = (selectinload(Review.predictions), selectinload(Review.feedback))
    async with read() as session:
        reviews = await session.scalars(select(Review).options(*whole))
        found = []
        for review in reviews:
            cls, mean = sorted(review.predictions, key=lambda row: row.pooling)
            given = review.feedback[0] if review.feedback else None
            rating, asked = (given.rating, given.asked) if given else (None, None)
            if period.since <= cls.created_at < period.until:
                found.append(HardReview(review, cls, mean, rating, asked))
    assert len(found) > 60
    return found


def errors(hard: HardReview) -> list[int]:
    assert hard.given is not None
    return [
        abs(row.rating - hard.given)
        if row.rating is not None
        else 5 * abs(row.sentiment - sentiment_of(hard.given))
        for row in (hard.cls, hard.mean)
    ]


def disagreement(hard: HardReview) -> float:
    apart = 0.0
    if hard.cls.sentiment != hard.mean.sentiment:
        apart = (confidence_of(hard.cls) + confidence_of(hard.mean)) / 2
    if hard.cls.rating is not None and hard.mean.rating is not None:
        apart += abs(hard.cls.rating - hard.mean.rating) / 10
    return apart


def ids(found: list[HardReview]) -> list[int]:
    return [hard.review.id for hard in found]


async def test_the_worst_come_first(read: Sessions, period: Period) -> None:
    rated = [hard for hard in await stored(read, period) if hard.given is not None and errors(hard)]
    rated = [hard for hard in rated if max(errors(hard)) > 0]
    rated.sort(key=lambda hard: (max(errors(hard)), min(errors(hard)), hard.cls.id), reverse=True)
    async with read() as session:
        hard = HardReviews(session, period, sentiment_of)
        assert await hard.count(Order.WORST) == len(rated)
        assert ids(await hard.first(Order.WORST, 5)) == ids(rated[:5])
        found = await hard.first(Order.WORST, 1000, 3)
    assert ids(found) == ids(rated[3:])
    assert [(one.given, one.asked) for one in found] == [(o.given, o.asked) for o in rated[3:]]
    assert [one.mean.id for one in found] == [one.mean.id for one in rated[3:]]


async def test_the_most_disagreed_on_come_first(read: Sessions, period: Period) -> None:
    expected = [hard for hard in await stored(read, period) if disagreement(hard) > 0]
    worth = {hard.review.id: round(disagreement(hard), 9) for hard in expected}
    async with read() as session:
        hard = HardReviews(session, period, sentiment_of)
        assert await hard.count(Order.DISAGREED) == len(expected)
        found = await hard.first(Order.DISAGREED, 1000)
        assert ids(await hard.first(Order.DISAGREED, 4, 2)) == ids(found)[2:6]
    assert set(ids(found)) == set(worth)
    assert [worth[one] for one in ids(found)] == sorted(worth.values(), reverse=True)


async def test_all_of_them_oldest_first(read: Sessions, period: Period) -> None:
    expected = sorted(await stored(read, period), key=lambda hard: hard.cls.created_at)
    async with read() as session:
        parts = [part async for part in HardReviews(session, period, sentiment_of).all()]
    assert ids([hard for part in parts for hard in part]) == ids(expected)


async def test_groups_equal_a_plain_computation(read: Sessions, period: Period) -> None:
    rows = [hard for hard in await stored(read, period) if hard.given is not None]

    def group(key_of: Callable[[HardReview, Prediction], Any]) -> list[Group]:
        found: dict[tuple[Any, str], list[tuple[Prediction, int]]] = {}
        for hard in rows:
            for row in (hard.cls, hard.mean):
                assert hard.given is not None
                found.setdefault((key_of(hard, row), row.pooling), []).append((row, hard.given))
        return [
            Group(
                key,
                pooling,
                answers=len(pairs),
                right=sum(row.sentiment == sentiment_of(given) for row, given in pairs),
                rated=sum(row.rating is not None for row, _ in pairs),
                absolute_error=sum(
                    abs(row.rating - given) for row, given in pairs if row.rating is not None
                ),
            )
            for (key, pooling), pairs in sorted(found.items())
        ]

    def agreement(hard: HardReview, _: Prediction) -> int:
        if hard.cls.sentiment != hard.mean.sentiment:
            return 2
        ratings = [row.rating for row in (hard.cls, hard.mean) if row.rating is not None]
        return int(len(ratings) == 2 and abs(ratings[0] - ratings[1]) > 1)

    async with read() as session:
        groups = await HardReviews(session, period, sentiment_of).groups(near=1)
    assert groups == {
        "length": group(lambda hard, _: sum(len(hard.review.text) >= end for end in LENGTHS)),
        "sentiment": group(lambda hard, _: sentiment_of(hard.given or 0)),
        "confidence": group(lambda _, row: -int(-confidence_of(row) * 10 // 1) - 1),
        "disagreement": group(agreement),
        "reading": group(lambda _, row: int(row.in_short)),
        "version": group(lambda _, row: row.model_version),
    }
