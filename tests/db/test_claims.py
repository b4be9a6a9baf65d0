"""Several processes share the inbox: each update is in the hands of one, which is alive."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from db import processes, updates
from db.engine import Sessions
from db.models import Process, Update
from db.processes import LEASE

pytestmark = pytest.mark.anyio

ONE, OTHER, THIRD = "one:1", "other:2", "third:3"


async def joined(write: Sessions, now: datetime, *names: str) -> None:
    """Processes beside each other; on SQLite only the last would be left of those that join."""
    async with write.begin() as session:
        for name in names:
            session.add(Process(name=name, started_at=now, alive_until=now + LEASE))


async def received(write: Sessions, now: datetime, *senders: int | None) -> None:
    """Updates 1, 2 … of these senders."""
    async with write.begin() as session:
        for number, sender in enumerate(senders, 1):
            await updates.add(session, number, {}, sender, now + timedelta(seconds=number))


async def claim(
    write: Sessions,
    process: str,
    now: datetime,
    most: int = 100,
    each: int = 100,
    **more: Any,
) -> list[int]:
    async with write.begin() as session:
        claimed = await updates.claim(session, process, now, most=most, each=each, **more)
        return [row.update_id for row in claimed]


async def test_what_one_sender_has_waiting_is_with_one_process(
    write: Sessions, now: datetime
) -> None:
    await joined(write, now, ONE, OTHER)
    await received(write, now, 7, 8, 7, None, 7)
    assert await claim(write, ONE, now, most=1) == [1]
    assert await claim(write, OTHER, now) == [2, 4]
    assert await claim(write, ONE, now) == [3, 5]
    assert await claim(write, ONE, now) == []
    async with write() as session:
        row = await session.get_one(Update, 2)
        assert (row.claimed_by, row.claimed_since) == (OTHER, now)


async def test_when_all_of_it_is_done_another_may_have_what_comes(
    write: Sessions, now: datetime
) -> None:
    await joined(write, now, ONE, OTHER)
    await received(write, now, 7, 7)
    assert await claim(write, ONE, now, most=1) == [1]
    assert await claim(write, OTHER, now) == []
    async with write.begin() as session:
        await updates.mark_done(session, [1], now)
        assert (await session.get_one(Update, 1)).claimed_by is None
    assert await claim(write, OTHER, now) == [2]


async def test_senders_take_turns_and_no_one_has_more_than_a_share(
    write: Sessions, now: datetime
) -> None:
    await joined(write, now, ONE)
    await received(write, now, *[7] * 50, 8, 8, 9)
    async with write() as session:
        assert await updates.claimable(session, ONE, each=3) == 3 + 2 + 1
    assert await claim(write, ONE, now, most=4, each=3) == [1, 2, 51, 53]
    async with write() as session:
        assert await updates.claimable(session, ONE, each=3) == 2
    assert await claim(write, ONE, now, most=4, each=3) == [3, 52]
    assert await claim(write, ONE, now, most=4, each=3) == []
    # What is to be tried again later takes no share.
    assert await claim(write, ONE, now, most=4, each=3, paused=[1, 2]) == [4, 5]


async def test_what_is_held_waits_for_models_and_holds_up_nothing_else(
    write: Sessions, now: datetime
) -> None:
    await joined(write, now, ONE, OTHER)
    await received(write, now, 7, 7, 7, 8)
    assert await claim(write, ONE, now, most=1) == [1]
    async with write.begin() as session:
        assert await updates.start(session, 1, ONE) == 1
        assert not await updates.is_any_held(session, 7)
        await updates.hold(session, [1, 2], ONE, now)  # the second part is not even claimed yet
        assert await updates.is_any_held(session, 7)
        assert not await updates.is_any_held(session, 8)
        assert (await session.get_one(Update, 1)).attempts == 0  # no kill is to be suspected
    assert await claim(write, OTHER, now, each=1, held=False) == [3, 4]
    assert await claim(write, OTHER, now) == [1, 2]
    async with write.begin() as session:
        await updates.hold(session, [1], ONE, now)  # it is another's by now
        assert (await session.get_one(Update, 1)).claimed_by == OTHER


async def test_claims_at_the_same_moment_split_nobodys_updates(
    write: Sessions, now: datetime
) -> None:
    names = [f"process:{number}" for number in range(6)]
    await joined(write, now, *names)
    await received(write, now, *[sender for sender in range(20) for _ in range(5)])

    async def claim_all(name: str) -> list[int]:
        claimed: list[int] = []
        while some := await claim(write, name, now, most=7, each=2):
            claimed += some
            async with write.begin() as session:
                await updates.mark_done(session, some[:1], now)
        return claimed

    claimed = await asyncio.gather(*map(claim_all, names))
    every = [number for one in claimed for number in one]
    assert len(every) == len(set(every))
    async with write() as session:
        shared = (
            select(Update.user_id)
            .where(Update.claimed_by.is_not(None))
            .group_by(Update.user_id)
            .having(func.count(Update.claimed_by.distinct()) > 1)
        )
        assert list(await session.scalars(shared)) == []


async def test_what_a_process_had_claimed_is_free_when_it_leaves(
    write: Sessions, now: datetime
) -> None:
    await joined(write, now, ONE, OTHER)
    await received(write, now, 7, 7)
    assert await claim(write, ONE, now, most=1) == [1]
    async with write.begin() as session:
        await processes.leave(session, ONE)
    assert await claim(write, OTHER, now) == [1, 2]


async def test_a_dead_one_is_found_and_what_it_had_is_free(
    write: Sessions, now: datetime, engine: AsyncEngine
) -> None:
    await joined(write, now, ONE, OTHER, THIRD)
    await received(write, now, 7, 8)
    assert await claim(write, ONE, now, most=1) == [1]
    later = await after_the_grace(write, engine, now)
    async with write.begin() as session:
        late = update(Process).where(Process.name != OTHER)
        await session.execute(late.values(alive_until=later - timedelta(seconds=1)))
        renewed = await processes.renew(session, OTHER, later)
    assert renewed.was_alive
    assert sorted(renewed.dead) == [ONE, THIRD]
    assert renewed.alive == 1
    assert await claim(write, OTHER, now) == [1, 2]
    async with write.begin() as session:
        assert not await updates.is_claimed(session, 1, ONE)
        renewed = await processes.renew(session, THIRD, later)  # it was only slow
    assert (renewed.was_alive, renewed.dead) == (False, [])


async def after_the_grace(write: Sessions, engine: AsyncEngine, now: datetime) -> datetime:
    """The server has run for long enough to call a process dead."""
    if engine.dialect.name == "sqlite":
        return now + 2 * LEASE
    async with asyncio.timeout(30):
        while True:
            async with write() as session:
                age = await session.scalar(text("SELECT now() - pg_postmaster_start_time()"))
                if age > processes.GRACE:
                    time: datetime = (await session.execute(text("SELECT now()"))).scalar_one()
                    return time
            await asyncio.sleep(0.1)


async def test_after_a_start_of_the_server_nobody_is_dead_at_once(
    write: Sessions, now: datetime, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no server")
    monkeypatch.setattr(processes, "GRACE", timedelta(days=1))
    await joined(write, now, ONE, OTHER)  # both late by the server's clock
    async with write.begin() as session:
        assert (await processes.renew(session, ONE, now)).dead == []
        assert (await processes.renew(session, OTHER, now)).was_alive


async def test_on_sqlite_whoever_was_before_is_dead(
    write: Sessions, now: datetime, engine: AsyncEngine
) -> None:
    await joined(write, now, ONE)
    await received(write, now, 7)
    assert await claim(write, ONE, now) == [1]
    async with write.begin() as session:
        await processes.join(session, OTHER, now)
    alone = engine.dialect.name == "sqlite"
    assert await claim(write, OTHER, now) == ([1] if alone else [])
