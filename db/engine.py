"""The async engine for either database, its two kinds of session, and what their SQL needs."""

import json
import sqlite3
import time
from collections.abc import Callable
from functools import cache, partial
from typing import cast

from sqlalchemy import Connection, Table, UpdateBase, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry

from db import sqlite_connection
from db.address import DatabaseError, driver_arguments, parse_url, sqlite_file

DEFAULT_URL = "sqlite+aiosqlite:///data/kinorate.db"

_PATIENCE = 30  # seconds, with a transaction that another one has to end for

PRAGMAS = (
    f"PRAGMA busy_timeout = {1000 * _PATIENCE}",  # first, since the next one may have to wait
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what a user erased is overwritten, not only unlinked
    "PRAGMA journal_size_limit = 16777216",  # bytes that the log keeps once it is written back
)
"""What every SQLite connection starts with; SQLite remembers only the journal mode."""

_TRIES, _PAUSE = 250, 0.02  # seconds

_IDLE = 1.0  # seconds, after which a connection to PostgreSQL is tried before it is used
_USED_AT, _READ_ONLY = "used at", "read only"  # in what a pool notes of a connection

Sessions = async_sessionmaker[AsyncSession]
Insert = sqlite.Insert | postgresql.Insert
InsertInto = Callable[[Table], Insert]


def create_engine(url: str, *, one_by_one: bool = False) -> AsyncEngine:
    """An engine for the database at `url`; nothing is connected yet.

    With `one_by_one`, for transactions that write, those of this process take turns on SQLite. By
    itself it lets them sleep for up to a tenth of a second and look again, whoever came first: at
    30 updates a second half of an update's time (`python -m benchmarks load --no-models`).

    The folder of a SQLite file is created if it is missing. Raises DatabaseError for a URL that
    can't be used (see db/address.py), or whose driver is missing.
    """
    parsed = parse_url(url)
    dumps = partial(json.dumps, allow_nan=False)  # PostgreSQL refuses NaN, SQLite would take it
    if parsed.get_backend_name() == "postgresql":
        try:
            engine = create_async_engine(
                "postgresql+asyncpg://",
                connect_args=driver_arguments(parsed),
                json_serializer=dumps,
            )
        except ModuleNotFoundError as error:
            missing = f"PostgreSQL needs the Python package {error.name}"
            raise DatabaseError(f"{missing}: pip install '.[postgres]'.") from error
        event.listen(engine.sync_engine, "checkout", _ping_idle)
        event.listen(engine.sync_engine, "checkin", _note_use)
        return engine
    file = sqlite_file(parsed)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(f"{file.parent} can't be created: {error.strerror}.") from error
    turns: dict[str, int] = {"pool_size": 1, "max_overflow": 0} if one_by_one else {}
    engine = create_async_engine(
        parsed,
        connect_args={"async_creator_fn": sqlite_connection.connect},
        json_serializer=dumps,
        pool_timeout=_PATIENCE,
        **turns,
    )
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def writing(engine: AsyncEngine) -> Sessions:
    """Sessions whose transactions may write; on SQLite one at a time, the others wait."""
    return async_sessionmaker(engine, expire_on_commit=False)


def reading(engine: AsyncEngine) -> Sessions:
    """Sessions that see a snapshot of the database, block no writer and cannot write."""
    options: dict[str, object] = {"read_only": True}
    if engine.dialect.name == "postgresql":
        options = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
    return async_sessionmaker(engine.execution_options(**options), expire_on_commit=False)


class Database:
    """A database's engine with its two kinds of session; raises as create_engine does."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url, one_by_one=True)
        self.is_shared = self.engine.dialect.name == "postgresql"  # by several processes
        self._readers = self.engine if self.is_shared else create_engine(url)
        self.write, self.read = writing(self.engine), reading(self._readers)

    async def close(self) -> None:
        await self.engine.dispose()
        await self._readers.dispose()


def is_postgresql(session: AsyncSession) -> bool:
    """Where several processes may share the database; SQLite has one."""
    return session.get_bind().dialect.name == "postgresql"


def insert(session: AsyncSession, table: type[DeclarativeBase]) -> Insert:
    """An insert that takes an on_conflict_… clause, which both databases spell alike."""
    if is_postgresql(session):
        return postgresql.insert(table)
    return sqlite.insert(table)


def table_of(model: type[DeclarativeBase]) -> Table:
    """For the statements that every update runs, which are built once and give plain rows.

    Through the ORM, built anew each time, one takes three times as long (measured).
    """
    return cast(Table, model.__table__)


def prepared(build: Callable[[InsertInto], UpdateBase]) -> Callable[[AsyncSession], UpdateBase]:
    """An insert with an on_conflict_… clause, built once for the database of each kind."""
    built = cache(build)
    return lambda session: built(postgresql.insert if is_postgresql(session) else sqlite.insert)


def _set_pragmas(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # No BEGIN by the driver: it would come too late, before the first write. _begin sends it.
    connection.isolation_level = None
    cursor = connection.cursor()
    set_pragmas(cursor)
    cursor.close()


def set_pragmas(cursor: DBAPICursor | sqlite3.Cursor) -> None:
    for pragma in PRAGMAS:
        _execute(cursor, pragma)


def _note_use(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _ping_idle(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
    """Have a connection replaced that was closed while nobody used it.

    As pool_pre_ping does each time, with three questions and answers: half of what an update cost.
    """
    if time.monotonic() - record.info.get(_USED_AT, time.monotonic()) < _IDLE:
        return
    try:
        connection.ping()
    except Exception as error:  # asyncpg has many for one that is closed
        raise InvalidatePoolError from error


def _execute(cursor: DBAPICursor | sqlite3.Cursor, pragma: str) -> None:
    """Tries again while another process switches the same new file to WAL: no timeout covers it."""
    for left in reversed(range(_TRIES)):
        try:
            cursor.execute(pragma)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not left:
                raise
        time.sleep(_PAUSE)


def _begin(connection: Connection) -> None:
    """Take the write lock at once, or promise not to write.

    A transaction that has read and then turns to writing fails with "database is locked" if
    another one wrote meanwhile, however long the timeout (https://sqlite.org/isolation.html).
    """
    read_only = connection.get_execution_options().get("read_only", False)
    if connection.info.get(_READ_ONLY) is not read_only:  # as its transaction before left it
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if read_only else 'OFF'}")
        connection.info[_READ_ONLY] = read_only
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
