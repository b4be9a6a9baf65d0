"""What was erased is in none of SQLite's files once they are wiped, and the log stays small."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from db import privacy, reviews, updates, users
from db.engine import Sessions
from db.models import Review
from db.wiping import wipe

pytestmark = pytest.mark.anyio
sqlite_only = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)

PEOPLE = 12
ERASED = 7_000_000_007
TEXT = "тайна"


def files(folder: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def live_a_little(file: Path, seed: int) -> None:
    """Rows of all lengths come, change and go, until pages have been split and joined again."""
    chance = random.Random(seed)
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA secure_delete = ON")
        for person in range(PEOPLE):
            database.execute(
                "INSERT INTO users VALUES (?, 'ru', 1, '2026-03-01', '2026-03-01')", [person]
            )
        for number in range(1, 900):
            person = chance.randrange(PEOPLE)
            said = f"<secret {person:02d}>" + "x" * chance.randrange(1500)
            database.execute(
                "INSERT INTO updates (update_id, user_id, payload, received_at, attempts)"
                " VALUES (?, ?, ?, '2026-03-01', 0)",
                [number, person, f'"{said}"'],
            )
            database.execute(
                "INSERT INTO reviews (user_id, chat_id, message_id, update_id, text, source,"
                " created_at) VALUES (?, 1, 1, ?, ?, 'private', '2026-03-01')",
                [person, number, said],
            )
            done = "UPDATE updates SET payload = NULL, user_id = NULL, done_at = '2026-03-01'"
            database.execute(f"{done} WHERE update_id = ?", [chance.randrange(number + 1)])
            if chance.random() < 0.03:
                database.execute("DELETE FROM reviews WHERE user_id = ?", [person])
        database.commit()


@sqlite_only
@pytest.mark.parametrize("seed", range(3))
async def test_no_page_keeps_a_copy(
    url: str, write: Sessions, tmp_path: Path, now: datetime, seed: int
) -> None:
    live_a_little(tmp_path / "kinorate.db", seed)
    for person in range(PEOPLE):
        async with write.begin() as session:
            await privacy.erase(session, person, now)
        assert wipe(url)
        content = files(tmp_path)
        assert f"<secret {person:02d}>".encode() not in content
        if person + 1 < PEOPLE:
            assert f"<secret {person + 1:02d}>".encode() in content


@sqlite_only
async def test_a_reader_only_delays_it(
    url: str,
    write: Sessions,
    read: Sessions,
    tmp_path: Path,
    new_review: Callable[..., Review],
    now: datetime,
) -> None:
    async with write.begin() as session:
        await users.seen(session, ERASED, "ru", now)
        await updates.add(session, 1, {"text": TEXT, "from": {"id": ERASED}}, ERASED, now)
        await reviews.add(session, new_review(2, user_id=ERASED, text=TEXT))
    async with read() as reader:
        assert await updates.pending(reader)
        async with write.begin() as session:
            await privacy.erase(session, ERASED, now)
        assert not wipe(url)
        assert TEXT.encode() in files(tmp_path)
    assert wipe(url)
    content = files(tmp_path)
    assert TEXT.encode() not in content
    assert ERASED.to_bytes(8, "big").lstrip(b"\0") not in content  # as SQLite writes it
    assert str(ERASED).encode() not in content


@sqlite_only
async def test_it_stays_ordered_until_it_is_done(
    url: str, write: Sessions, tmp_path: Path, now: datetime
) -> None:
    async with write.begin() as session:
        await privacy.erase(session, ERASED, now)
    killed = tmp_path / "killed"
    killed.mkdir()
    for file in tmp_path.glob("kinorate.db*"):
        shutil.copy(file, killed)
    for folder in (tmp_path, killed):
        with closing(sqlite3.connect(folder / "kinorate.db")) as database:
            assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert wipe(f"sqlite+aiosqlite:///{folder}/kinorate.db")
        with closing(sqlite3.connect(folder / "kinorate.db")) as database:
            assert database.execute("PRAGMA user_version").fetchone() == (0,)


@sqlite_only
async def test_the_log_that_readers_let_grow_shrinks_again(
    url: str, write: Sessions, read: Sessions, tmp_path: Path, now: datetime
) -> None:
    log = tmp_path / "kinorate.db-wal"
    async with read() as reader:
        await updates.pending(reader)
        for number in range(40):
            async with write.begin() as session:
                await updates.add(session, number, {"text": "x" * 2**20}, None, now)
    assert log.stat().st_size > 40 * 2**20
    assert wipe(url)
    assert log.stat().st_size == 0


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_postgresql_cleans_up_itself(url: str) -> None:
    assert wipe(url)
