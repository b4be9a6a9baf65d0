"""Connections to SQLite that cross to their thread once a statement.

aiosqlite has a thread for each connection, and every call of sqlite3 goes there and back: making a
cursor, running a statement, fetching its rows, closing the cursor. Each crossing wakes two threads
that take the interpreter from each other; three in four of them took 2 of the 29 milliseconds of
processor that an update cost (`python -m benchmarks load --no-models`).
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Self, TypeVar

import aiosqlite

_ROWS = 256
"""As many are fetched with the statement: more, and they come as they are asked for."""

Result = TypeVar("Result")


def connect(*args: Any, **options: Any) -> "Connection":
    """As `aiosqlite.connect`, to be awaited."""
    connection = Connection(partial(sqlite3.connect, *args, **options), iter_chunk_size=_ROWS)
    connection._thread.daemon = True  # a connection left open must not keep the program alive
    return connection


class Connection(aiosqlite.Connection):
    def cursor(self) -> "Cursor":  # type: ignore[override]  # SQLAlchemy enters it, awaited or not
        """A cursor that is made in the thread with its first statement."""
        return Cursor(self)

    async def rollback(self) -> None:
        """End the transaction, if there is one: the pool asks for it after each.

        None is about to begin: SQLAlchemy closes a connection whose call was cancelled.
        """
        if self._conn.in_transaction:
            await super().rollback()


class Cursor(aiosqlite.Cursor):
    """A cursor whose statement comes back with its first rows, and with all where they are few."""

    def __init__(self, connection: Connection) -> None:
        self.iter_chunk_size = _ROWS
        self._conn = connection
        self._cursor: sqlite3.Cursor | None = None  # type: ignore[assignment]
        self._rows: deque[Any] = deque()
        self._is_open = False  # there may be rows that are not in _rows

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> Self:
        return await self._run(sqlite3.Connection.execute, sql, parameters or ())

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        return await self._run(sqlite3.Connection.executemany, sql, parameters)

    async def fetchone(self) -> Any:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        size = _ROWS if size is None else size
        if len(self._rows) < size and self._is_open:
            assert self._cursor is not None
            more = await self._in_thread(self._cursor.fetchmany, max(size, _ROWS))
            self._is_open = bool(more)
            self._rows.extend(more)
        return [self._rows.popleft() for _ in range(min(size, len(self._rows)))]

    async def fetchall(self) -> list[Any]:
        more: list[Any] = []
        if self._is_open:
            assert self._cursor is not None
            more, self._is_open = await self._in_thread(self._cursor.fetchall), False
        rows = [*self._rows, *more]
        self._rows.clear()
        return rows

    async def close(self) -> None:
        self._rows.clear()
        if self._is_open:
            assert self._cursor is not None
            self._is_open = False
            await self._in_thread(self._cursor.close)

    async def _in_thread(self, call: Callable[..., Result], *values: object) -> Result:
        done: Result = await self._conn._execute(call, *values)  # type: ignore[no-untyped-call]
        return done

    async def _run(self, run: Any, sql: str, parameters: Any) -> Self:
        def in_thread() -> tuple[sqlite3.Cursor, list[Any]]:
            cursor = run(self._conn._conn, sql, parameters)
            return cursor, cursor.fetchmany(_ROWS) if cursor.description else []

        await self.close()
        self._cursor, rows = await self._in_thread(in_thread)
        self._rows.extend(rows)
        self._is_open = len(rows) == _ROWS
        return self
