"""The inbox keeps what Telegram sent until it is dealt with, once each."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from db import privacy, processes, updates
from db.engine import Sessions
from db.models import Update

ME = "this:1"

pytestmark = pytest.mark.anyio


async def test_an_update_is_new_once(write: Sessions, now: datetime) -> None:
    async with write.begin() as session:
        assert await updates.add(session, 2**40, {"text": "раз"}, 7, now)
    async with write.begin() as session:
        assert not await updates.add(session, 2**40, {"text": "два"}, 7, now)
        (stored,) = await updates.pending(session)
    assert (stored.update_id, stored.payload, stored.user_id) == (2**40, {"text": "раз"}, 7)


async def test_pending_updates_come_in_the_order_of_arrival(write: Sessions, now: datetime) -> None:
    async with write.begin() as session:
        # Telegram starts its numbers anew after a quiet week.
        await updates.add(session, 900, {}, 1, now)
        await updates.add(session, 5, {}, None, now + timedelta(seconds=2))
        await updates.add(session, 4, {}, 1, now + timedelta(seconds=2))
    async with write() as session:
        assert [row.update_id for row in await updates.pending(session)] == [900, 4, 5]


async def test_done_updates_stay_as_seen_without_what_they_said(
    write: Sessions, now: datetime
) -> None:
    async with write.begin() as session:
        for update_id in (1, 2, 3):
            await updates.add(session, update_id, {"text": "секрет"}, 1, now)
    async with write.begin() as session:
        await updates.mark_done(session, [1, 3, 99], now)
    async with write.begin() as session:
        assert [row.update_id for row in await updates.pending(session)] == [2]
        assert not await updates.add(session, 1, {"text": "секрет"}, 1, now)
        done = await session.get_one(Update, 1)
        assert (done.payload, done.done_at) == (None, now)


async def test_attempts_are_counted_while_pending(write: Sessions, now: datetime) -> None:
    async with write.begin() as session:
        await updates.add(session, 1, {}, 1, now)
        assert await updates.start(session, 1, ME) == 0  # nobody's yet
        await processes.join(session, ME, now)
        await updates.claim(session, ME, now, most=1, each=1)
        counted = [await updates.start(session, 1, one) for one in (ME, ME, "another")]
    assert counted == [1, 2, 0]
    async with write.begin() as session:
        await updates.mark_done(session, [1], now)
        assert await updates.start(session, 1, ME) == 0
        assert await updates.start(session, 2, ME) == 0


async def test_an_update_is_pending_until_it_is_done_or_erased(
    write: Sessions, now: datetime
) -> None:
    async with write.begin() as session:
        for update_id in (1, 2, 3):
            await updates.add(session, update_id, {}, update_id, now)
        await processes.join(session, ME, now)
        await updates.claim(session, ME, now, most=3, each=1)
        await updates.mark_done(session, [1], now)
        await privacy.erase(session, 2, now)
        pending = [await updates.is_claimed(session, number, ME) for number in (1, 2, 3, 4)]
    assert pending == [False, False, True, False]


async def test_payloads_hold_any_character(write: Sessions, now: datetime) -> None:
    payload = {"text": "\x00 \ud83d 🎬 \u2028 'quoted' \"too\"", "deep": [{"n": 2**60}]}
    async with write.begin() as session:
        await updates.add(session, 1, payload, None, now)
    async with write() as session:
        assert (await updates.pending(session))[0].payload == payload


async def test_only_the_days_in_which_telegram_repeats_itself_are_remembered(
    write: Sessions, now: datetime
) -> None:
    async with write.begin() as session:
        for update_id in (1, 2, 3):
            await updates.add(session, update_id, {}, 1, now)
        await updates.mark_done(session, [1], now)
        await updates.set_aside(session, 2)
    for days, left in ((3, {1, 2, 3}), (4, {3})):  # what still waits is never deleted
        async with write.begin() as session:
            deleted = await updates.delete_old(session, now + timedelta(days=days))
            assert deleted == 3 - len(left)
            assert set(await session.scalars(select(Update.update_id))) == left


async def test_what_cannot_be_read_is_erased_with_whom_it_names(
    write: Sessions, now: datetime
) -> None:
    async with write.begin() as session:
        for update_id, user_id in ((1, 7001), (2, 7002)):
            payload = {"update_id": update_id, "news": [{"author": {"id": user_id}}]}
            await updates.add(session, update_id, payload, None, now)
            await updates.set_aside(session, update_id)
        await privacy.erase(session, 7001, now)
    async with write.begin() as session:
        rows = await session.scalars(select(Update).order_by(Update.update_id))
        assert [row.payload is None for row in rows] == [True, False]
