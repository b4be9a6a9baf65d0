"""A backup is the whole database, taken while it is in use, or it is not there."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from db import updates
from db.backup import backup
from db.engine import Sessions
from db.errors import DatabaseError


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return list(database.iterdump())


@pytest.mark.anyio
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_a_backup_opens_and_equals(
    url: str, write: Sessions, now: datetime, tmp_path: Path
) -> None:
    async with write.begin() as session:
        for update_id in range(50):
            await updates.add(session, update_id, {"text": "Ёж" * update_id}, 1, now)
    source = tmp_path / "kinorate.db"
    assert (tmp_path / "kinorate.db-wal").stat().st_size > 0  # so a copied file would lack them
    async with write() as session:
        await updates.add(session, 99, {}, 1, now)  # and somebody is writing
        there = timezone(timedelta(hours=3))
        copy = backup(url, tmp_path / "backups", now.astimezone(there))
    assert copy == tmp_path / "backups" / "kinorate-20260301T120000Z.db"
    assert dump(copy) == dump(source)
    assert sum('INSERT INTO "updates"' in line for line in dump(copy)) == 50
    assert [file.name for file in copy.parent.iterdir()] == [copy.name]


def test_postgresql_is_left_to_its_own_tools(tmp_path: Path, now: datetime) -> None:
    url = "postgresql+asyncpg://nobody@nowhere/kinorate"
    assert backup(url, tmp_path / "backups", now) is None
    assert list(tmp_path.iterdir()) == []


def test_there_is_nothing_to_back_up_before_the_first_start(tmp_path: Path, now: datetime) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/kinorate.db"
    assert backup(url, tmp_path / "backups", now) is None
    assert list(tmp_path.iterdir()) == []


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path, now: datetime) -> None:
    (tmp_path / "kinorate.db").write_text("this is no database" * 100)
    url = f"sqlite+aiosqlite:///{tmp_path}/kinorate.db"
    with pytest.raises(DatabaseError, match=r"kinorate\.db can't be backed up to .*not a database"):
        backup(url, tmp_path / "backups", now)
    assert list((tmp_path / "backups").iterdir()) == []


def test_what_a_killed_backup_left_is_in_nobodys_way(
    tmp_path: Path, migrated_file: Path, now: datetime
) -> None:
    half = tmp_path / "kinorate-20260301T120000Z.tmp"
    half.write_bytes(b"half")
    copy = backup(f"sqlite+aiosqlite:///{migrated_file}", tmp_path, now)
    assert copy is not None
    assert dump(copy) == dump(migrated_file)
    assert not half.exists()


def test_a_folder_that_can_not_be_made_is_named(
    tmp_path: Path, migrated_file: Path, now: datetime
) -> None:
    (tmp_path / "backups").write_text("a file")
    with pytest.raises(DatabaseError, match=r"to .*/backups/kinorate-20260301T120000Z\.db"):
        backup(f"sqlite+aiosqlite:///{migrated_file}", tmp_path / "backups", now)
