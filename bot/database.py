"""The database, made ready before the bot starts: backed up, then migrated."""

import glob
import logging
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from classifier.files import remove_leftovers, replacing
from db import migrate
from db.address import DatabaseError, parse_url, sqlite_file

BACKUPS_KEPT = 5
BACKUP_KEPT_FOR = timedelta(days=30)
"""/privacy tells it: what is erased stays in a backup for so long."""

_LONGEST_BACKUP = timedelta(days=1)
_TIME = "%Y%m%dT%H%M%SZ"

logger = logging.getLogger(__name__)


def bring_up_to_date(url: str, now: datetime) -> None:
    """Migrate the database at `url`; a SQLite file is first copied to backups/ beside it.

    Its files become the owner's alone.

    Starts an event loop of its own. Raises DatabaseError.
    """
    try:
        _close_to_others(url)
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
    delete_old_backups(url, now)
    target = source.parent / "backups" / f"{source.stem}-{now.astimezone(UTC):{_TIME}}.db"
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


def delete_old_backups(url: str, now: datetime) -> int:
    """Delete all but the newest BACKUPS_KEPT, and those that are older than BACKUP_KEPT_FOR."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        return 0
    file = sqlite_file(parsed)
    name = re.compile(rf"{re.escape(file.stem)}-(\d{{8}}T\d{{6}}Z)\.db")
    folder = file.parent / "backups"
    found = {
        datetime.strptime(match[1], _TIME).replace(tzinfo=UTC): backup
        for backup in (folder.iterdir() if folder.is_dir() else ())
        if (match := name.fullmatch(backup.name))
    }
    for half in folder.glob(f".{glob.escape(file.stem)}-*.tmp"):  # a kill left it
        if half.stat().st_mtime < now.timestamp() - _LONGEST_BACKUP.total_seconds():
            half.unlink(missing_ok=True)
    newest = sorted(found, reverse=True)
    old = [made for made in newest if made < now - BACKUP_KEPT_FOR or made in newest[BACKUPS_KEPT:]]
    for made in old:
        found[made].unlink(missing_ok=True)
    return len(old)


def _close_to_others(url: str) -> None:
    """Let nobody else on this machine read a SQLite database and its backups.

    New files are so by the umask of `python -m bot`. The folder is left alone where it holds
    anything else.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite" or not (file := sqlite_file(parsed)).exists():
        return
    backups = file.parent / "backups"
    own = [path for path in file.parent.iterdir() if path.name.startswith(file.name)]
    kept = [*backups.iterdir()] if backups.is_dir() else []
    for path in (*own, *kept):
        path.chmod(0o600)
    if backups.is_dir():
        backups.chmod(0o700)
    if not {*file.parent.iterdir()} - {*own, backups}:
        file.parent.chmod(0o700)
