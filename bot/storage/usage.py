"""Who uses a database: one bot a SQLite file, and nobody while a database is replaced."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.storage.ownership import give_to_owner, make_private_folder
from classifier.files import take_lock
from db.address import DatabaseError, parse_url, sqlite_file
from db.engine import create_engine

SECONDS_TO_LEAVE = 3.0
"""For the connections of a bot that has just been stopped."""

_PAUSE = 0.2
_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'
"""


def lock_file(file: Path) -> Path:
    """What is locked for as long as a bot uses the SQLite database `file`."""
    return file.with_name(f"{file.name}.lock")


@contextmanager
def explained(sentence: str) -> Iterator[None]:
    """Turn what a database that is away, or is none, raises into a DatabaseError."""
    try:
        yield
    except Exception as error:
        # Not all errors of asyncpg are wrapped; UnicodeError: a host such as «a..b».
        is_of_the_driver = type(error).__module__.startswith("asyncpg")
        if not is_of_the_driver and not isinstance(error, SQLAlchemyError | OSError | UnicodeError):
            raise
        reason = (str(error).partition("\n")[0] or type(error).__name__).rstrip(".")
        raise DatabaseError(f"{sentence}: {reason}.") from error


@contextmanager
def sole_use(url: str) -> Iterator[None]:
    """Keep every other bot off a SQLite database; PostgreSQL takes as many as come.

    The system ends it with this process, however that ends. Raises DatabaseError where another
    one uses the database.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        yield
        return
    file = sqlite_file(parsed)
    try:
        make_private_folder(file.parent)
        lock = take_lock(lock_file(file), wait=False)
        give_to_owner(lock_file(file))
    except OSError as error:
        raise DatabaseError(f"{lock_file(file)} can't be made: {error.strerror}.") from error
    if lock is None:
        raise DatabaseError(
            f"Another bot uses {file}: stop it first. Several bots at once need PostgreSQL."
        )
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def nobody_else(url: str, name: str = "The database at DATABASE_URL") -> Iterator[None]:
    """As `sole_use`; and DatabaseError where PostgreSQL has other connections to the database.

    `name` begins what the errors say.
    """
    with sole_use(url):
        with explained(f"{name} can't be used"):
            others = asyncio.run(_connections_left(url))
        if others:
            raise DatabaseError(
                f"{name} is in use by {others} other connections: stop the bots, and whatever"
                " else is connected, first."
            )
        yield


async def is_in_use(url: str) -> bool:
    """Whether a bot uses the SQLite database, or anybody is connected to PostgreSQL's."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        return await _connections(url) > 0
    file = lock_file(sqlite_file(parsed))
    if not file.exists():
        return False
    lock = take_lock(file, wait=False)
    if lock is not None:
        os.close(lock)
    return lock is None


async def _connections_left(url: str) -> int:
    """The server takes a moment to see that a client is gone."""
    end = time.monotonic() + SECONDS_TO_LEAVE
    while (others := await _connections(url)) and time.monotonic() < end:
        await asyncio.sleep(_PAUSE)
    return others


async def _connections(url: str) -> int:
    if parse_url(url).get_backend_name() != "postgresql":
        return 0
    engine = create_engine(url)
    try:
        async with engine.connect() as connection:
            return int(await connection.scalar(text(_OTHERS)) or 0)
    finally:
        await engine.dispose()
