"""One process at a time has a lock of PostgreSQL: until it gives it back, dies or loses it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.advisory_lock import AdvisoryLock, Task
from db.engine import create_engine
from tests.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.anyio

HOLDER = """
import asyncio, sys
from db.advisory_lock import AdvisoryLock, Task
from db.engine import create_engine

async def hold():
    print(await AdvisoryLock(create_engine(sys.argv[1]), Task.FETCHING).take(), flush=True)
    await asyncio.sleep(600)

asyncio.run(hold())
"""


@pytest.fixture
def server(own_postgres: PostgresServer) -> PostgresServer:
    return own_postgres


@pytest.fixture
async def engines(server: PostgresServer) -> AsyncIterator[list[AsyncEngine]]:
    """As many as two processes have."""
    engines = [create_engine(server.url("postgres")) for _ in range(2)]
    yield engines
    for engine in engines:
        await engine.dispose()


async def test_one_has_it_until_it_is_given_back(engines: list[AsyncEngine]) -> None:
    first, second = (AdvisoryLock(engine, Task.SCHEDULING) for engine in engines)
    other_task = AdvisoryLock(engines[1], Task.RETRAINING)
    assert await first.take()
    assert await first.take(), "asked again, it is ours still"
    assert not await second.take()
    assert await other_task.take()
    assert await first.is_ours()
    assert not await second.is_ours()
    await first.release()
    assert not await first.is_ours()
    assert await second.take()
    for lock in (second, other_task, first):
        await lock.release()  # also one that it doesn't have


async def test_a_killed_process_frees_it(
    server: PostgresServer, engines: list[AsyncEngine]
) -> None:
    lock = AdvisoryLock(engines[0], Task.FETCHING)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, server.url("postgres")),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"True\n"
    assert not await lock.take()
    process.send_signal(signal.SIGKILL)
    async with asyncio.timeout(10):
        await lock.wait()
    await process.wait()
    await lock.release()


async def test_who_loses_the_connection_learns_that_it_is_lost(
    server: PostgresServer, engines: list[AsyncEngine]
) -> None:
    first, second = (AdvisoryLock(engine, Task.FETCHING) for engine in engines)
    assert await first.take()
    losing = asyncio.create_task(first.wait_until_lost())
    await asyncio.to_thread(server.restart)
    async with asyncio.timeout(10):
        await losing
        await second.wait()
    assert not await first.take()
    await second.release()


async def test_a_cancelled_wait_leaves_nothing_locked(engines: list[AsyncEngine]) -> None:
    lock, other = (AdvisoryLock(engine, Task.FETCHING) for engine in engines)
    for pause in (0.0, 0.001, 0.005, 0.02):
        taking = asyncio.create_task(lock.take())
        await asyncio.sleep(pause)
        taking.cancel()
        await asyncio.wait({taking})
        await lock.release()
    assert await other.take()
    await other.release()
    async with engines[0].connect() as connection:
        held = await connection.scalar(
            text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        )
    assert held == 0


async def test_a_server_that_is_starting_is_waited_for(
    engines: list[AsyncEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncpg tells that with an error of its own, which SQLAlchemy does not wrap."""
    asyncpg = pytest.importorskip("asyncpg")
    lock = AdvisoryLock(engines[0], Task.FETCHING)
    refusals = [asyncpg.exceptions.CannotConnectNowError("the database system is starting up")]
    take = lock._take

    async def refused_once() -> bool:
        if refusals:
            raise refusals.pop()
        return await take()

    monkeypatch.setattr(lock, "_take", refused_once)
    async with asyncio.timeout(10):
        await lock.wait()
    assert await lock.is_ours()
    await lock.release()
