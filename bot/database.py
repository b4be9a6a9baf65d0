"""The database, made ready before the bot starts: backed up, then migrated."""

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from classifier.files import remove_leftovers, replacing
from db import migrate
from db.address import DatabaseError, parse_url, sqlite_file

logger = logging.getLogger(__name__)


def bring_up_to_date(url: str, now: datetime) -> None:
    """Migrate the database at `url`; a SQLite file is first copied to backups/ beside it.

    Starts an event loop of its own. Raises DatabaseError.
    """
    try:
        if migrate.is_current(url):
            return
        if copy := backup(url, now):
            logger.info("database backed up", extra={"file": str(copy)})
        migrate.upgrade(url)
    except Exception as error:
        if not _is_away(error):
            raise
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DatabaseError(f"The database at DATABASE_URL can't be used: {reason}.") from error
    logger.info("database migrated")


def _is_away(error: Exception) -> bool:
    """Whether the database is not there, or is none."""
    # Not all errors of asyncpg are wrapped; UnicodeError: a host such as «a..b».
    is_of_the_driver = type(error).__module__.startswith("asyncpg")
    return is_of_the_driver or isinstance(error, SQLAlchemyError | OSError | UnicodeError)


def backup(url: str, now: datetime) -> Path | None:
    """Copy the SQLite database at `url` to backups/<name>-<UTC time>.db beside it, by SQLite's API.

    Copying the file itself would miss what is still in the write-ahead log. The copy appears
    whole or not at all, and others may write to the database meanwhile. None where there is
    nothing to copy: no database yet, or PostgreSQL, which is backed up with its own tools
    (pg_dump). Raises DatabaseError where the copy can't be made.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql" or not sqlite_file(parsed).exists():
        return None
    source = sqlite_file(parsed)
    target = source.parent / "backups" / f"{source.stem}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.db"
    try:
        target.parent.mkdir(exist_ok=True)
        remove_leftovers(target)
        with (
            replacing(target) as unfinished,
            closing(sqlite3.connect(source)) as database,
            closing(sqlite3.connect(unfinished)) as copy,
        ):
            database.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, which may be opened read-only
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(f"{source} can't be backed up to {target}: {error}.") from error
    return target
