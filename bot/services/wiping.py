"""The wiping of the database's files: at intervals, and soon after an erasure."""

import asyncio
import logging
import sqlite3
import time

from bot.clock import is_set_within
from db.wiping import wipe

INTERVAL = 60.0  # seconds
PATIENCE = 2.0
"""Seconds for which an erasure waits until it is also gone from the files."""

_LEAST_PAUSE = 0.2  # seconds
_PAUSES = 20
"""A pause after a wiping is so many times as long: it holds up those who write meanwhile."""

logger = logging.getLogger(__name__)


class Wiping:
    def __init__(self, url: str) -> None:
        self._url = url
        self._wanted = asyncio.Event()
        self._waiting: list[asyncio.Event] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._wanted.set()  # an earlier process may have been killed before it came to it
        self._task = asyncio.create_task(self._run(), name="wiping")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def soon(self) -> None:
        """Wipe now, or after the pause that is due; returns when it is done or takes too long."""
        if self._task is None:
            return
        done = asyncio.Event()
        self._waiting.append(done)
        self._wanted.set()
        await is_set_within(done, PATIENCE)

    async def _run(self) -> None:
        while True:
            await is_set_within(self._wanted, INTERVAL)
            self._wanted.clear()
            started = time.monotonic()
            waiting = len(self._waiting)  # who comes later needs another wiping
            if await self._wipe():
                for done in self._waiting[:waiting]:
                    done.set()
                del self._waiting[:waiting]
            else:
                self._wanted.set()
            await asyncio.sleep(max(_LEAST_PAUSE, _PAUSES * (time.monotonic() - started)))

    async def _wipe(self) -> bool:
        try:
            return await asyncio.to_thread(wipe, self._url)
        except sqlite3.Error as error:  # locked, or no space for a copy: it stays ordered
            logger.warning("the database can't be wiped", extra={"error": str(error)})
            return False
