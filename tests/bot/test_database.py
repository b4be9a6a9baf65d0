"""The bot migrates its database when it starts, after a backup."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.database import bring_up_to_date
from db import migrate
from db.errors import DatabaseError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BACKUP = "backups/kinorate-20260301T120000Z.db"


def url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master")}


def test_a_new_database_is_made(tmp_path: Path) -> None:
    file = tmp_path / "data" / "kinorate.db"
    bring_up_to_date(url(file), NOW)
    assert "reviews" in tables(file)
    assert not (file.parent / "backups").exists()


def test_an_older_database_is_backed_up_and_migrated(tmp_path: Path) -> None:
    file = tmp_path / "kinorate.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE precious (id INTEGER)")
    bring_up_to_date(url(file), NOW)
    assert migrate.is_current(url(file))
    assert {"precious", "reviews"} <= tables(file)
    assert tables(tmp_path / BACKUP) == {"precious"}


def test_a_current_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "kinorate.db"
    bring_up_to_date(url(file), NOW)
    bring_up_to_date(url(file), NOW)
    assert not (tmp_path / "backups").exists()


@pytest.mark.parametrize("kind", ["file", "server"])
def test_one_that_cannot_be_used_is_told_in_a_sentence(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "kinorate.db"
    file.write_text("no database at all " * 100)
    address = url(file)
    if kind == "server":
        pytest.importorskip("asyncpg")
        address = f"postgresql+asyncpg://me:secret@/kinorate?host={tmp_path}"
    with pytest.raises(DatabaseError) as caught:
        bring_up_to_date(address, NOW)
    message = str(caught.value)
    assert message.startswith("The database at DATABASE_URL can't be used: ")
    assert "\n" not in message
    assert "secret" not in message
