"""The champion answers; a process that can't take it goes on with what it has, and says so."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bot.prediction.live_models import LiveModels

SECONDS_BETWEEN_LOOKS = 2.0
SECONDS_BETWEEN_NOTICES = 60.0  # where none arrived

_SECONDS_TO_STOP = 3.0

logger = logging.getLogger(__name__)


class ChampionWatch:
    def __init__(self, live: LiveModels) -> None:
        self.trouble: str | None = None  # why another version than the champion answers
        # Tells the admins what is wrong; whether anyone was reached.
        self.tell: Callable[[str], Awaitable[bool]] | None = None
        self._live = live
        self._told, self._told_at = "", -SECONDS_BETWEEN_NOTICES
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._task = asyncio.create_task(self._run(), name="champion")

    async def stop(self) -> None:
        if self._task is not None:
            self._stopping.set()
            # Not cancelled in a query; but loading models may take longer than a stop may.
            await asyncio.wait({self._task}, timeout=_SECONDS_TO_STOP)
            self._task.cancel()

    async def look(self) -> None:
        """Take the champion, unless it is taken already."""
        trouble = await self._live.follow()
        if trouble != self.trouble:
            if trouble is not None:
                logger.error("the champion can't be taken", extra={"error": trouble})
            else:
                logger.info("the champion answers", extra={"model": self._live.version})
        self.trouble = trouble
        await self._notify()

    async def _run(self) -> None:
        while not await self._is_stopped_within(SECONDS_BETWEEN_LOOKS):
            try:
                await self.look()
            except Exception:  # whatever it is, the next look may do
                logger.exception("the champion can't be looked for")

    async def _is_stopped_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        return self._stopping.is_set()

    async def _notify(self) -> None:
        """Tell the admins once, as soon as anyone can be reached."""
        if self.trouble is None:
            self._told = ""
        elif self.tell is not None and self.trouble != self._told:
            now = time.monotonic()
            if now - self._told_at >= SECONDS_BETWEEN_NOTICES:
                self._told_at = now
                if await self.tell(self.trouble):
                    self._told = self.trouble
