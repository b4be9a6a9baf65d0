"""Connections to SQLite give what aiosqlite's give, and cross to their thread once a statement."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from db import sqlite_connection
from db.engine import Database, create_engine, reading, writing

pytestmark = pytest.mark.anyio

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT i FROM n"
COUNTS = [0, 1, 2, 255, 256, 257, 511, 512, 513, 1300]


class Crossings:
    """Counts the calls that go to the threads of connections."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count = 0
        cross = aiosqlite.Connection._execute

        async def counted(connection: Any, *call: Any, **options: Any) -> Any:
            self.count += 1
            return await cross(connection, *call, **options)  # type: ignore[no-untyped-call]

        patch.setattr(aiosqlite.Connection, "_execute", counted)


@pytest.fixture
def crossings(monkeypatch: pytest.MonkeyPatch) -> Crossings:
    return Crossings(monkeypatch)


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[sqlite_connection.Connection]:
    opened = sqlite_connection.connect(str(tmp_path / "a.db"), isolation_level=None)
    await opened
    yield opened
    await opened.close()


@pytest.mark.parametrize("count", COUNTS)
async def test_all_rows_come_however_they_are_fetched(
    connection: sqlite_connection.Connection, count: int
) -> None:
    expected = list(range(1, count + 1))

    async def rows() -> sqlite_connection.Cursor:
        return await connection.cursor().execute(NUMBERS, (count,))

    if count:  # SQLite's recursion gives one row at least
        assert [i for (i,) in await (await rows()).fetchall()] == expected
        assert [i async for (i,) in await rows()] == expected
        one_by_one = await rows()
        assert [(await one_by_one.fetchone())[0] for _ in expected] == expected
        assert await one_by_one.fetchone() is None
    for size in (1, 7, 256, 300):
        cursor = await rows()
        found: list[int] = []
        while page := await cursor.fetchmany(size):
            assert len(page) == min(size, count - len(found))
            found += [i for (i,) in page]
        assert found == expected
        assert await cursor.fetchall() == []


async def test_fetching_all_after_some_gives_the_rest(
    connection: sqlite_connection.Connection,
) -> None:
    cursor = await connection.cursor().execute(NUMBERS, (600,))
    first = await cursor.fetchmany(300)
    rest = await cursor.fetchall()
    assert [i for (i,) in [*first, *rest]] == list(range(1, 601))


async def test_a_statement_crosses_once(
    connection: sqlite_connection.Connection, crossings: Crossings
) -> None:
    cursor = await connection.cursor().execute(NUMBERS, (200,))
    assert len(await cursor.fetchall()) == 200
    await cursor.close()
    await connection.rollback()  # as the pool does; there is no transaction
    assert crossings.count == 1


async def test_a_transaction_crosses_once_a_statement(tmp_path: Path, crossings: Crossings) -> None:
    database = Database(f"sqlite:///{tmp_path}/a.db")
    async with database.write.begin() as session:
        await session.execute(text("CREATE TABLE t (i INTEGER PRIMARY KEY)"))
    sent: list[str] = []
    event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda *given: sent.append(given[2])
    )
    crossings.count = 0
    async with database.write.begin() as session:
        await session.execute(text("INSERT INTO t VALUES (1), (2) RETURNING i"))
        assert (await session.scalar(text("SELECT count(*) FROM t"))) == 2
    assert sent[0] == "BEGIN IMMEDIATE"
    assert crossings.count == len(sent) + 1 == 4  # and the commit
    await database.close()


async def test_reading_and_writing_in_turn_never_mixes(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/a.db")  # whose connections serve both
    write, read = writing(engine), reading(engine)
    async with write.begin() as session:
        await session.execute(text("CREATE TABLE t (i INTEGER PRIMARY KEY)"))
    for number in range(4):
        async with read() as session:
            with pytest.raises(Exception, match="readonly"):
                await session.execute(text("INSERT INTO t VALUES (99)"))
        async with write.begin() as session:
            await session.execute(text("INSERT INTO t VALUES (:i)"), {"i": number})
    async with read() as session:
        assert list(await session.scalars(text("SELECT i FROM t ORDER BY i"))) == [0, 1, 2, 3]
    await engine.dispose()


async def test_what_sqlite_refuses_is_raised_and_rolled_back(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a.db")
    async with database.write.begin() as session:
        await session.execute(text("CREATE TABLE t (i INTEGER PRIMARY KEY)"))

    async def store_twice() -> None:
        async with database.write.begin() as session:
            await session.execute(text("INSERT INTO t VALUES (1)"))
            await session.execute(text("INSERT INTO t VALUES (1)"))

    with pytest.raises(IntegrityError):
        await store_twice()
    async with database.write.begin() as session:
        assert await session.scalar(text("SELECT count(*) FROM t")) == 0
    await database.close()


async def test_a_transaction_that_is_cancelled_as_it_begins_holds_no_lock(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    database = Database(f"sqlite:///{file}")

    async def count() -> None:
        async with database.write.begin() as session:
            await session.execute(text("CREATE TABLE IF NOT EXISTS t (i INTEGER)"))

    await count()
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(count())
        await asyncio.sleep(0.3)  # its BEGIN is in the thread, and waits for the lock there
        waiting.cancel()
        await asyncio.sleep(0.1)
        other.execute("COMMIT")
        with pytest.raises(asyncio.CancelledError):
            await waiting
        other.execute("BEGIN IMMEDIATE")
        other.execute("COMMIT")
    await count()
    await database.close()


async def test_a_stream_that_is_left_holds_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a.db")
    rows = text(NUMBERS.replace("?", "5000"))
    async with database.read() as session:
        async for (number,) in await session.stream(rows):
            if number == 300:
                break
    async with database.write.begin() as session:  # no statement is still being read
        await session.execute(text("CREATE TABLE t (i INTEGER)"))
    async with database.read() as session:
        numbers = [number async for (number,) in await session.stream(rows)]
    assert numbers == list(range(1, 5001))
    await database.close()


async def test_many_rows_go_in_together(connection: sqlite_connection.Connection) -> None:
    await connection.cursor().execute("CREATE TABLE t (i INTEGER)")
    cursor = await connection.cursor().executemany("INSERT INTO t VALUES (?)", [(1,), (2,), (3,)])
    assert cursor.rowcount == 3
    found = await connection.cursor().execute("SELECT i FROM t")
    assert [i for (i,) in await found.fetchall()] == [1, 2, 3]
    with pytest.raises(sqlite3.OperationalError):
        await connection.cursor().execute("SELECT nonsense FROM nowhere")
