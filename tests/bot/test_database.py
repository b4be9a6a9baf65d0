"""The bot migrates its database when it starts, after a backup, which is whole or not there."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from bot.database import BACKUP_KEPT_FOR, BACKUPS_KEPT, backup, bring_up_to_date, delete_old_backups
from db import migrate, updates
from db.address import DatabaseError
from db.engine import Sessions

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BACKUP = "backups/kinorate-20260301T120000Z.db"


def url_of(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master")}


def test_a_new_database_is_made(tmp_path: Path) -> None:
    file = tmp_path / "data" / "kinorate.db"
    bring_up_to_date(url_of(file), NOW)
    assert "reviews" in tables(file)
    assert not (file.parent / "backups").exists()


def test_an_older_database_is_backed_up_and_migrated(tmp_path: Path) -> None:
    file = tmp_path / "kinorate.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE precious (id INTEGER)")
    bring_up_to_date(url_of(file), NOW)
    assert migrate.is_current(url_of(file))
    assert {"precious", "reviews"} <= tables(file)
    assert tables(tmp_path / BACKUP) == {"precious"}


def test_a_current_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "kinorate.db"
    bring_up_to_date(url_of(file), NOW)
    bring_up_to_date(url_of(file), NOW)
    assert not (tmp_path / "backups").exists()


@pytest.mark.parametrize("kind", ["file", "server"])
def test_one_that_cannot_be_used_is_told_in_a_sentence(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "kinorate.db"
    file.write_text("no database at all " * 100)
    address = url_of(file)
    if kind == "server":
        pytest.importorskip("asyncpg")
        address = f"postgresql+asyncpg://me:secret@/kinorate?host={tmp_path}"
    with pytest.raises(DatabaseError) as caught:
        bring_up_to_date(address, NOW)
    message = str(caught.value)
    assert message.startswith("The database at DATABASE_URL can't be used: ")
    assert "\n" not in message
    assert "secret" not in message


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return list(database.iterdump())


@pytest.mark.anyio
async def test_a_backup_opens_and_equals(url: str, write: Sessions, tmp_path: Path) -> None:
    async with write.begin() as session:
        for update_id in range(50):
            await updates.add(session, update_id, {"text": "Ёж" * update_id}, 1, NOW)
    source = tmp_path / "kinorate.db"
    assert (tmp_path / "kinorate.db-wal").stat().st_size > 0  # so a copied file would lack them
    async with write() as session:
        await updates.add(session, 99, {}, 1, NOW)  # and somebody is writing
        there = timezone(timedelta(hours=3))
        copy = backup(url, NOW.astimezone(there))
    assert copy == tmp_path / "backups" / "kinorate-20260301T120000Z.db"
    assert dump(copy) == dump(source)
    assert sum('INSERT INTO "updates"' in line for line in dump(copy)) == 50
    assert [file.name for file in copy.parent.iterdir()] == [copy.name]


def test_postgresql_is_left_to_its_own_tools(tmp_path: Path) -> None:
    url = "postgresql+asyncpg://nobody@nowhere/kinorate"
    assert backup(url, NOW) is None
    assert list(tmp_path.iterdir()) == []


def test_there_is_nothing_to_back_up_before_the_first_start(tmp_path: Path) -> None:
    url = url_of(tmp_path / "kinorate.db")
    assert backup(url, NOW) is None
    assert list(tmp_path.iterdir()) == []


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "kinorate.db").write_text("this is no database" * 100)
    url = url_of(tmp_path / "kinorate.db")
    with pytest.raises(DatabaseError, match=r"kinorate\.db can't be backed up to .*not a database"):
        backup(url, NOW)
    assert list((tmp_path / "backups").iterdir()) == []


def test_what_a_killed_backup_left_is_in_nobodys_way(tmp_path: Path, migrated_file: Path) -> None:
    file = Path(shutil.copy(migrated_file, tmp_path / "kinorate.db"))
    half = tmp_path / "backups" / f".{Path(BACKUP).name}.0000.tmp"
    half.parent.mkdir()
    half.write_bytes(b"half")
    copy = backup(url_of(file), NOW)
    assert copy is not None
    assert dump(copy) == dump(migrated_file)
    assert not half.exists()


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path, migrated_file: Path) -> None:
    file = Path(shutil.copy(migrated_file, tmp_path / "kinorate.db"))
    (tmp_path / "backups").write_text("a file")
    with pytest.raises(DatabaseError, match=r"to .*/backups/kinorate-20260301T120000Z\.db"):
        backup(url_of(file), NOW)


def test_backups_have_a_number_and_an_age(tmp_path: Path, migrated_file: Path) -> None:
    url = url_of(Path(shutil.copy(migrated_file, tmp_path / "kinorate.db")))
    others = tmp_path / "backups" / "other-20200101T000000Z.db"
    others.parent.mkdir()
    others.touch()
    for day in range(BACKUPS_KEPT + 2):
        backup(url, NOW + timedelta(days=day))
    delete_old_backups(url, NOW + timedelta(days=BACKUPS_KEPT + 1))
    kept = sorted(file.name for file in others.parent.glob("kinorate-*"))
    assert [name[9:17] for name in kept] == [f"2026030{day}" for day in range(3, 8)]
    assert delete_old_backups(url, NOW + timedelta(days=3) + BACKUP_KEPT_FOR) == 1
    assert delete_old_backups(url, NOW + timedelta(days=400)) == 4
    assert [file.name for file in others.parent.iterdir()] == [others.name]


def test_nobody_else_may_read_the_files(tmp_path: Path, migrated_file: Path) -> None:
    folder = tmp_path / "data"
    (folder / "backups").mkdir(parents=True)
    file = Path(shutil.copy(migrated_file, folder / "kinorate.db"))
    (folder / "backups" / "kinorate-20260301T120000Z.db").touch()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    bring_up_to_date(url_of(file), NOW)
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_folder_of_other_things_stays_as_it_is(tmp_path: Path, migrated_file: Path) -> None:
    file = Path(shutil.copy(migrated_file, tmp_path / "kinorate.db"))
    (tmp_path / "of somebody else").touch()
    tmp_path.chmod(0o755)
    bring_up_to_date(url_of(file), NOW)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert file.stat().st_mode & 0o777 == 0o600
