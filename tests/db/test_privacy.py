"""Everything of a user can be taken out, and erased without touching anyone else's."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from db import admin_actions, feedback, privacy, processes, reviews, updates, users
from db.engine import Sessions
from db.feedback import Given
from db.models import Base, Review, Update

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def _two_users(write: Sessions, new_review: Callable[..., Review], now: datetime) -> None:
    """User 1, whose texts all say «тайна», and user 2, who has rated one of their reviews."""
    async with write.begin() as session:
        for user_id in (1, 2):
            await users.seen(session, user_id, "ru", now)
        for update_id, user_id in ((1, 1), (2, 1), (3, 2)):
            await updates.add(session, update_id, {"text": "тайна"}, user_id, now)
            said = "тайна" if user_id == 1 else "открыто"
            review = new_review(update_id, user_id=user_id, text=said, asked_for="random")
            await reviews.add(session, review)
        await updates.mark_done(session, [1, 3], now)
        numbers = {row.update_id: row.id for row in await session.scalars(select(Review))}
        for update_id, user_id, rating in ((1, 1, 4), (1, 1, 5), (1, 2, 6), (3, 2, 7), (3, 1, 8)):
            await feedback.rate(
                session,
                Given(numbers[update_id], user_id, rating, asked=False, held_out=False),
                now,
            )
        await admin_actions.add(session, 1, "promote", now, {"version": "v2"})


async def whole_export(sessions: Sessions, user_id: int) -> dict[str, Any]:
    """The parts of an export put together."""
    whole: dict[str, Any] = {}
    async for name, part in privacy.export(sessions, user_id):
        whole[name] = [*whole.get(name, []), *part] if isinstance(part, list) else part
    return whole


async def counts(sessions: Sessions) -> dict[str, int]:
    async with sessions() as session:
        return {
            name: await session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


async def test_the_export_has_everything_and_nothing_of_others(
    read: Sessions, now: datetime
) -> None:
    exported: dict[str, Any] = json.loads(json.dumps(await whole_export(read, 1)))
    assert exported["user"]["created_at"] == now.isoformat()
    assert [review["text"] for review in exported["reviews"]] == ["тайна", "тайна"]
    assert [review["asked_for"] for review in exported["reviews"]] == ["random", "random"]
    assert [row["pooling"] for row in exported["reviews"][0]["predictions"]] == ["cls", "mean"]
    assert exported["reviews"][0]["predictions"][0]["probability_good"] == 0.625
    assert [given["rating"] for given in exported["feedback"]] == [5, 8]
    history = [[row["rating"] for row in given["history"]] for given in exported["feedback"]]
    assert history == [[4, 5], [8]]
    assert {row["update_id"]: row["payload"] for row in exported["updates"]} == {
        2: {"text": "тайна"},  # the other one is done, and nobody's any more
    }
    assert [row["action"] for row in exported["admin_actions"]] == ["promote"]
    assert "открыто" not in json.dumps(exported, ensure_ascii=False)


async def test_the_export_of_a_stranger_is_empty(read: Sessions) -> None:
    exported = await whole_export(read, 99)
    assert exported == {
        "user": None,
        "reviews": [],
        "feedback": [],
        "updates": [],
        "admin_actions": [],
    }


async def test_erasing_takes_everything_of_one_user(
    write: Sessions, read: Sessions, now: datetime
) -> None:
    before = await counts(read)
    async with write.begin() as session:
        erased = await privacy.erase(session, 1, now)
    assert erased == {
        "users": 1,
        "reviews": 2,
        "predictions": 4,
        "feedback": 3,  # two of their own, one that user 2 gave on their review
        "feedback_history": 4,
        "judgements": 0,
        "updates": 1,
        "admin_actions": 1,
    }
    after = await counts(read)
    kept = {"updates", "admin_actions"}  # without whose they were
    gone = {name: before[name] - after[name] for name in erased if name not in kept}
    assert gone == {name: count for name, count in erased.items() if name not in kept}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert all(not part for part in (await whole_export(read, 1)).values())
    others = await whole_export(read, 2)
    assert [review["text"] for review in others["reviews"]] == ["открыто"]
    assert [given["rating"] for given in others["feedback"]] == [7]


async def test_erased_updates_are_neither_replayed_nor_taken_again(
    write: Sessions, now: datetime
) -> None:
    async with write.begin() as session:
        await privacy.erase(session, 1, now)
    async with write.begin() as session:
        assert await updates.pending(session) == []
        for update_id in (1, 2):
            assert not await updates.add(session, update_id, {"text": "тайна"}, 1, now)
            row = await session.get_one(Update, update_id)
            assert (row.user_id, row.payload) == (None, None)


async def test_erasing_a_stranger_changes_nothing(
    write: Sessions, read: Sessions, now: datetime
) -> None:
    before = await counts(read)
    async with write.begin() as session:
        assert set((await privacy.erase(session, 99, now)).values()) == {0}
    assert await counts(read) == before


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_what_is_erased_is_not_left_in_the_file(
    write: Sessions, url: str, now: datetime
) -> None:
    async with write.begin() as session:
        await privacy.erase(session, 1, now)
    async with write() as session:
        connection = await session.connection()
        await connection.commit()
        raw = await connection.get_raw_connection()
        await raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    content = Path(url.removeprefix("sqlite+aiosqlite:///")).read_bytes()
    assert "открыто".encode() in content
    assert "тайна".encode() not in content


async def test_what_is_stored_of_an_update_in_hand_is_erased_with_the_rest(
    write: Sessions, read: Sessions, new_review: Callable[..., Review], now: datetime
) -> None:
    async def erase() -> None:
        async with write.begin() as session:
            await privacy.erase(session, 3, now)

    async with write.begin() as session:
        await updates.add(session, 7, {"text": "тайна"}, 3, now)
        await processes.join(session, "this:1", now)
        await updates.claim(session, "this:1", now, most=9, each=1)
    async with write.begin() as session:
        assert await updates.is_claimed(session, 7, "this:1")
        erasing = asyncio.create_task(erase())
        await asyncio.wait([erasing], timeout=0.1)  # it waits for this transaction
        await users.seen(session, 3, "ru", now)
        assert await reviews.add(session, new_review(7, user_id=3))
    await erasing
    assert all(not part for part in (await whole_export(read, 3)).values())
