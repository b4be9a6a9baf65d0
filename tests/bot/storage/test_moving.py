"""Everything moves from one database to another, or nothing does."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from operator import methodcaller
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Table, delete, insert, select, text

from bot.storage.moving import move_to
from bot.storage.usage import is_in_use, sole_use
from db import migrate
from db.address import DatabaseError
from db.engine import Database
from db.models import Base, Review
from tests.bot.processes import environment
from tests.bot.storage.conftest import Command
from tests.postgres import PostgresServer

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
ROWS = 7

VALUES: dict[str, Callable[[int], Any]] = {
    "reviews.source": lambda _: "edit",
    "reviews.replaces_review_id": lambda n: n + 1 if n < ROWS else None,  # a later one too
    "predictions.pooling": lambda n: ("cls", "mean")[n % 2],
    "predictions.sentiment": lambda n: n % 3,
    "predictions.rating_probabilities": lambda n: None if n == 1 else [0.1, 1 / 3, 1e-12],
    "predictions.rating": lambda n: None if n == 1 else n,
    "predictions.rating_confidence": lambda n: None if n == 1 else 0.5,
    "feedback.rating": lambda n: n,
    "feedback_history.rating": lambda n: n,
    "training_runs.trigger": lambda _: "admin",
    "training_runs.status": lambda n: "running" if n == 1 else "failed",
    "training_runs.finished_at": lambda n: None if n == 1 else NOW,
    "updates.user_id": lambda n: None if n % 2 else 2**40,
    "updates.payload": lambda n: None if n % 2 else {"text": "Ёж 🦔\ud83e\t\\u0000", "n": 2**60},
    "updates.done_at": lambda n: NOW if n % 2 else None,
}
"""Where a rule of a column allows not just any value."""


def value(column: Column[Any], n: int) -> Any:
    name = f"{column.table.name}.{column.name}"
    if name in VALUES:
        return VALUES[name](n)
    if column.primary_key or column.foreign_keys:
        return n
    kinds: dict[type, Any] = {
        str: f"{n}"[: getattr(column.type, "length", None) or 10],
        int: n,
        bool: bool(n % 2),
        float: 0.25,
        bytes: bytes([n, 0, 255]),
        datetime: NOW,
        object: {"Ключ": [n, None, "значение"]},
    }
    return kinds[getattr(column.type, "impl_instance", column.type).python_type]


def rows(table: Table) -> list[dict[str, Any]]:
    count = 1 if table.name == "installation" else ROWS
    return [{c.name: value(c, n) for c in table.columns} for n in range(1, count + 1)]


def _is_own(column: Column[Any]) -> bool:
    return any(key.column.table is column.table for key in column.foreign_keys)


def on(url: str, work: Callable[[Any], Any]) -> Any:
    """What `work`, a coroutine function, returns of a connection."""

    async def run() -> Any:
        database = Database(url)
        try:
            async with database.write.begin() as session:
                return await work(session)
        finally:
            await database.close()

    return asyncio.run(run())


def fill(url: str) -> None:
    async def write(session: Any) -> None:
        if "sqlite" in url:
            await session.execute(text("PRAGMA defer_foreign_keys = ON"))
        for table in Base.metadata.sorted_tables:
            own = [c.name for c in table.columns if _is_own(c)]
            made = rows(table)
            await session.execute(insert(table), [row | dict.fromkeys(own) for row in made])
            for name in own:
                for row in made:
                    change = table.update().where(table.c.id == row["id"])
                    await session.execute(change.values({name: row[name]}))

    on(url, write)


def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    async def read(session: Any) -> dict[str, list[dict[str, Any]]]:
        return {
            table.name: [
                dict(row)
                for row in (
                    await session.execute(select(table).order_by(*table.primary_key))
                ).mappings()
            ]
            for table in Base.metadata.sorted_tables
        }

    found: dict[str, list[dict[str, Any]]] = on(url, read)
    return found


def next_review(url: str) -> int:
    """The id that the next review gets."""

    async def add(session: Any) -> int:
        row = rows(Base.metadata.tables["reviews"])[0] | {
            "update_id": 10**6,
            "replaces_review_id": None,
        }
        del row["id"]
        review = Review(**row)
        session.add(review)
        await session.flush()
        number = review.id
        await session.rollback()
        return number

    return int(on(url, add))


@pytest.fixture
def sqlite_file(migrated_file: Path, tmp_path: Path) -> Path:
    """A database with rows in every table, of which the last review was erased."""
    file = tmp_path / "old.db"
    file.write_bytes(migrated_file.read_bytes())
    url = f"sqlite+aiosqlite:///{file}"
    fill(url)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE sqlite_sequence SET seq = 100 WHERE name = 'reviews'")
    return file


def clear(url: str) -> None:
    async def empty(session: Any) -> None:
        for table in reversed(Base.metadata.sorted_tables):
            await session.execute(delete(table))

    on(url, empty)


def test_every_row_of_every_table(
    sqlite_file: Path, empty_postgres: str, command: Command, tmp_path: Path
) -> None:
    source = f"sqlite+aiosqlite:///{sqlite_file}"
    before = contents(source)
    assert all(before.values()), "a table without rows is not tried"
    done = command("move", "old.db", database_url=empty_postgres)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"reviews: {ROWS}\n" in done.stdout
    moved = contents(empty_postgres)
    assert moved == before
    assert moved["updates"][1]["payload"] is not None
    assert next_review(empty_postgres) == 101  # an erased id is given to nobody
    for table in Base.metadata.sorted_tables:
        if table.autoincrement_column is not None and table.name != "reviews":
            last = f"SELECT last_value FROM pg_sequences WHERE sequencename = '{table.name}_id_seq'"
            assert on(empty_postgres, methodcaller("scalar", text(last))) == ROWS
    back = f"sqlite+aiosqlite:///{tmp_path}/back/kinorate.db"
    done = command("move", empty_postgres, database_url=back)
    assert (done.returncode, done.stderr) == (0, "")
    assert contents(back) == before
    assert next_review(back) > 100


def test_a_target_with_rows_is_refused(
    sqlite_file: Path, empty_postgres: str, command: Command
) -> None:
    migrate.upgrade(empty_postgres)
    table = Base.metadata.tables["users"]
    on(empty_postgres, lambda session: session.execute(insert(table), rows(table)[:1]))
    done = command("move", sqlite_file, database_url=empty_postgres)
    assert done.returncode == 1
    assert done.stderr == "The target must be empty, and its users has rows.\n"
    assert sum(map(len, contents(empty_postgres).values())) == 1


def test_a_row_that_is_refused_leaves_nothing(sqlite_file: Path, empty_postgres: str) -> None:
    migrate.upgrade(empty_postgres)
    on(
        empty_postgres,
        lambda session: session.execute(
            text("ALTER TABLE feedback_history ADD CHECK (rating < 3)")
        ),
    )
    with pytest.raises(DatabaseError, match="refuses rows of feedback_history: ") as refusal:
        move_to(str(sqlite_file), empty_postgres)
    assert "\n" not in str(refusal.value)
    assert not any(contents(empty_postgres).values())


def test_what_is_no_source_is_a_sentence(
    sqlite_file: Path, empty_postgres: str, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "letter").write_text("Dear Anna" * 100)
    for source, sentence in {
        "nowhere.db": "There is no database at nowhere.db.",
        "letter": "Nothing is moved: ",
        "mysql://me:secret@host/d": "The database URL must be sqlite+aiosqlite:///FILE",
        empty_postgres: "The source is the database at DATABASE_URL itself.",
    }.items():
        with pytest.raises(DatabaseError) as refusal:
            move_to(source if "://" in source else str(tmp_path / source), empty_postgres)
        assert sentence.replace("nowhere", str(tmp_path / "nowhere")) in str(refusal.value)
        assert "secret" not in str(refusal.value)
        assert "\n" not in str(refusal.value)
    with closing(sqlite3.connect(sqlite_file)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0003'")
    with pytest.raises(DatabaseError, match="last used by another version of this program"):
        move_to(str(sqlite_file), empty_postgres)


@pytest.mark.parametrize("which", ["source", "target"])
def test_one_that_is_in_use_is_refused(
    which: str, sqlite_file: Path, empty_postgres: str, postgres: PostgresServer
) -> None:
    if which == "source":
        with (
            sole_use(f"sqlite+aiosqlite:///{sqlite_file}"),
            pytest.raises(DatabaseError, match="Another bot uses"),
        ):
            move_to(str(sqlite_file), empty_postgres)
        return
    options = ("-h", str(postgres.folder), "-U", "postgres", "-d", "second")
    # Idle: a server that runs a query would notice only at its end that this client is gone.
    psql = [str(postgres.programs / "psql"), *options]
    other = subprocess.Popen(psql, stdin=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 20
        while not asyncio.run(is_in_use(empty_postgres)):
            assert time.monotonic() < deadline
        with pytest.raises(DatabaseError, match="is in use by 1 other connections"):
            move_to(str(sqlite_file), empty_postgres)
    finally:
        other.kill()
        other.wait()


@pytest.mark.slow
def test_a_kill_leaves_all_or_nothing(
    sqlite_file: Path, empty_postgres: str, command: Command
) -> None:
    before = contents(f"sqlite+aiosqlite:///{sqlite_file}")
    states = []
    for step in range(12):
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "move", str(sqlite_file)],
            env=environment(database_url=empty_postgres),
            stdout=subprocess.DEVNULL,
        )
        time.sleep(0.5 + step * 0.15)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.3)  # the server notices
        migrate.upgrade(empty_postgres)
        there = contents(empty_postgres)
        states.append(any(there.values()))
        assert there == (before if states[-1] else {name: [] for name in before})
        if states[-1]:
            clear(empty_postgres)
    print(f"{sum(states)} of {len(states)} kills came too late")
    assert command("move", sqlite_file, database_url=empty_postgres).returncode == 0
    assert contents(empty_postgres) == before
