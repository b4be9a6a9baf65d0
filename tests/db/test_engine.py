"""Both databases behave alike: times, text, transactions that read, transactions that write."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from db import updates, users
from db.address import DatabaseError
from db.engine import Database, Sessions, create_engine
from db.models import Review, TrainingRun, Update, User

pytestmark = pytest.mark.anyio


async def test_times_come_back_aware_and_in_utc(write: Sessions) -> None:
    moscow = datetime(2026, 3, 1, 2, 30, 0, 1, tzinfo=timezone(timedelta(hours=3)))
    async with write.begin() as session:
        await users.seen(session, 1, "ru", moscow)
    async with write() as session:
        stored = (await session.get_one(User, 1)).created_at
    assert stored == moscow
    assert stored.isoformat() == "2026-02-28T23:30:00.000001+00:00"


async def test_times_are_compared_across_zones(write: Sessions, now: datetime) -> None:
    async with write.begin() as session:
        await users.seen(session, 1, "ru", now)
        for hours, found in ((-1, 0), (0, 1), (1, 1)):
            elsewhere = (now + timedelta(hours=hours)).astimezone(timezone(timedelta(hours=-9)))
            before = select(func.count()).where(User.created_at <= elsewhere)
            assert await session.scalar(before) == found


async def test_naive_times_are_refused(write: Sessions) -> None:
    async with write() as session:
        with pytest.raises(StatementError, match="has no time zone"):
            await users.seen(session, 1, "ru", datetime(2026, 3, 1))
        with pytest.raises(StatementError, match="has no time zone"):
            await session.scalar(select(User.id).where(User.created_at < datetime(2026, 3, 1)))


async def test_text_comes_back_as_sent_but_for_what_no_database_holds(
    write: Sessions, now: datetime, new_review: Callable[..., Review]
) -> None:
    sent = "«Ёж» 🎬 ' \" \\ % \r\n\t\u2028 \ufeff конец"
    async with write.begin() as session:
        await users.seen(session, 1, "ru", now)
        session.add_all([new_review(1, text=sent), new_review(2, text="а\x00б\ud83dв")])
    async with write() as session:
        stored = list(await session.scalars(select(Review.text).order_by(Review.id)))
    assert stored == [sent, "а\ufffdб\ufffdв"]


async def test_json_without_a_value_is_null_and_nan_is_refused(
    write: Sessions, now: datetime
) -> None:
    def run(figures: dict[str, float] | None) -> TrainingRun:
        return TrainingRun(
            trigger="admin",
            status="failed",
            started_at=now,
            finished_at=now,
            version=None,
            figures=figures,
            reason=None,
        )

    async with write.begin() as session:
        session.add(run(None))
        await session.flush()
        assert await session.scalar(
            text("SELECT count(*) FROM training_runs WHERE figures IS NULL")
        )
    async with write() as session:
        session.add(run({"accuracy": float("nan")}))
        with pytest.raises(StatementError, match="JSON compliant"):
            await session.flush()


async def test_reading_sessions_can_not_write(
    read: Sessions, write: Sessions, now: datetime
) -> None:
    async with read() as session:
        with pytest.raises(DBAPIError, match=r"readonly|read-only"):
            await users.seen(session, 1, "ru", now)
    async with write.begin() as session:  # most likely on the very same connection
        await users.seen(session, 1, "ru", now)
    async with read() as session:
        assert await session.scalar(select(func.count(User.id))) == 1


async def test_a_reading_session_sees_one_moment_and_waits_for_nobody(
    read: Sessions, write: Sessions, now: datetime
) -> None:
    async with read() as reader, write() as writer:
        assert await reader.scalar(select(func.count(User.id))) == 0
        await users.seen(writer, 1, "ru", now)
        assert await reader.scalar(select(func.count(User.id))) == 0
        await writer.commit()
        assert await reader.scalar(select(func.count(User.id))) == 0
    async with read() as reader:
        assert await reader.scalar(select(func.count(User.id))) == 1


async def test_transactions_that_read_before_they_write_wait_their_turn(
    write: Sessions, now: datetime
) -> None:
    async def count_then_write(update_id: int) -> None:
        async with write.begin() as session:
            await session.scalar(select(func.count(Update.update_id)))
            await asyncio.sleep(0.01)  # the others read too, and begin to write
            await updates.add(session, update_id, {}, 1, now)

    await asyncio.gather(*map(count_then_write, range(20)))
    async with write() as session:
        assert await session.scalar(select(func.count(Update.update_id))) == 20


async def test_a_failed_transaction_leaves_nothing(write: Sessions, now: datetime) -> None:
    async def fail() -> None:
        async with write.begin() as session:
            await users.seen(session, 1, "ru", now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with write() as session:
        assert await session.get(User, 1) is None


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_every_sqlite_connection_has_the_pragmas(engine: AsyncEngine) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
    async with engine.connect() as first, engine.connect() as second:
        # Without a transaction of their own: _begin would make the second one wait.
        for connection in (first, second):
            values = [
                (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar() for name in names
            ]
            assert values == ["wal", 1, 1, 1, 30000]
            await connection.rollback()


WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from sqlalchemy import func, select
from db import updates
from db.engine import create_engine, writing
from db.models import Update

async def main(url, first):
    engine = create_engine(url)
    for update_id in range(first, first + 200):
        async with writing(engine).begin() as session:
            await session.scalar(select(func.count(Update.update_id)))
            assert await updates.add(session, update_id, {"n": update_id}, 1, datetime.now(UTC))
    await engine.dispose()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


async def test_two_processes_write_at_once(url: str, read: Sessions) -> None:
    root = Path(__file__).resolve().parents[2]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, url, first],
            cwd=root,
            stderr=subprocess.PIPE,
            text=True,
        )
        for first in ("0", "1000")
    ]
    for writer in writers:
        _, complaint = writer.communicate(timeout=60)
        assert writer.returncode == 0, complaint
    async with read() as session:
        stored = set(await session.scalars(select(Update.update_id)))
    assert stored == {*range(200), *range(1000, 1200)}


async def test_those_who_write_take_turns_while_others_read(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a.db")
    async with database.write.begin() as session:
        await session.execute(text("CREATE TABLE t (i INTEGER)"))
    begun: list[int] = []

    async def write(number: int) -> None:
        async with database.write.begin() as session:
            await session.execute(text("INSERT INTO t VALUES (:i)"), {"i": number})
            begun.append(number)
            async with database.read() as reader:  # sees what is committed, and waits for nobody
                assert await reader.scalar(text("SELECT count(*) FROM t")) == number

    await asyncio.gather(*(write(number) for number in range(40)))
    assert begun == list(range(40))
    await database.close()


def test_the_folder_of_a_new_database_is_made(tmp_path: Path) -> None:
    create_engine(f"sqlite+aiosqlite:///{tmp_path}/a/b/c.db")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match=r"file/data can't be created: Not a directory"):
        create_engine(f"sqlite+aiosqlite:///{tmp_path}/file/data/kinorate.db")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "kinorate.db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "postgresql+psycopg://bot:secret@host/kinorate",
        "postgresql+asyncpg://bot:secret@host:port/kinorate",
    ],
)
def test_other_urls_are_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(DatabaseError, match="must be sqlite") as refusal:
        create_engine(url)
    assert "secret" not in str(refusal.value)


async def test_a_new_file_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "kinorate.db"
    with closing(sqlite3.connect(file, check_same_thread=False)) as other:
        other.execute("CREATE TABLE made_by_the_other (id)")
        other.execute("BEGIN IMMEDIATE")  # then the switch to WAL fails at once, without waiting
        engine = create_engine(f"sqlite+aiosqlite:///{file}")
        timer = threading.Timer(0.3, other.rollback)
        timer.start()
        async with engine.connect() as connection:
            assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
        timer.join()
        await engine.dispose()
