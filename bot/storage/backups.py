"""Copies of the database: whole or not there, with a number and an age."""

import glob
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.storage import postgresql
from bot.storage.ownership import give_to_owner, make_private_folder
from classifier.files import make_locked, replacing, take_lock
from db.address import DatabaseError, parse_url, sqlite_file

KEPT_FOR = timedelta(days=30)
"""/privacy tells it: what is erased stays in a backup for so long."""

_SQLITE = b"SQLite format 3\0"
_VERSION_AT, _WITH_LOG = 18, b"\x02"
"""The byte of a SQLite file that tells how it is written: https://sqlite.org/fileformat.html."""

_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Backups:
    """Those of the database at `url`: <name>-<UTC time>.db or .dump in `folder`, `kept` of them."""

    url: str
    folder: Path
    kept: int

    def make(self, now: datetime) -> Path | None:
        """Add one, and delete the oldest; None where SQLite has no database yet.

        Raises DatabaseError where it can't be made: nothing of it remains, and no other is deleted.
        """
        if not self.is_there:
            return None
        target = self.copy_to(self.path(now))
        self.delete_old(now)
        return target

    def path(self, now: datetime) -> Path:
        """Of a new one."""
        while (path := self._path(now)).exists():
            now += timedelta(seconds=1)
        return path

    def copy_to(self, target: Path) -> Path:
        """Copy the database to `target`, which appears, or is replaced, as a whole or not at all.

        By SQLite's API or PostgreSQL's pg_dump: others may write to the database meanwhile.
        Returns `target`. Raises DatabaseError, also where it is there and is no backup.
        """
        database = self.sqlite_file
        source = database or "The database at DATABASE_URL"
        if target.exists() and not _may_be_replaced(target):
            raise DatabaseError(f"{target} exists and is no backup: name another file.")
        try:
            make_private_folder(target.parent)
            _sweep(target.parent, f".{glob.escape(target.name)}.*.tmp")
            with ExitStack() as ended, replacing(target) as unfinished:
                # Until it has its name: before that, whoever sweeps would take it for a leftover.
                ended.callback(os.close, _lock(unfinished))
                if database:
                    copy_sqlite(f"{database.resolve().as_uri()}?mode=rw", unfinished)
                else:
                    postgresql.dump(parse_url(self.url), unfinished)
                give_to_owner(unfinished)
        except (OSError, sqlite3.Error, DatabaseError) as error:
            reason = str(error).rstrip(".")
            raise DatabaseError(f"{source} can't be backed up to {target}: {reason}.") from error
        return target

    def newest(self) -> datetime | None:
        """When the newest one was made."""
        return max((made for made, path in self.all() if path.suffix != ".damaged"), default=None)

    def delete_old(self, now: datetime) -> int:
        """Delete all but the newest, those older than KEPT_FOR, and what kills left; how many."""
        self.sweep()
        newest = sorted(self.all(), reverse=True)
        old = [one for one in newest if one[0] < now - KEPT_FOR or one in newest[self.kept :]]
        for _, path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def sweep(self) -> None:
        """Remove what killed processes left half written."""
        _sweep(self.folder, f".{glob.escape(self._stem)}-*.tmp")

    @property
    def is_there(self) -> bool:
        """Whether there is a database; PostgreSQL's counts as there."""
        return self.sqlite_file is None or self.sqlite_file.exists()

    @property
    def sqlite_file(self) -> Path | None:
        """The database, unless it is PostgreSQL's."""
        parsed = parse_url(self.url)
        return sqlite_file(parsed) if parsed.get_backend_name() == "sqlite" else None

    @property
    def _stem(self) -> str:
        if self.sqlite_file:
            return self.sqlite_file.stem
        return re.sub(r"[^\w-]", "_", parse_url(self.url).database or "postgresql")

    def _path(self, now: datetime) -> Path:
        suffix = "db" if self.sqlite_file else "dump"
        return self.folder / f"{self._stem}-{now.astimezone(UTC):{_TIME}}.{suffix}"

    def all(self) -> Iterator[tuple[datetime, Path]]:
        """When each was made, and its file."""
        name = re.compile(rf"{re.escape(self._stem)}-(\d{{8}}T\d{{6}}Z)\.(db|dump|damaged)")
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if match := name.fullmatch(path.name):
                yield datetime.strptime(match[1], _TIME).replace(tzinfo=UTC), path


def kind_of(file: Path) -> str | None:
    """SQLite or PostgreSQL, of which `file` is a copy, by how it begins; raises OSError."""
    with file.open("rb") as opened:
        begin = opened.read(len(_SQLITE))
    if begin == _SQLITE:
        return "SQLite"
    return "PostgreSQL" if begin.startswith(postgresql.MAGIC) else None


def _may_be_replaced(target: Path) -> bool:
    """A backup, or an empty file; a SQLite database that is in use has a write-ahead log."""
    if not target.is_file() or not target.stat().st_size:
        return target.is_file()
    kind = kind_of(target)
    with target.open("rb") as opened:
        opened.seek(_VERSION_AT)
        return kind is not None and (kind, opened.read(1)) != ("SQLite", _WITH_LOG)


def copy_sqlite(source: str, target: Path) -> None:
    """Copy a database, given as SQLite's URI, to the file `target`: one that may be read alone.

    Copying the file itself would miss what is still in the write-ahead log. Raises sqlite3.Error.
    """
    with (
        closing(sqlite3.connect(source, uri=True)) as database,
        closing(sqlite3.connect(target)) as copy,
    ):
        copy.execute("PRAGMA journal_mode = OFF")  # a kill leaves one file, which nobody reads
        copy.execute("PRAGMA synchronous = OFF")  # it is synchronised as a whole
        database.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # not WAL: it may be opened read-only


def _sweep(folder: Path, halves: str) -> None:
    """Remove what killed processes left; whoever still writes a file holds its lock."""
    for half in folder.glob(halves):
        if (lock := take_lock(half, wait=False)) is not None:
            for path in folder.glob(f"{glob.escape(half.name)}*"):
                path.unlink(missing_ok=True)
            os.close(lock)


def _lock(unfinished: Path) -> int:
    """Make and lock it, so that others see that it is no leftover."""

    def make() -> Path:
        unfinished.touch()
        return unfinished

    return make_locked(make)[1]
