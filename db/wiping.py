"""SQLite's files rid of what was erased.

A commit leaves the old pages in the write-ahead log, and a page that was split may keep a copy of
rows that moved to another, which `secure_delete` does not find (measured: in one of twenty
databases). So after an erasure the database is written anew, and the log is emptied.
"""

import sqlite3
from contextlib import closing

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.address import parse_url, sqlite_file
from db.engine import set_pragmas

_READERS_TIMEOUT = 200  # milliseconds for which writers wait for readers when the log is emptied


async def order(session: AsyncSession) -> None:
    """Have `wipe` write the database anew. It is remembered in the database, whatever is killed."""
    if session.get_bind().dialect.name == "sqlite":
        ordered = await session.scalar(text("PRAGMA user_version")) or 0
        await session.execute(text(f"PRAGMA user_version = {ordered % 2**30 + 1}"))


def wipe(url: str) -> bool:
    """Empty the log and, where that was ordered, write the database anew before; no order is lost.

    False where readers are in the way: try again. PostgreSQL does all of it itself (autovacuum).
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        return True
    with closing(sqlite3.connect(sqlite_file(parsed), isolation_level=None)) as database:
        set_pragmas(database.cursor())
        ordered = _ordered(database)
        if ordered:
            database.execute("VACUUM")
        if not _empty_log(database):
            return False
        if ordered:
            database.execute("BEGIN IMMEDIATE")
            if _ordered(database) == ordered:  # none came meanwhile
                database.execute("PRAGMA user_version = 0")
            database.execute("COMMIT")
            return _ordered(database) == 0
        return True


def _ordered(database: sqlite3.Connection) -> int:
    """How often it was ordered since the last time it was done."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _empty_log(database: sqlite3.Connection) -> bool:
    database.execute(f"PRAGMA busy_timeout = {_READERS_TIMEOUT}")
    is_busy, *_ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy
