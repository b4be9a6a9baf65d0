"""What models may learn from: not held out, capped by user, gone with its user."""

from datetime import datetime, timedelta

import pytest

from db import feedback, privacy, reviews, training_data, users
from db.engine import Sessions
from db.feedback import Given
from tests.db.conftest import NewReview

pytestmark = pytest.mark.anyio


async def rate(
    write: Sessions, new_review: NewReview, now: datetime, update_id: int, user_id: int, rating: int
) -> int:
    """A review by the user, rated; those of even updates are held out."""
    async with write.begin() as session:
        await users.seen(session, user_id, "ru", now)
        review = new_review(update_id, user_id=user_id, text=f"Отзыв {update_id}", created_at=now)
        await reviews.add(session, review)
        await feedback.rate(
            session,
            Given(
                review.id, user_id, rating, asked=update_id % 3 == 0, held_out=update_id % 2 == 0
            ),
            now + timedelta(minutes=update_id),
        )
        return review.id


async def texts(read: Sessions, *, held_out: bool, per_user: int = 50) -> list[str]:
    async with read() as session:
        rows = await training_data.rated_reviews(session, held_out=held_out, per_user=per_user)
    return [row.text for row in rows]


async def test_the_latest_of_each_user(
    write: Sessions, read: Sessions, new_review: NewReview, now: datetime
) -> None:
    for update_id in range(1, 9):
        await rate(write, new_review, now, update_id, user_id=1, rating=update_id)
    await rate(write, new_review, now, 11, user_id=2, rating=0)
    every = ["Отзыв 11", "Отзыв 7", "Отзыв 5", "Отзыв 3", "Отзыв 1"]
    assert await texts(read, held_out=False) == every
    assert await texts(read, held_out=False, per_user=2) == every[:3]
    assert await texts(read, held_out=True, per_user=1) == ["Отзыв 8"]
    async with read() as session:
        rows = await training_data.rated_reviews(session, held_out=False, per_user=50)
    assert [(row.rating, row.asked) for row in rows[:4]] == [
        (0, False),
        (7, False),
        (5, False),
        (3, True),
    ]


async def test_erased_users_are_gone(
    write: Sessions, read: Sessions, new_review: NewReview, now: datetime
) -> None:
    await rate(write, new_review, now, 1, user_id=1, rating=5)
    await rate(write, new_review, now, 3, user_id=2, rating=6)
    async with write.begin() as session:
        await privacy.erase(session, 1, now)
    assert await texts(read, held_out=False) == ["Отзыв 3"]


async def test_repeated_texts_and_many_ratings_of_one_user_count_once_and_up_to_a_limit(
    write: Sessions, read: Sessions, new_review: NewReview, now: datetime
) -> None:
    async with write.begin() as session:
        for user_id, text in [(1, "Один и тот же"), (1, "один  И тот же"), (2, "Один и тот же")]:
            await users.seen(session, user_id, "ru", now)
            number = await training_data.rated_since(session, None, 10) + 10 * user_id + len(text)
            review = new_review(number, user_id=user_id, text=text, created_at=now)
            await reviews.add(session, review)
            given = Given(review.id, user_id, 5, asked=False, held_out=False)
            await feedback.rate(session, given, now)
    for update_id in range(101, 201, 2):
        await rate(write, new_review, now, update_id, user_id=3, rating=5)
    async with read() as session:
        assert await training_data.rated_since(session, None, 10) == 1 + 1 + 10


async def test_what_is_new_since(
    write: Sessions, read: Sessions, new_review: NewReview, now: datetime
) -> None:
    first = await rate(write, new_review, now, 1, user_id=1, rating=5)
    for update_id in (2, 3):
        await rate(write, new_review, now, update_id, user_id=1, rating=5)
    async with read() as session:
        assert await training_data.rated_since(session, None, 10) == 2
        assert await training_data.rated_since(session, now + timedelta(minutes=1), 10) == 1
    later = now + timedelta(hours=1)
    async with write.begin() as session:
        await feedback.rate(session, Given(first, 1, 9, asked=False, held_out=False), later)
    async with read() as session:
        assert await training_data.rated_since(session, now + timedelta(minutes=5), 10) == 1, (
            "changed"
        )
