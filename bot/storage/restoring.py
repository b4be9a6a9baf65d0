"""A backup put back in the place of the database, as a whole or not at all."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from bot.storage import postgresql
from bot.storage.backups import Backups, copy_sqlite, kind_of
from bot.storage.ownership import give_to_owner, make_private_folder
from bot.storage.usage import nobody_else
from classifier.files import remove_leftovers, replacing
from db import migrate
from db.address import DatabaseError, parse_url
from db.models import Base


def restore(backups: Backups, file: Path, now: datetime) -> Path | None:
    """Put `file` in the place of the database that `backups` are of.

    Returns where the database that was there is kept, as one of the backups, if there was any; no
    earlier one is deleted. Raises DatabaseError, with the database unchanged, where `file` is no
    sound backup of it, or of a newer version of this program, where somebody uses the database,
    and where the disk is full.
    """
    backups.sweep()
    _check_kind(file, wanted="SQLite" if backups.sqlite_file else "PostgreSQL")
    with nobody_else(backups.url):
        if backups.sqlite_file:
            return _restore_sqlite(backups.sqlite_file, file, backups, now)
        _check_revision(postgresql.revision(file), file)
        kept = backups.path(now)
        backups.copy_to(kept)
        postgresql.restore(
            parse_url(backups.url), file, [*Base.metadata.tables, migrate.VERSION_TABLE]
        )
        return kept


def _check_kind(file: Path, wanted: str) -> None:
    try:
        kind = kind_of(file)
    except OSError as error:
        raise DatabaseError(f"{file} can't be read: {error.strerror}.") from error
    if kind is None:
        raise DatabaseError(
            f"{file} is no backup: neither a SQLite database nor a dump by pg_dump."
        )
    if kind != wanted:
        raise DatabaseError(
            f"{file} is a backup of {kind}, and the database at DATABASE_URL is {wanted}'s: restore"
            f" it to {kind}, then `python -m bot move` copies from one to the other."
        )


def _restore_sqlite(target: Path, file: Path, backups: Backups, now: datetime) -> Path | None:
    if target.exists() and file.samefile(target):
        raise DatabaseError(f"{file} is the database itself: name a backup.")
    try:
        make_private_folder(target.parent)
        remove_leftovers(target)
        with replacing(target) as unfinished:
            _copy(file, unfinished)
            give_to_owner(unfinished)
            kept = _set_aside(target, backups, now) if target.exists() else None
    except OSError as error:
        raise DatabaseError(
            f"{file} can't be restored to {target}: {error.strerror or error}."
        ) from error
    return kept


def _copy(file: Path, unfinished: Path) -> None:
    """Copy what is in `file` if it is sound, and ours."""
    # A database that nobody closed has a part of it in its log; a backup may be read-only.
    has_log = any(file.with_name(f"{file.name}-{log}").exists() for log in ("wal", "journal"))
    source = f"{file.resolve().as_uri()}?{'mode=rw' if has_log else 'immutable=1'}"
    with _explained(file):
        copy_sqlite(source, unfinished)
        with closing(sqlite3.connect(unfinished)) as copy:
            faults = [fault for (fault,) in copy.execute("PRAGMA integrity_check(1)")]
            if faults != ["ok"]:
                raise sqlite3.DatabaseError(faults[0].splitlines()[-1].rstrip("."))
            known = f"SELECT 1 FROM sqlite_master WHERE name = '{migrate.VERSION_TABLE}'"
            chosen = f"SELECT version_num FROM {migrate.VERSION_TABLE}"
            row = copy.execute(chosen).fetchone() if copy.execute(known).fetchone() else None
    _check_revision(row and row[0], file)


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise OSError(f"no space left for a copy of {file}") from error
        raise DatabaseError(f"{file} is damaged or was cut short: {error}.") from error


def _check_revision(revision: str | None, file: Path) -> None:
    if revision is None:
        raise DatabaseError(f"{file} is no backup of this program: it has none of its tables.")
    if not migrate.is_known(revision):
        raise DatabaseError(
            f"{file} is of a newer version of this program (revision {revision}): update it first."
        )


def _set_aside(target: Path, backups: Backups, now: datetime) -> Path:
    """Keep the database that is there, so that nothing of it is left beside what replaces it."""
    kept = backups.path(now)
    try:
        backups.copy_to(kept)
        with closing(sqlite3.connect(target)) as database:
            # Its log would be taken for the new one's. Fails as long as anyone has it open.
            database.execute("PRAGMA journal_mode = DELETE")
    except (DatabaseError, sqlite3.Error) as error:
        cause = error.__cause__ if isinstance(error, DatabaseError) else error
        code = getattr(cause, "sqlite_errorcode", None)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise DatabaseError(f"Another program uses {target}: stop it first.") from error
        if code not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise DatabaseError(f"{target} can't be set aside: {error}") from error
        kept = kept.with_suffix(".damaged")
        shutil.copyfile(target, kept)
        for name in ("-wal", "-shm", "-journal"):
            target.with_name(f"{target.name}{name}").unlink(missing_ok=True)
    return kept
