"""A rating given is stored, can be changed, and keeps its history."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from db import feedback, reviews, users
from db.engine import Sessions
from db.feedback import Given
from db.models import Feedback, FeedbackHistory, Review

pytestmark = pytest.mark.anyio


@pytest.fixture
async def review_id(write: Sessions, new_review: Callable[..., Review], now: datetime) -> int:
    async with write.begin() as session:
        await users.seen(session, 1, "ru", now)
        await users.seen(session, 2, "ru", now)
        review = new_review(1)
        await reviews.add(session, review)
    return review.id


async def ratings_in_history(write: Sessions) -> list[int]:
    async with write() as session:
        in_order = select(FeedbackHistory.rating).order_by(FeedbackHistory.id)
        return list(await session.scalars(in_order))


async def test_a_rating_is_stored(write: Sessions, review_id: int, now: datetime) -> None:
    async with write.begin() as session:
        given = await feedback.rate(
            session, Given(review_id, 1, 0, asked=True, held_out=False), now
        )
    assert given is not None
    assert (given.review_id, given.user_id, given.rating) == (review_id, 1, 0)
    assert (given.asked, given.held_out) == (True, False)
    assert (given.created_at, given.updated_at) == (now, now)
    assert await ratings_in_history(write) == [0]


async def test_a_change_keeps_the_history_and_where_the_row_belongs(
    write: Sessions, review_id: int, now: datetime
) -> None:
    later = now + timedelta(days=1)
    async with write.begin() as session:
        first = await feedback.rate(
            session, Given(review_id, 1, 3, asked=False, held_out=True), now
        )
        # In the same session too, which has the row with its old rating in hand.
        given = await feedback.rate(
            session, Given(review_id, 1, 4, asked=True, held_out=False), later
        )
    async with write.begin() as session:
        again = await feedback.rate(
            session, Given(review_id, 1, 3, asked=True, held_out=False), later
        )
    assert given is not None
    assert given is first
    assert again is not None
    assert (given.rating, again.rating, again.id) == (4, 3, given.id)
    assert (again.asked, again.held_out) == (False, True)
    assert (again.created_at, again.updated_at) == (now, later)
    assert await ratings_in_history(write) == [3, 4, 3]


async def test_the_same_rating_again_changes_nothing(
    write: Sessions, review_id: int, now: datetime
) -> None:
    for minutes in range(3):
        moment = now + timedelta(minutes=minutes)
        async with write.begin() as session:
            given = await feedback.rate(
                session, Given(review_id, 1, 8, asked=False, held_out=False), moment
            )
    assert given is not None
    assert (given.rating, given.updated_at) == (8, now)
    assert await ratings_in_history(write) == [8]


async def test_each_user_has_a_rating_of_their_own(
    write: Sessions, review_id: int, now: datetime
) -> None:
    async with write.begin() as session:
        for user_id, rating in ((1, 2), (2, 9)):
            await feedback.rate(
                session, Given(review_id, user_id, rating, asked=False, held_out=False), now
            )
        review = await reviews.find(session, id=review_id)
    assert review is not None
    assert [(given.user_id, given.rating) for given in review.feedback] == [(1, 2), (2, 9)]


async def test_a_review_that_is_gone_takes_no_rating(
    write: Sessions, review_id: int, now: datetime
) -> None:
    async with write.begin() as session:
        given = await feedback.rate(
            session, Given(review_id + 1, 1, 5, asked=False, held_out=False), now
        )
    assert given is None
    async with write() as session:
        assert await session.scalar(select(func.count(Feedback.id))) == 0


async def test_a_rating_off_the_scale_is_refused(
    write: Sessions, review_id: int, now: datetime
) -> None:
    for rating in (-1, 11):
        async with write() as session:
            with pytest.raises(IntegrityError):
                await feedback.rate(
                    session, Given(review_id, 1, rating, asked=False, held_out=False), now
                )


async def test_taps_at_the_same_time_leave_one_rating_and_all_of_the_history(
    write: Sessions, review_id: int, now: datetime
) -> None:
    async def tap(rating: int) -> None:
        async with write.begin() as session:
            await feedback.rate(
                session, Given(review_id, 1, rating, asked=False, held_out=False), now
            )

    await asyncio.gather(*map(tap, range(11)))
    async with write() as session:
        stored = (await session.scalars(select(Feedback.rating))).all()
    history = await ratings_in_history(write)
    assert sorted(history) == list(range(11))
    assert stored == [history[-1]]
