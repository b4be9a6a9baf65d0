"""A database moved to another: from SQLite to PostgreSQL, or back."""

import asyncio
from pathlib import Path

from bot.storage.usage import explained, nobody_else
from db import migrate
from db.address import DatabaseError, parse_url, sqlite_file
from db.copying import copy_rows


def move_to(source: str, target: str) -> dict[str, int]:
    """Copy all rows of `source`, a SQLite file or a URL, to the database at the URL `target`.

    The target gets its tables, and then all rows in one transaction. Returns how many of each
    table. Raises DatabaseError, and the target stays without rows, where the source is not there,
    or of another revision than this program's, where either is in use, and where the target has
    rows.
    """
    url = source if "://" in source else f"sqlite+aiosqlite:///{source}"
    parsed = parse_url(url)
    if parsed == parse_url(target):
        raise DatabaseError("The source is the database at DATABASE_URL itself.")
    if parsed.get_backend_name() == "sqlite" and not sqlite_file(parsed).is_file():
        raise DatabaseError(f"There is no database at {sqlite_file(parsed)}.")
    with nobody_else(url, "The source"), nobody_else(target), explained("Nothing is moved"):
        if not migrate.is_current(url):
            raise DatabaseError(
                f"{_name(source)} was last used by another version of this program: start this one"
                " with it once, which migrates it, and stop it again."
            )
        if not migrate.is_current(target):
            migrate.upgrade(target)
        return asyncio.run(copy_rows(url, target))


def _name(source: str) -> str:
    """Without the password."""
    return "The source" if "://" in source else str(Path(source))
