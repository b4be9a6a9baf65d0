"""Locks that PostgreSQL holds for one of several processes, and frees when that process is dead.

They are a session's (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS):
a pool between the program and the server must not lend its connections by the transaction.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from enum import IntEnum
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

SECONDS_BETWEEN_LOOKS = 1.0
"""How soon a lock is found free, and how soon a lost one is noticed."""

SECONDS_TO_ANSWER = 5.0
"""A server that is silent for longer has lost us, or we it."""

_OURS = 5466474  # any number, as long as all processes of this program use the same

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class Task(IntEnum):
    """What one process at a time does; in pg_locks it is `objid`."""

    FETCHING = 1
    SCHEDULING = 2
    RETRAINING = 3


class AdvisoryLock:
    """The right to do a task, on a connection of its own."""

    can_be_lost = True

    def __init__(self, engine: AsyncEngine, task: Task) -> None:
        self._engine, self._keys = engine, {"ours": _OURS, "task": int(task)}
        self._connection: AsyncConnection | None = None
        self._one_query_at_a_time = asyncio.Lock()

    async def take(self) -> bool:
        """Whether it is ours now; raises SQLAlchemyError or OSError where the server is away.

        It stays ours until `release`, or until `is_ours` finds it lost.
        """
        return await self._to_its_end(self._take())

    async def is_ours(self) -> bool:
        """Whether it still is: the server frees it with the connection, as when it restarts."""
        return await self._to_its_end(self._is_ours())

    async def release(self) -> None:
        """Let another process have it at once."""
        await self._to_its_end(self._release())

    async def wait(self) -> None:
        """Until it is ours, for as long as another process has it or the server is away."""
        while True:
            with suppress(Exception):  # also asyncpg's own, of a server that starts or stops
                if await self.take():
                    return
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    async def wait_until_lost(self) -> None:
        while await self.is_ours():
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    async def _to_its_end(self, query: Coroutine[Any, Any, Result]) -> Result:
        """Cancelled in a query, a connection might stay open with a lock that nobody knows of."""

        async def alone() -> Result:
            async with self._one_query_at_a_time:
                return await query

        return await asyncio.shield(asyncio.create_task(alone()))

    async def _take(self) -> bool:
        if await self._is_ours():
            return True
        connection: AsyncConnection | None = None
        try:
            async with asyncio.timeout(SECONDS_TO_ANSWER):
                connection = await self._engine.connect()
                connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
                asked = text("SELECT pg_try_advisory_lock(:ours, :task)")
                taken = bool(await connection.scalar(asked, self._keys))
        except BaseException:
            if connection is not None:
                await _close(connection)
            raise
        if taken:
            self._connection = connection
        else:
            await connection.close()
        return taken

    async def _is_ours(self) -> bool:
        if self._connection is None:
            return False
        if await self._ask("SELECT 1"):
            return True
        logger.warning("a lock of the database is lost", extra={"task": self._keys["task"]})
        await self._drop()
        return False

    async def _release(self) -> None:
        if self._connection is not None:
            await self._ask("SELECT pg_advisory_unlock(:ours, :task)", self._keys)
            await self._drop()

    async def _ask(self, query: str, values: dict[str, int] | None = None) -> bool:
        """Whether the server has answered."""
        assert self._connection is not None
        try:
            async with asyncio.timeout(SECONDS_TO_ANSWER):
                await self._connection.execute(text(query), values)
        except Exception:  # whatever it is, nobody knows any more whose the lock is
            return False
        return True

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        assert connection is not None
        await _close(connection)


async def _close(connection: AsyncConnection) -> None:
    """Not back into the pool, where a lock might go on being held."""
    with suppress(Exception):
        await connection.invalidate()
        await connection.close()
