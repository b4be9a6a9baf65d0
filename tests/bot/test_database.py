"""The bot migrates its database when it starts, after a backup, which is whole or not there."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.database import bring_up_to_date
from bot.storage.backups import Backups
from db import migrate
from db.address import DatabaseError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BACKUP = "backups/kinorate-20260301T120000Z.db"


def url_of(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def backups_of(file: Path) -> Backups:
    return Backups(url_of(file), file.parent / "backups", kept=5)


def tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master")}


def test_a_new_database_is_made(tmp_path: Path) -> None:
    file = tmp_path / "data" / "kinorate.db"
    bring_up_to_date(backups_of(file), NOW)
    assert "reviews" in tables(file)
    assert not (file.parent / "backups").exists()


def test_an_older_database_is_backed_up_and_migrated(tmp_path: Path) -> None:
    file = tmp_path / "kinorate.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE precious (id INTEGER)")
    bring_up_to_date(backups_of(file), NOW)
    assert migrate.is_current(url_of(file))
    assert {"precious", "reviews"} <= tables(file)
    assert tables(tmp_path / BACKUP) == {"precious"}


def test_a_current_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "kinorate.db"
    bring_up_to_date(backups_of(file), NOW)
    bring_up_to_date(backups_of(file), NOW)
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
        bring_up_to_date(Backups(address, tmp_path / "backups", kept=5), NOW)
    message = str(caught.value)
    assert message.startswith("The database at DATABASE_URL can't be used: ")
    assert "\n" not in message
    assert "secret" not in message


def test_nobody_else_may_read_the_files(tmp_path: Path, migrated_file: Path) -> None:
    folder = tmp_path / "data"
    (folder / "backups").mkdir(parents=True)
    file = Path(shutil.copy(migrated_file, folder / "kinorate.db"))
    (folder / "backups" / "kinorate-20260301T120000Z.db").touch()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    bring_up_to_date(backups_of(file), NOW)
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_folder_of_other_things_stays_as_it_is(tmp_path: Path, migrated_file: Path) -> None:
    file = Path(shutil.copy(migrated_file, tmp_path / "kinorate.db"))
    (tmp_path / "of somebody else").touch()
    tmp_path.chmod(0o755)
    bring_up_to_date(backups_of(file), NOW)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert file.stat().st_mode & 0o777 == 0o600
