"""Which ratings count once admins have judged them: in every figure, export and training alike."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from db import (
    admin_actions,
    feedback,
    judgements,
    pairs,
    privacy,
    reviews,
    statistics,
    training_data,
    users,
)
from db.doubts import Doubts
from db.engine import Sessions
from db.feedback import Given
from db.hard_reviews import HardReviews, Order
from db.measures import Period
from db.models import Prediction, Review
from tests.db.test_hard_reviews import sentiment_of
from tests.db.test_privacy import whole_export

pytestmark = pytest.mark.anyio

ADMIN = 9
GIVEN = {1: 0, 2: 9, 3: 0, 4: 10, 5: 2}
"""What the users gave to reviews that both models call good, by user; 1 and 2 are held out."""


@pytest.fixture
async def review_ids(
    write: Sessions,
    new_review: Callable[..., Review],
    new_prediction: Callable[..., Prediction],
    now: datetime,
) -> dict[int, int]:
    """Of one review of each user."""
    async with write.begin() as session:
        ids = {}
        for user_id, rating in GIVEN.items():
            await users.seen(session, user_id, "ru", now)
            predictions = [new_prediction(pooling) for pooling in ("cls", "mean")]
            predictions[0].probability_bad = 0.01 * user_id
            predictions[1].probability_bad = 0.02 * user_id
            review = new_review(user_id, user_id=user_id, predictions=predictions)
            await reviews.add(session, review)
            given = Given(review.id, user_id, rating, asked=True, held_out=user_id <= 2)
            await feedback.rate(session, given, now + timedelta(minutes=user_id))
            ids[user_id] = review.id
        return ids


async def judge(
    write: Sessions, now: datetime, review_id: int, rating: int | None, admin: int = ADMIN
) -> int:
    """The action's id."""
    async with write.begin() as session:
        await users.seen(session, admin, "ru", now)
        standing = await judgements.by_author(session, review_id)
        assert standing is not None
        action = await admin_actions.add(session, admin, "judge", now, {"ratings": 1})
        await judgements.add(session, [(standing, rating)], action.id, now)
        return action.id


async def counted(read: Sessions, now: datetime) -> dict[int, int]:
    """By user, what every query of ratings says that counts; all must say the same."""
    period = Period(now - timedelta(days=1), now + timedelta(days=1))
    async with read() as session:
        rows = [
            *await training_data.rated_reviews(session, held_out=False, per_user=50),
            *await training_data.rated_reviews(session, held_out=True, per_user=50),
        ]
        found = {row.user_id: row.rating for row in rows}
        in_order = sorted(found.values())
        answered = await statistics.answered(session, period, 15)
        assert sorted(row.given for row in answered for _ in range(row.times)) == sorted(
            2 * in_order
        )
        written = await statistics.written(session, period)
        assert (written.rated, written.called_wrong) == (len(found), len(GIVEN) - len(found))
        steps = await statistics.steps(session, period, 3600, sentiment_of)
        assert sum(step.answers for step in steps) == 2 * len(found)
        both = await pairs.count(session, period, sentiment_of)
        assert sum(user.answers for user in both.users) == len(found)
        hard = HardReviews(session, period, sentiment_of)
        worst = await hard.first(Order.WORST, 50)
        table = [one async for part in hard.all() for one in part]
        assert {one.review.user_id: one.given for one in table} == {
            user: found.get(user) for user in GIVEN
        }
        assert {one.review.user_id: one.given for one in worst} == {
            user: rating
            for user, rating in found.items()
            if rating != 8  # as both models said
        }
        groups = await hard.groups(1)
        assert sum(group.answers for group in groups["version"]) == 2 * len(found)
        learnt = len({user for user in found if user > 2})
        assert await training_data.rated_since(session, None, 10) == learnt
    for user in GIVEN:
        (exported,) = (await whole_export(read, user))["feedback"]
        assert exported["counts_as"] == found.get(user)
    return found


async def test_what_counts_is_the_same_everywhere(
    write: Sessions, read: Sessions, review_ids: dict[int, int], now: datetime
) -> None:
    wrong = await judge(write, now, review_ids[1], None)
    right = await judge(write, now, review_ids[3], 0)
    other = await judge(write, now, review_ids[5], 8)
    async with read() as session:
        rows = await training_data.rated_reviews(session, held_out=False, per_user=50)
    assert {row.user_id: row.judged for row in rows} == {3: True, 4: False, 5: True}
    # Users change their ratings: the admins' words stand.
    async with write.begin() as session:
        for user in (1, 3, 5):
            given = Given(review_ids[user], user, 7, asked=False, held_out=user <= 2)
            await feedback.rate(session, given, now + timedelta(hours=1))
    assert await counted(read, now) == {2: 9, 3: 0, 4: 10, 5: 8}
    # Another admin's word replaces one, and what it replaced comes back.
    replaced = await judge(write, now, review_ids[5], None, admin=8)
    assert await counted(read, now) == {2: 9, 3: 0, 4: 10}
    async with write.begin() as session:
        assert await judgements.take_back(session, other) == 0
        assert await judgements.take_back(session, replaced) == 1
        assert await judgements.take_back(session, replaced) == 0
    assert await counted_users(read) == {3, 4, 5}
    async with write.begin() as session:
        for action in (wrong, right, other):
            assert await judgements.take_back(session, action) == 1
    assert await counted(read, now) == GIVEN | {1: 7, 3: 7, 5: 7}


async def test_the_doubtful_are_those_in_which_neither_model_believes(
    write: Sessions, read: Sessions, review_ids: dict[int, int], now: datetime
) -> None:
    period = Period(now - timedelta(days=1), now + timedelta(days=1))

    async def listed() -> list[tuple[int, int]]:
        async with read() as session:
            found = Doubts(session, period, sentiment_of)
            doubts = [*await found.first(1), *await found.first(50, offset=1)]
            assert await found.count() == len(doubts)
        return [(doubt.hard.review.user_id, doubt.support) for doubt in doubts]

    assert await listed() == [(1, 2), (3, 6), (5, 10)]
    await judge(write, now, review_ids[1], 0)
    assert await listed() == [(3, 6), (5, 10)]
    # Changed since: first of all, for an admin to look at again.
    async with write.begin() as session:
        given = Given(review_ids[1], 1, 9, asked=False, held_out=True)
        await feedback.rate(session, given, now)
    assert [user for user, _ in await listed()] == [1, 3, 5]
    async with read() as session:
        found = Doubts(session, period, sentiment_of)
        (judged,) = await found.judged(9)
        assert (judged.hard.by_author, judged.hard.given) == (9, 0)
        assert [rater.user_id for rater in await found.raters(1)] == [3, 5]


async def test_an_erasure_takes_what_was_said_of_the_ratings(
    write: Sessions, read: Sessions, review_ids: dict[int, int], now: datetime
) -> None:
    action = await judge(write, now, review_ids[1], None)
    await judge(write, now, review_ids[3], 0)
    (exported,) = (await whole_export(read, 1))["feedback"]
    ((word,), counts_as) = exported["judgements"], exported["counts_as"]
    assert (word["rating"], word["given"], word["stands"], counts_as) == (None, 0, True, None)
    async with write.begin() as session:
        assert (await privacy.erase(session, 1, now))["judgements"] == 1
        assert not await judgements.is_known(session, action)
        assert await judgements.take_back(session, action) == 0
    assert 3 in await counted_users(read)
    async with write.begin() as session:  # an admin leaves: their word stays, without their id
        await privacy.erase(session, ADMIN, now)
    (exported,) = (await whole_export(read, 3))["feedback"]
    assert exported["judgements"][0]["stands"]


async def counted_users(read: Sessions) -> set[int]:
    async with read() as session:
        rows = await training_data.rated_reviews(session, held_out=False, per_user=50)
    return {row.user_id for row in rows}
