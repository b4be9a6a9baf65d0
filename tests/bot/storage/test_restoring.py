"""A backup is put back as a whole, or the database stays as it was and a sentence says why."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from alembic import command as alembic
from bot.local.server import LOCAL_TOKEN, LocalServer
from bot.storage.backups import Backups
from bot.storage.restoring import restore
from db import migrate, updates
from db.address import DatabaseError
from db.engine import Database
from tests import tiny
from tests.bot.local_client import Person, chat_client
from tests.bot.processes import PATIENCE, bot_process, environment
from tests.bot.storage.conftest import Command
from tests.bot.talking import ANYA, BORIS, all_done

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def on(url: str, work: Callable[[Database], object]) -> object:
    """What `work`, a coroutine function, returns of the database."""

    async def run() -> object:
        database = Database(url)
        try:
            return await work(database)  # type: ignore[misc]
        finally:
            await database.close()

    return asyncio.run(run())


def receive(url: str, *ids: int) -> None:
    async def add(database: Database) -> None:
        async with database.write.begin() as session:
            for number in ids:
                await updates.add(session, number, {"text": "Ёж " * 500}, number, NOW)

    on(url, add)


def received(url: str) -> set[int]:
    async def read(database: Database) -> set[int]:
        async with database.read() as session:
            return {update.update_id for update in await updates.pending(session)}

    found = on(url, read)
    assert isinstance(found, set)
    return found


def execute(url: str, sql: str) -> None:
    async def run(database: Database) -> None:
        async with database.write.begin() as session:
            await session.execute(text(sql))

    on(url, run)


def only(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


@pytest.fixture
def settings(url: str) -> dict[str, str]:
    return {"database_url": url, "data": "data"}


@pytest.fixture
def backups(url: str, tmp_path: Path) -> Backups:
    return Backups(url, tmp_path / "data" / "backups", kept=5)


def test_what_was_backed_up_is_there_again(
    url: str, settings: dict[str, str], command: Command, tmp_path: Path
) -> None:
    receive(url, 1, 2)
    assert command("backup", **settings).returncode == 0
    backup = only(tmp_path / "data" / "backups")
    receive(url, 3)
    done = command("restore", backup, **settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert received(url) == {1, 2}
    kept = Path(done.stdout.rstrip(".\n").rpartition(" ")[2])
    assert command("restore", kept, **settings).returncode == 0  # and forth again
    assert received(url) == {1, 2, 3}
    receive(url, 4)
    assert received(url) == {1, 2, 3, 4}


def test_to_a_place_where_nothing_was(
    url: str, settings: dict[str, str], command: Command, tmp_path: Path, empty_postgres: str
) -> None:
    receive(url, 1)
    assert command("backup", "copy", **settings).returncode == 0
    there = empty_postgres if "postgres" in url else "sqlite+aiosqlite:///new/place/kinorate.db"
    done = command("restore", "copy", database_url=there)
    assert (done.returncode, done.stderr) == (0, "")
    place = there.replace(":///new", f":///{tmp_path}/new")
    assert received(place) == {1}


def test_one_of_an_older_version_is_migrated_at_the_next_start(
    url: str, settings: dict[str, str], command: Command
) -> None:
    alembic.downgrade(migrate.configuration(url), "0003")
    assert command("backup", "old", **settings).returncode == 0
    migrate.upgrade(url)
    receive(url, 1)
    assert command("restore", "old", **settings).returncode == 0
    assert not migrate.is_current(url)
    migrate.upgrade(url)
    assert received(url) == set()


def newer(backups: Backups, url: str, folder: Path) -> None:
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    backups.copy_to(folder / "copy")
    execute(url, f"UPDATE alembic_version SET version_num = '{migrate.newest()}'")


def cut_short(backups: Backups, url: str, folder: Path) -> None:
    backups.copy_to(folder / "copy")
    os.truncate(folder / "copy", (folder / "copy").stat().st_size * 2 // 3)


def damaged(backups: Backups, url: str, folder: Path) -> None:
    backups.copy_to(folder / "copy")
    with (folder / "copy").open("r+b") as file:
        file.seek((folder / "copy").stat().st_size // 3)
        file.write(b"\xff" * 4096)


def foreign(backups: Backups, url: str, folder: Path) -> None:
    if "postgres" in url:
        execute(url, "ALTER TABLE alembic_version RENAME TO of_somebody_else")
        backups.copy_to(folder / "copy")
        execute(url, "ALTER TABLE of_somebody_else RENAME TO alembic_version")
        return
    with closing(sqlite3.connect(folder / "copy")) as database:
        database.execute("CREATE TABLE precious (id INTEGER)")


def text_file(backups: Backups, url: str, folder: Path) -> None:
    (folder / "copy").write_text("Dear Anna")


def empty(backups: Backups, url: str, folder: Path) -> None:
    (folder / "copy").touch()


def missing(backups: Backups, url: str, folder: Path) -> None:
    pass


def a_folder(backups: Backups, url: str, folder: Path) -> None:
    (folder / "copy").mkdir()


def of_the_other_kind(backups: Backups, url: str, folder: Path) -> None:
    if "postgres" not in url:
        (folder / "copy").write_bytes(b"PGDMP and so on")
        return
    with closing(sqlite3.connect(folder / "copy")) as database:
        database.execute("CREATE TABLE precious (id INTEGER)")


REFUSED: dict[Callable[..., None], str | tuple[str, str]] = {  # the other one for PostgreSQL
    newer: "is of a newer version of this program (revision 9999): update it first.",
    cut_short: ("was cut short", "failed: "),
    damaged: ("is damaged", "failed: "),
    foreign: "is no backup of this program: it has none of its tables.",
    text_file: "is no backup: neither a SQLite database nor a dump by pg_dump.",
    empty: "is no backup: neither a SQLite database nor a dump by pg_dump.",
    missing: "can't be read: No such file or directory.",
    a_folder: "can't be read: Is a directory.",
    of_the_other_kind: ("is a backup of PostgreSQL, and", "is a backup of SQLite, and"),
}


@pytest.mark.parametrize("make", REFUSED)
def test_what_is_no_sound_backup_changes_nothing(
    make: Callable[..., None], backend: str, url: str, backups: Backups, tmp_path: Path
) -> None:
    receive(url, *range(1, 200))
    make(backups, url, tmp_path)
    receive(url, 1000)
    before = received(url)
    with pytest.raises(DatabaseError) as refusal:
        restore(backups, tmp_path / "copy", NOW)
    said, expected = str(refusal.value), REFUSED[make]
    if isinstance(expected, tuple):
        expected = expected[backend == "postgresql"]
    assert expected in said
    assert "\n" not in said
    assert received(url) == before
    assert not [*tmp_path.rglob(".*.tmp*")]


@pytest.mark.slow
@pytest.mark.anyio
async def test_a_database_that_a_bot_uses_is_left_alone(
    telegram: LocalServer,
    tiny_models: Path,
    url: str,
    settings: dict[str, str],
    command: Command,
    tmp_path: Path,
) -> None:
    talking = {"telegram_token": LOCAL_TOKEN, "bot_api_url": telegram.url, "models": tiny_models}
    reviews = [row["content"] for row in tiny.make_rows(2)]
    async with chat_client(telegram.url) as http:
        anya, boris = Person(http, ANYA), Person(http, BORIS)
        async with bot_process(tmp_path, **settings, **talking) as process:
            await anya.ask(reviews[0], PATIENCE)
            # while it answers
            done = await asyncio.to_thread(command, "backup", "copy", **settings)
            assert (done.returncode, done.stderr) == (0, "")
            await boris.ask(reviews[1], PATIENCE)
            done = await asyncio.to_thread(command, "restore", "copy", **settings)
            assert done.returncode == 1
            assert ("Another bot uses" in done.stderr) or ("in use by" in done.stderr)
            assert done.stderr.count("\n") == 1
            process.terminate()
            assert await process.wait() == 0
        done = await asyncio.to_thread(command, "restore", "copy", **settings)
        assert (done.returncode, done.stderr) == (0, "")
        # The restored copy answers: what was in it is known, what came later is not.
        async with bot_process(tmp_path, **settings, **talking) as process:
            history = await anya.ask("/history", PATIENCE)
            assert reviews[0][:30] in (history.text or "")
            assert reviews[1][:30] not in ((await boris.ask("/history", PATIENCE)).text or "")
            await boris.ask(reviews[1], PATIENCE)
            database = Database(url)
            await all_done(database.read)
            await database.close()


@pytest.mark.parametrize("backend", ["sqlite"])
def test_one_that_another_program_has_open_is_left_alone(
    url: str, backups: Backups, tmp_path: Path
) -> None:
    copy = backups.copy_to(tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "data" / "kinorate.db")) as other:
        other.execute("SELECT * FROM users").fetchall()
        with pytest.raises(DatabaseError, match="Another program uses"):
            restore(backups, copy, NOW)
    restore(backups, copy, NOW)


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("how", ["no database", "cut short"])
def test_a_database_that_is_damaged_is_replaced(
    how: str, url: str, backups: Backups, tmp_path: Path
) -> None:
    receive(url, 1)
    copy = backups.copy_to(tmp_path / "copy")
    file = tmp_path / "data" / "kinorate.db"
    if how == "cut short":
        os.truncate(file, 10_000)
    else:
        file.write_bytes(b"\0" * 10_000)
    shutil.copy(file, tmp_path / "broken")
    Path(f"{file}-wal").write_bytes(b"of another life")
    kept = restore(backups, copy, NOW)
    assert received(url) == {1}
    assert kept is not None
    assert kept.read_bytes()[:10_000] == (tmp_path / "broken").read_bytes()
    assert kept.suffix == ".damaged"


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_full_disk_changes_nothing(url: str, backups: Backups, tmp_path: Path) -> None:
    receive(url, *range(500))
    copy = backups.copy_to(tmp_path / "copy")
    full = tmp_path / "full"
    full.mkdir()
    options = ("-t", "tmpfs", "-o", "size=400k", "tmpfs", str(full))
    if os.geteuid() or subprocess.run(["mount", *options], check=False).returncode:
        pytest.skip("a small file system can't be mounted here")
    try:
        there = Backups(f"sqlite+aiosqlite:///{full}/kinorate.db", full / "backups", kept=5)
        with pytest.raises(DatabaseError, match=r"can't be restored to .*(full|no space)"):
            restore(there, copy, NOW)
        assert {path.name for path in full.iterdir()} == {"kinorate.db.lock"}
    finally:
        subprocess.run(["umount", str(full)], check=True)


@pytest.mark.slow
def test_a_kill_leaves_the_old_or_the_new(
    backend: str, url: str, settings: dict[str, str], command: Command, tmp_path: Path
) -> None:
    receive(url, *range(2000))
    command("backup", "copy", **settings)
    execute(url, "DELETE FROM updates WHERE update_id >= 7")
    old, new = set(range(7)), set(range(2000))
    seconds, states = 0.0, []
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "restore", "copy"],
            cwd=tmp_path,
            env=environment(**settings),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(seconds)
        seconds += 0.25
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        states.append(received(url))
        assert states[-1] in (old, new)
        if states[-1] == new:
            execute(url, "DELETE FROM updates WHERE update_id >= 7")
    print(f"{sum(state == new for state in states)} of {len(states)} kills came too late")
    assert command("restore", "copy", **settings).returncode == 0
    assert received(url) == new
    assert not [*tmp_path.rglob(".*.tmp*")]
