"""The database, made ready before the bot starts."""

import logging
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from db import migrate
from db.backup import backup
from db.engine import parse_url, sqlite_file
from db.errors import DatabaseError

logger = logging.getLogger(__name__)


def bring_up_to_date(url: str, now: datetime) -> None:
    """Migrate the database at `url`; a SQLite file is first copied to backups/ beside it.

    Starts an event loop of its own. Raises DatabaseError.
    """
    try:
        if migrate.is_current(url):
            return
        if copy := backup(url, _backups(url), now):
            logger.info("database backed up", extra={"file": str(copy)})
        migrate.upgrade(url)
    except (SQLAlchemyError, OSError) as error:  # not there, or no database
        reason = str(error).partition("\n")[0]
        raise DatabaseError(f"The database at DATABASE_URL can't be used: {reason}.") from error
    logger.info("database migrated")


def _backups(url: str) -> Path:
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        return Path("backups")  # stays unused: pg_dump backs PostgreSQL up
    return sqlite_file(parsed).parent / "backups"
