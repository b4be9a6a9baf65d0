"""Admins who decide at once, a group decided at once, and what the table of /errors says of it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.services.judging import Admin, Done, Judging, Kind, NotJudged, Seen, Word
from bot.services.periods import SPANS
from bot.services.review_table import COLUMNS, table_row
from classifier.labels import sentiment_of
from db.engine import Sessions
from db.hard_reviews import HardReviews
from tests.bot.doubtful import add_rating

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
WEEK = SPANS["7d"]
BORIS, EMILY = Admin(1002, "ru"), Admin(1003, "en")


@pytest.fixture
def url(migrated_url: str) -> str:
    return migrated_url


@pytest.fixture
def judging(write: Sessions, read: Sessions) -> Judging:
    return Judging(write, read, lambda: LATER)


async def table(read: Sessions) -> list[dict[str, object]]:
    async with read() as session:
        hard = HardReviews(session, WEEK.before(LATER), sentiment_of)
        rows = [one async for part in hard.all() for one in part]
    return [dict(zip(COLUMNS, table_row(row), strict=True)) for row in rows]


async def test_of_two_admins_at_once_one_decides(
    judging: Judging, write: Sessions, read: Sessions
) -> None:
    async with write.begin() as session:
        review_id = await add_rating(session, 1, 1, 0, NOW)
    seen = Seen(review_id, 0, 0)
    said = await asyncio.gather(
        judging.judge(seen, Word.WRONG, BORIS), judging.judge(seen, Word.WRONG, EMILY)
    )
    (done,) = (one for one in said if isinstance(one, Done))
    assert NotJudged.JUDGED in said
    (row,) = await table(read)
    assert (row["given_rating"], row["author_rating"], row["judged"]) == (None, 0, "wrong")
    assert row["cls_sentiment_right"] is None

    taken = await asyncio.gather(
        judging.take_back(done.action_id, BORIS), judging.take_back(done.action_id, EMILY)
    )
    assert Done(done.action_id, 1) in taken
    assert NotJudged.NOT_STANDING in taken
    (row,) = await table(read)
    assert (row["given_rating"], row["author_rating"], row["judged"]) == (0, 0, None)

    assert isinstance(await judging.judge(seen, 8, BORIS), Done)
    (row,) = await table(read)
    assert (row["given_rating"], row["author_rating"], row["judged"]) == (8, 0, "other rating")


async def test_a_group_is_decided_as_it_was_seen(
    judging: Judging, write: Sessions, read: Sessions
) -> None:
    async with write.begin() as session:
        for number in range(7):
            await add_rating(session, 1, number, 0 if number else 9, NOW)
        for user in (2, 3, 4):
            await add_rating(
                session, user, 1, 1, NOW, text=f"Кино {user}. Как мы пили клюквенный морс."
            )
        # One that the models do not contradict has the phrase too.
        await add_rating(session, 2, 2, 9, NOW, text="Как мы пили клюквенный морс! Не забыть.")
    page = await judging.page(Kind.DOUBTFUL, WEEK, 0)
    row, shared = sorted(page.groups, key=lambda group: len(group.phrase))[:2]
    assert (len(row.ratings), row.of, row.phrase) == (6, 7, "")
    said = await asyncio.gather(
        judging.judge_group(row.key, WEEK, Word.WRONG, BORIS),
        judging.judge_group(row.key, WEEK, Word.RIGHT, EMILY),
    )
    assert NotJudged.OTHER_GROUP in said
    (done,) = (one for one in said if isinstance(one, Done))
    assert done.ratings == 6
    judged = await judging.page(Kind.JUDGED, WEEK, 99)
    assert (judged.number, judged.count) == (6, 6)
    assert (len(shared.ratings), shared.doubtful, shared.of) == (4, 3, 4)
    async with write.begin() as session:  # one more of the kind
        await add_rating(session, 5, 1, 0, NOW, text="Кино 5. Как мы пили клюквенный морс.")
    assert await judging.judge_group(shared.key, WEEK, Word.WRONG, BORIS) is NotJudged.OTHER_GROUP
    taken = await judging.take_back(done.action_id, EMILY)
    assert isinstance(taken, Done)
    assert taken.ratings == 6
