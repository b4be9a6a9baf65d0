"""Whose turn it is to retrain: one process's at a time, which the others may ask to end it."""

import asyncio
import logging
from collections.abc import Callable

from bot.clock import is_set_within
from bot.delivery.transactions import database_away
from bot.services.lock import Lock
from db import training_runs
from db.engine import Sessions
from db.models import TrainingRun
from db.training_runs import Ending

CANCELLED = Ending("cancelled", "an admin cancelled it")

SECONDS_BETWEEN_LOOKS = 1.0
"""How soon another process's wish to end a run is seen, and a lost lock taken again."""

SECONDS_TO_RETURN = 5.0
"""A process that lost its lock with its connection has so long to take it again."""

logger = logging.getLogger(__name__)


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

    async def watch(self, run_id: int, over: asyncio.Event, end: Callable[[Ending], None]) -> None:
        """Until the run is over: keep the turn, and `end` the run if others want that."""
        while not over.is_set():
            try:
                await self._lock.take()  # again, where it was lost with the connection
                if ending := await self.unwanted(run_id):
                    end(ending)
            except Exception as error:
                if not database_away(error):
                    logger.exception("a retraining can't be watched", extra={"run": run_id})
            await is_set_within(over, SECONDS_BETWEEN_LOOKS)

    async def unwanted(self, run_id: int) -> Ending | None:
        """Why the run is to end, as others want it; None where it is to go on."""
        async with self._read() as session:
            run = await session.get(TrainingRun, run_id)
        if run is None or run.status != "running":
            return Ending("interrupted", "another process took this one for dead")
        return CANCELLED if run.cancel_requested else None

    async def give_back(self) -> None:
        await self._lock.release()
        self.is_ours = False

    async def _is_running(self) -> bool:
        async with self._read() as session:
            return await training_runs.newest(session, "running") is not None
