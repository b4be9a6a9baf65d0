"""A backup is whole or not there, others may write meanwhile, and there are only so many."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from bot.storage.backups import KEPT_FOR, Backups
from classifier import files
from classifier.files import take_lock
from db import updates
from db.address import DatabaseError
from db.engine import Sessions
from tests.bot.processes import environment
from tests.bot.storage.conftest import Command

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAME = "kinorate-20260301T120000Z.db"
KEPT = 5


def url_of(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return list(database.iterdump())


@pytest.fixture
def file(tmp_path: Path, migrated_file: Path) -> Path:
    """A database with all tables."""
    (tmp_path / "data").mkdir(exist_ok=True)
    return Path(shutil.copy(migrated_file, tmp_path / "data" / "kinorate.db"))


@pytest.fixture
def backups(file: Path) -> Backups:
    return Backups(url_of(file), file.parent / "backups", KEPT)


@pytest.mark.anyio
@pytest.mark.parametrize("backend", ["sqlite"])
async def test_a_backup_opens_and_equals(
    backups: Backups, file: Path, write: Sessions, url: str
) -> None:
    async with write.begin() as session:
        for update_id in range(50):
            await updates.add(session, update_id, {"text": "Ёж" * update_id}, 1, NOW)
    assert Path(f"{file}-wal").stat().st_size > 0  # so a copied file would lack them
    async with write() as session:
        await updates.add(session, 99, {}, 1, NOW)  # and somebody is writing
        there = timezone(timedelta(hours=3))
        copy = backups.make(NOW.astimezone(there))
    assert copy == backups.folder / NAME
    assert dump(copy) == dump(file)
    assert sum('INSERT INTO "updates"' in line for line in dump(copy)) == 50
    assert [file.name for file in copy.parent.iterdir()] == [copy.name]


def test_there_is_nothing_to_back_up_before_the_first_start(
    backups: Backups, file: Path, command: Command, tmp_path: Path
) -> None:
    file.unlink()
    assert backups.make(NOW) is None
    assert list(file.parent.iterdir()) == []
    done = command("backup")
    assert done.returncode == 1
    assert done.stderr == "There is no database yet at data/kinorate.db: nothing to back up.\n"


def test_a_backup_that_fails_leaves_nothing(backups: Backups, file: Path) -> None:
    file.write_text("this is no database" * 100)
    with pytest.raises(DatabaseError, match=r"kinorate\.db can't be backed up to .*not a database"):
        backups.make(NOW)
    assert list(backups.folder.iterdir()) == []


def test_whoever_sweeps_meanwhile_leaves_it_alone(
    backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, to_disk = list[Path](), files.fsync

    def fsync(path: Path) -> None:
        backups.sweep()  # as another process does that has just made one
        written.append(path)
        to_disk(path)

    monkeypatch.setattr("classifier.files.fsync", fsync)
    made = backups.make(NOW)
    assert made is not None
    assert made.exists()
    assert [path.suffix for path in written] == [".tmp", ""]


def test_what_a_killed_backup_left_is_in_nobodys_way(backups: Backups, file: Path) -> None:
    backups.folder.mkdir()
    left = [f".{NAME}.0000.tmp", f".{NAME}.0000.tmp-wal", ".kinorate-20260101T000000Z.db.0.tmp"]
    for name in left:
        (backups.folder / name).write_bytes(b"half")
    going_on = backups.folder / ".kinorate-20260302T000000Z.db.0001.tmp"
    lock = take_lock(going_on, wait=False)  # as a backup has it
    assert lock is not None
    assert backups.make(NOW) == backups.folder / NAME
    assert {path.name for path in backups.folder.iterdir()} == {NAME, going_on.name}
    os.close(lock)
    backups.delete_old(NOW)
    assert dump(backups.folder / NAME) == dump(file)
    assert [path.name for path in backups.folder.iterdir()] == [NAME]


def test_a_folder_that_can_not_be_made_is_named(backups: Backups) -> None:
    backups.folder.write_text("a file")
    with pytest.raises(DatabaseError, match=r"to .*/backups/kinorate-20260301T120000Z\.db"):
        backups.make(NOW)


def test_backups_have_a_number_and_an_age(backups: Backups) -> None:
    others = backups.folder / "other-20200101T000000Z.db"
    backups.folder.mkdir()
    others.touch()
    assert backups.newest() is None
    for day in range(KEPT + 2):
        backups.make(NOW + timedelta(days=day))
        assert backups.newest() == NOW + timedelta(days=day)
    kept = sorted(file.name for file in backups.folder.glob("kinorate-*"))
    assert [name[9:17] for name in kept] == [f"2026030{day}" for day in range(3, 8)]
    assert backups.delete_old(NOW + timedelta(days=3) + KEPT_FOR) == 1
    assert backups.delete_old(NOW + timedelta(days=400)) == 4
    assert [file.name for file in backups.folder.iterdir()] == [others.name]


def test_two_in_a_second_are_two(backups: Backups) -> None:
    first, second = backups.make(NOW), backups.make(NOW)
    assert first is not None
    assert second is not None
    assert {path.name for path in backups.folder.iterdir()} == {first.name, second.name}


def test_to_a_file_or_a_folder_of_ones_own(file: Path, command: Command, tmp_path: Path) -> None:
    for _ in range(2):  # the same name every night
        done = command("backup", "copy.db")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Backed up to copy.db (0.")
        assert dump(tmp_path / "copy.db") == dump(file)
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    (tmp_path / "elsewhere").mkdir()
    assert command("backup", "elsewhere").returncode == 0
    (there,) = (tmp_path / "elsewhere").iterdir()
    assert dump(there) == dump(file)
    assert command("backup").returncode == 0
    assert len(list((file.parent / "backups").iterdir())) == 1


@pytest.mark.parametrize("name", ["data/kinorate.db", "letter.txt", "other.db"])
def test_what_is_no_backup_is_not_overwritten(
    name: str, file: Path, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "letter.txt").write_text("Dear Anna")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE precious (id INTEGER)")
    before = (tmp_path / name).read_bytes()
    done = command("backup", name)
    assert done.returncode == 1
    assert done.stderr == f"{name} exists and is no backup: name another file.\n"
    assert (tmp_path / name).read_bytes() == before


def test_a_full_disk_is_told_in_a_sentence(file: Path, command: Command, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    options = ("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(full))
    if os.geteuid() or subprocess.run(["mount", *options], check=False).returncode:
        pytest.skip("a small file system can't be mounted here")
    try:
        done = command("backup", "full/copy.db")
        assert done.returncode == 1
        assert done.stderr.startswith("data/kinorate.db can't be backed up to full/copy.db: ")
        assert done.stderr.count("\n") == 1
        assert list(full.iterdir()) == []
    finally:
        subprocess.run(["umount", str(full)], check=True)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_without_pg_dump_it_says_so(url: str, command: Command, tmp_path: Path) -> None:
    done = command("backup", database_url=url, path=tmp_path)
    assert done.returncode == 1
    assert "pg_dump and pg_restore and psql not found" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_a_kill_leaves_no_half_file(backend: str, url: str, tmp_path: Path) -> None:
    """Killed at any moment, the next one has a whole file, and nothing else is there."""
    database = f"""
import asyncio
from datetime import UTC, datetime
from db.engine import Database
from db import updates
async def fill():
    database = Database({url!r})
    async with database.write.begin() as session:
        for number in range(3000):
            payload = dict(text="Ёж" * 2000 + str(number))
            await updates.add(session, number, payload, 1, datetime.now(UTC))
    await database.close()
asyncio.run(fill())
"""
    settings = environment(database_url=url, data=tmp_path / "data")
    subprocess.run([sys.executable, "-c", database], env=settings, check=True)
    folder = tmp_path / "data" / "backups"
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-m", "bot", "backup"], env=settings)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            halves = [*folder.glob(".*.tmp")]
            if halves and any(half.stat().st_size > 100_000 for half in halves):
                process.send_signal(signal.SIGKILL)
                break
        process.wait()
    whole = subprocess.run([sys.executable, "-m", "bot", "backup"], env=settings, check=False)
    assert whole.returncode == 0
    left = [path.name for path in folder.iterdir()]
    assert not [name for name in left if name.startswith(".")], left
    assert left
