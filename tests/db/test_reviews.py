"""Reviews are logged once an update, with both predictions, and found again."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from db import feedback, reviews, updates, users
from db.engine import Sessions
from db.feedback import Given
from db.models import Prediction, Review, Update, User

pytestmark = pytest.mark.anyio
NewReview = Callable[..., Review]


@pytest.fixture(autouse=True)
async def _two_users(write: Sessions, now: datetime) -> None:
    async with write.begin() as session:
        await users.seen(session, 1, "ru", now)
        await users.seen(session, 2, "en", now)


async def test_a_review_comes_back_whole(
    write: Sessions, read: Sessions, new_review: NewReview, now: datetime
) -> None:
    async with write.begin() as session:
        assert await reviews.add(session, new_review(2**40))
    async with read() as session:
        stored = await reviews.find(session, update_id=2**40)
        assert stored is not None
        assert stored is await reviews.find(session, id=stored.id)
    assert (stored.chat_id, stored.text, stored.created_at) == (-(2**40), "Фильм хороший", now)
    assert (stored.reply_message_id, stored.replaces_review_id) == (2**40 + 1, None)
    cls, mean = stored.predictions
    assert (cls.pooling, mean.pooling) == ("cls", "mean")
    assert cls.rating_probabilities == [0.0] * 8 + [0.5, 0.25, 0.25]
    assert (cls.probability_good, cls.rating_confidence, cls.milliseconds) == (0.625, 0.75, 12.5)
    assert stored.feedback == []


async def test_an_update_seen_twice_is_one_review(write: Sessions, new_review: NewReview) -> None:
    async with write.begin() as session:
        assert await reviews.add(session, new_review(5, text="первый"))
    async with write.begin() as session:
        assert not await reviews.add(session, new_review(5, text="второй"))
        assert await reviews.add(session, new_review(6))  # the transaction goes on
    async with write() as session:
        stored = await session.scalars(select(Review.text).order_by(Review.id))
        assert list(stored) == ["первый", "Фильм хороший"]
        assert await session.scalar(select(func.count(Prediction.id))) == 4


async def test_an_update_seen_twice_at_the_same_time_is_one_review(
    write: Sessions, new_review: NewReview
) -> None:
    async def add() -> bool:
        async with write.begin() as session:
            return await reviews.add(session, new_review(5))

    assert sorted(await asyncio.gather(*(add() for _ in range(5)))) == [False] * 4 + [True]


async def test_a_review_and_the_end_of_its_update_are_stored_together(
    write: Sessions, new_review: NewReview, now: datetime
) -> None:
    async def log(review: Review) -> None:
        async with write.begin() as session:
            await updates.mark_done(session, [5], now)
            await reviews.add(session, review)

    async with write.begin() as session:
        await updates.add(session, 5, {}, 1, now)
    with pytest.raises(IntegrityError):
        await log(new_review(5, source="nowhere"))
    async with write() as session:
        assert [row.update_id for row in await updates.pending(session)] == [5]
    await log(new_review(5))
    async with write() as session:
        assert await updates.pending(session) == []
        assert await session.scalar(select(func.count(Update.update_id))) == 1


async def test_a_user_erased_meanwhile_gets_no_review(
    write: Sessions, new_review: NewReview
) -> None:
    async with write() as session:
        with pytest.raises(IntegrityError):
            await reviews.add(session, new_review(5, user_id=99))
    async with write() as session:
        assert await reviews.find(session, update_id=5) is None


async def test_the_reply_is_noted_once_it_was_sent(write: Sessions, new_review: NewReview) -> None:
    async with write.begin() as session:
        await reviews.add(session, new_review(5, reply_message_id=None))
        stored = await reviews.find(session, update_id=5)
        assert stored is not None
        assert stored.reply_message_id is None
        await reviews.set_reply(session, stored.id, 2**40)
        await reviews.set_reply(session, stored.id + 1, 7)  # erased meanwhile
    async with write() as session:
        stored = await reviews.find(session, update_id=5)
        assert stored is not None
        assert stored.reply_message_id == 2**40


async def test_reviews_that_are_not_there(write: Sessions) -> None:
    async with write() as session:
        assert await reviews.find(session, id=1) is None
        assert await reviews.find(session, update_id=1) is None
        assert await reviews.find(session, chat_id=1, message_id=1) is None
        assert await reviews.last(session, 5, user_id=1) == []


async def test_an_edit_is_the_latest_review_of_its_message(
    write: Sessions, new_review: NewReview
) -> None:
    async with write.begin() as session:
        first = new_review(1, chat_id=7, message_id=3)
        await reviews.add(session, first)
        edited = new_review(
            2, chat_id=7, message_id=3, source="edit", replaces_review_id=first.id, text="Переделал"
        )
        await reviews.add(session, edited)
        await reviews.add(session, new_review(3, chat_id=8, message_id=3))
    async with write() as session:
        latest = await reviews.find(session, chat_id=7, message_id=3)
        assert latest is not None
        assert (latest.text, latest.replaces_review_id) == ("Переделал", first.id)


async def test_the_last_reviews_of_a_user_come_with_what_was_answered(
    write: Sessions, read: Sessions, new_review: NewReview, now: datetime
) -> None:
    async with write.begin() as session:
        for update_id in range(1, 6):
            await reviews.add(session, new_review(update_id, user_id=1 + (update_id == 4)))
        third = await reviews.find(session, update_id=3)
        assert third is not None
        await feedback.rate(session, Given(third.id, 1, 9, asked=False, held_out=False), now)
    async with read() as session:
        last = await reviews.last(session, 3, user_id=1)
    assert [review.update_id for review in last] == [5, 3, 2]
    assert [[given.rating for given in review.feedback] for review in last] == [[], [9], []]
    assert [len(review.predictions) for review in last] == [2, 2, 2]


async def test_whom_the_bot_has_asked_for_a_rating(
    write: Sessions, new_review: NewReview, now: datetime
) -> None:
    async with write.begin() as session:
        assert not await reviews.asked_last(session, 1)
        day = timedelta(days=1)
        for update_id, asked_for in enumerate((None, "uncertain", None, "random")):
            assert await reviews.asked_last(session, 1) == (update_id == 2)
            moment = now + update_id * day
            review = new_review(update_id, asked_for=asked_for, created_at=moment)
            await reviews.add(session, review)
        assert await reviews.asked_last(session, 1)
        assert not await reviews.asked_last(session, 2)
        for user_id, asked_for, since, was_asked in (
            (1, "uncertain", now, True),
            (1, "uncertain", now + day, False),  # a day after it is another day
            (1, "random", now + 2 * day, True),
            (2, "random", now, False),
        ):
            found = await reviews.asked_since(session, user_id, asked_for, since)
            assert found == was_asked


async def test_a_user_is_active_until_they_block_the_bot_and_again_when_they_write(
    write: Sessions, now: datetime
) -> None:
    async with write.begin() as session:
        await users.deactivate(session, 1)
        assert await users.language(session, 1) is not None
        assert not await users.language(session, 99) is not None
    async with write() as session:
        assert not (await session.get_one(User, 1)).is_active
        assert (await session.get_one(User, 2)).is_active
    later = now.replace(hour=23)
    async with write.begin() as session:
        await users.seen(session, 1, "en", later)
    async with write() as session:
        user = await session.get_one(User, 1)
    assert (user.is_active, user.language, user.created_at) == (True, "en", now)
    assert user.last_seen_at == later
