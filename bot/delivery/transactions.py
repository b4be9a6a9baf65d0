"""Transactions of the inbox: never cancelled, and repeated while the database is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoTurn
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
            try:
                return await self.once(transact)
            except Exception as error:
                if not database_away(error):
                    raise
                retry += 1
                pause = pause_before(retry)
                kind = type(error).__name__
                logger.warning("the database is away", extra={"pause": pause, "error": kind})
                await asyncio.sleep(pause)

    async def once(self, transact: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        """As `run`, but raises whatever the database raises."""
        task = asyncio.create_task(self._begin(transact))
        self._running.add(task)
        task.add_done_callback(self._end)
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for those whose callers were cancelled."""
        if self._running:
            await asyncio.wait(self._running)

    async def _begin(self, transact: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        async with self._write.begin() as session:
            return await transact(session)

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # there may be no caller left to look at it


def database_away(error: BaseException) -> bool:
    """Whether the database may do later what it has not done now."""
    # OSError: SQLAlchemy does not wrap what asyncpg raises while it connects.
    if isinstance(error, OperationalError | InterfaceError | NoTurn | OSError):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _may_pass(error.orig)
    return _may_pass(error)


def _may_pass(error: BaseException | None) -> bool:
    """By PostgreSQL's code: it starts or stops, is full, or had two transactions in a knot."""
    code = getattr(error, "sqlstate", None) or ""
    return code[:2] in ("08", "40", "53", "57") or type(error).__name__ in _CLOSED


_CLOSED = ("ConnectionDoesNotExistError", "InterfaceError", "InternalClientError")
"""What asyncpg raises on a connection that has been closed meanwhile, or is about to be."""


def pause_before(retry: int) -> float:
    """Seconds to wait before the first, second … retry."""
    return float(min(LONGEST_PAUSE, 2 ** min(retry - 1, 10)))
