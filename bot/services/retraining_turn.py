"""Whose turn it is to retrain: one process's at a time."""

import asyncio

from bot.services.lock import Lock
from db import training_runs
from db.engine import Sessions

SECONDS_TO_RETURN = 5.0
"""A process that lost its lock with its connection has so long to take it again."""


class RetrainingTurn:
    def __init__(self, lock: Lock, read: Sessions) -> None:
        self.is_ours = False
        self._lock, self._read = lock, read

    async def take(self) -> bool:
        """Unless another process, or this one, has it or is about to take it again."""
        if self.is_ours:
            return False
        self.is_ours, taken = True, False  # at once: this process asks in several places
        try:
            taken = await self._lock.take()
            if taken and self._lock.can_be_lost and await self._is_running():
                await self._lock.release()
                await asyncio.sleep(SECONDS_TO_RETURN)
                taken = await self._lock.take()
        finally:
            self.is_ours = taken
        return taken

    async def keep(self) -> None:
        """Take the lock again where it was lost."""
        await self._lock.take()

    async def give_back(self) -> None:
        await self._lock.release()
        self.is_ours = False

    async def _is_running(self) -> bool:
        async with self._read() as session:
            return await training_runs.newest(session, "running") is not None
