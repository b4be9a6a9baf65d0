"""The database, made ready before the bot starts: backed up, then migrated."""

import logging
from datetime import datetime
from pathlib import Path

from bot.storage.backups import Backups
from bot.storage.temporary import NAME as TEMPORARY
from bot.storage.usage import explained
from classifier.files import remove_leftovers
from db import migrate

logger = logging.getLogger(__name__)


def bring_up_to_date(backups: Backups, now: datetime) -> None:
    """Migrate the database that `backups` are of; a SQLite file is backed up first.

    PostgreSQL is not: several processes may come at once, and a dump may take long. The files of
    SQLite become the owner's alone. Starts an event loop of its own. Raises DatabaseError.
    """
    with explained("The database at DATABASE_URL can't be used"):
        backups.sweep()
        if backups.sqlite_file:
            remove_leftovers(backups.sqlite_file)  # of a restore that was killed
        _close_to_others(backups)
        if migrate.is_current(backups.url):
            return
        if backups.sqlite_file and (copy := backups.make(now)):
            logger.info("database backed up", extra={"file": str(copy)})
        is_ours = migrate.upgrade(backups.url)  # another process may have been first
    if is_ours:
        logger.info("database migrated")


def _close_to_others(backups: Backups) -> None:
    """Let nobody else on this machine read a SQLite database and the backups.

    New files are so by the umask of `python -m bot`. The database's folder is left alone where it
    holds anything else.
    """
    temporary = backups.folder.parent / TEMPORARY
    kept = {path for _, path in backups.all()}
    file = backups.sqlite_file
    own: set[Path] = set()
    if file and file.exists():
        own = {path for path in file.parent.iterdir() if path.name.startswith(file.name)}
    for path in kept | own:
        _close(path, 0o600)
    if kept:
        _close(backups.folder, 0o700)
    if file and own and not {*file.parent.iterdir()} - own - {backups.folder, temporary}:
        _close(file.parent, 0o700)


def _close(path: Path, mode: int) -> None:
    try:
        path.chmod(mode)
    except PermissionError:  # of a mounted folder, which has another owner
        logger.warning("can't be closed to other users", extra={"file": str(path)})
