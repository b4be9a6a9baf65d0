"""A copy of a SQLite database, taken while others write to it."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from db.engine import parse_url, sqlite_file
from db.errors import DatabaseError


def backup(url: str, folder: Path, now: datetime) -> Path | None:
    """Copy the SQLite database at `url` to folder/<name>-<UTC time>.db, by SQLite's backup API.

    Copying the file itself would miss what is still in the write-ahead log. The copy appears
    whole or not at all. None where there is nothing to copy: no database yet, or PostgreSQL,
    which is backed up with its own tools (pg_dump). Blocks while it copies: from a running event
    loop, call it in a thread. Raises DatabaseError where the copy can't be made.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        return None
    source = sqlite_file(parsed)
    if not source.exists():
        return None
    target = folder / f"{source.stem}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.db"
    unfinished = target.with_suffix(".tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.unlink(missing_ok=True)  # of a backup that was killed
            _copy(source, unfinished)
            _fsync(unfinished)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
        _fsync(folder)
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(f"{source} can't be backed up to {target}: {error}.") from error
    return target


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as database, closing(sqlite3.connect(target)) as copy:
        database.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, which may be opened read-only


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
