"""Transactions of the inbox: never cancelled, and repeated while the database is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import Sessions

LONGEST_PAUSE = 60.0  # seconds

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class Transactions:
    """Runs transactions that end by themselves when their caller is cancelled.

    PTB cancels a poll while its updates are being stored. Cancelled at the wrong moment, such a
    transaction kept SQLite's write lock, and all others waited 30 seconds for it (measured).
    """

    def __init__(self, write: Sessions) -> None:
        self._write = write
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, transact: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        """What `transact` returns, once it is committed."""
        retry = 0
        while True:
            task = asyncio.create_task(self._once(transact))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            try:
                return await asyncio.shield(task)
            except Exception as error:
                if not database_away(error):
                    raise
                retry += 1
                pause = pause_before(retry)
                kind = type(error).__name__
                logger.warning("the database is away", extra={"pause": pause, "error": kind})
                await asyncio.sleep(pause)

    async def finish(self) -> None:
        """Wait for those whose callers were cancelled."""
        if self._running:
            await asyncio.wait(self._running)

    async def _once(self, transact: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        async with self._write.begin() as session:
            return await transact(session)


def database_away(error: Exception) -> bool:
    # OSError: SQLAlchemy does not wrap what asyncpg raises while it connects.
    return isinstance(error, OperationalError | InterfaceError | OSError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def pause_before(retry: int) -> float:
    """Seconds to wait before the first, second … retry."""
    return float(min(LONGEST_PAUSE, 2 ** min(retry - 1, 10)))
