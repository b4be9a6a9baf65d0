"""One process does what is due at set times, and clears up after those that are dead."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from bot.clock import is_set_within
from bot.delivery.transactions import database_away
from bot.schedule import Schedule
from bot.services.lock import Lock
from bot.services.services import Services

SECONDS_BETWEEN_LOOKS = 1.0
"""How soon another process takes over."""

SECONDS_BETWEEN_RECOVERIES = 5.0

logger = logging.getLogger(__name__)


class Scheduling:
    def __init__(
        self, lock: Lock, schedule: Schedule, services: Services, cron: str | None
    ) -> None:
        """`cron`: when the models are retrained, if ever."""
        self.is_ours = False
        self._lock, self._schedule, self._services = lock, schedule, services
        self._cron = cron
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._clearing_up: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._begin(self._run(), "scheduling")

    async def stop(self) -> None:
        """Let another process go on, at once."""
        self._stopping.set()
        self._schedule.stop()
        while self._tasks:
            # Not cancelled: a connection that is cancelled in a query never closes, nor does the
            # event loop then.
            await asyncio.wait(self._tasks)

    async def _run(self) -> None:
        done_until = datetime.now(UTC)  # whatever came due before that, a process saw to
        try:
            while not self._stopping.is_set():
                try:
                    is_ours = await self._lock.take()
                except Exception as error:  # nobody knows whose turn it is
                    if not database_away(error):
                        logger.exception("the schedule's lock can't be taken")
                    self._give_up()
                else:
                    if is_ours and not self.is_ours:
                        self._take_over(done_until)
                    elif not is_ours:
                        self._give_up()
                    done_until = datetime.now(UTC)
                await is_set_within(self._stopping, SECONDS_BETWEEN_LOOKS)
        finally:
            await self._lock.release()
            self.is_ours = False

    def _take_over(self, since: datetime) -> None:
        logger.info("this process does what is scheduled")
        self.is_ours = True
        self._schedule.start(since)
        if self._clearing_up is None or self._clearing_up.done():
            self._clearing_up = self._begin(self._clear_up(), "catching up")

    def _give_up(self) -> None:
        if self.is_ours:
            logger.info("another process does what is scheduled")
            self.is_ours = False
            self._schedule.pause()

    async def _clear_up(self) -> None:
        """Do what an earlier process left unfinished or missed, and what others leave later."""
        services = self._services
        await self._try(services.retraining.recover)
        await self._try(services.retention.enforce)
        if cron := self._cron:
            await self._try(lambda: services.retraining.catch_up(self._schedule, cron))
        await self._try(lambda: services.backing_up.catch_up(self._schedule))
        while self.is_ours and not self._stopping.is_set():
            await is_set_within(self._stopping, SECONDS_BETWEEN_RECOVERIES)
            if self.is_ours:
                await self._try(services.retraining.recover_others)

    async def _try(self, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except Exception as error:  # the next time then
            logger.warning("an earlier process can't be cleared up after", exc_info=error)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
