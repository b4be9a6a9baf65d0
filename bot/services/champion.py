"""The champion answers; a process that can't take it goes on with what it has, and says so.

Of several processes each notes with which version it answers, and so learns of a champion that it
can't see: its models' folder is none that it shares with the others.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.clock import is_set_within
from bot.delivery.transactions import database_away
from bot.prediction.live_models import LiveModels
from db import processes
from db.engine import Sessions
from db.models import Process

SECONDS_BETWEEN_LOOKS = 2.0
SECONDS_BETWEEN_NOTICES = 60.0  # where none arrived

SECONDS_TO_APPEAR = 15.0
"""Systems of shared files may show for some seconds what was there before."""

_SECONDS_TO_STOP = 3.0

logger = logging.getLogger(__name__)


class Others:
    """The other processes on the database."""

    def __init__(self, write: Sessions, own_name: str) -> None:
        self._write, self._own_name = write, own_name

    async def newer(self, model: str, promoted_at: datetime) -> Process | None:
        """Which of them has a champion that was promoted later; they are told of this one's."""
        async with self._write.begin() as session:
            found = await processes.models(session)
            own = found.pop(self._own_name, None)
            if own is not None and (own.model, own.promoted_at) != (model, promoted_at):
                await processes.note_model(session, self._own_name, model, promoted_at)
        later = [
            one
            for one in found.values()
            if one.model not in (None, model) and one.promoted_at and one.promoted_at > promoted_at
        ]
        return max(later, key=lambda one: one.promoted_at or promoted_at, default=None)


class ChampionWatch:
    def __init__(self, live: LiveModels, others: "Others | None") -> None:
        """`others`: None where there are no other processes."""
        self.trouble: str | None = None  # why another version than the champion answers
        # Tells the admins what is wrong; whether anyone was reached.
        self.tell: Callable[[str], Awaitable[bool]] | None = None
        self._live, self._others = live, others
        self._promoted_at: datetime | None = None  # when the version that answers was
        self._differs_since: float | None = None
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
        if trouble is None:
            self._promoted_at = await asyncio.to_thread(self._live.registry.promoted_at)
            trouble = await self._unseen()
        if trouble != self.trouble:
            if trouble is not None:
                logger.error("the champion can't be taken", extra={"error": trouble})
            else:
                logger.info("the champion answers", extra={"model": self._live.version})
        self.trouble = trouble
        await self._notify()

    async def _run(self) -> None:
        while not await is_set_within(self._stopping, SECONDS_BETWEEN_LOOKS):
            try:
                await self.look()
            except Exception as error:  # whatever it is, the next look may do
                if not database_away(error):
                    logger.exception("the champion can't be looked for")

    async def _unseen(self) -> str | None:
        """What is wrong where another process has a newer champion than this folder."""
        if self._others is None or self._promoted_at is None:
            return None
        other = await self._others.newer(self._live.version, self._promoted_at)
        if other is None:
            self._differs_since = None
            return None
        self._differs_since = self._differs_since or time.monotonic()
        if time.monotonic() - self._differs_since < SECONDS_TO_APPEAR:
            return None
        return (
            f"The process {other.name} answers with {other.model}, which was promoted later than"
            f" the champion in {self._live.registry.root}: MODELS must be one folder for all."
        )

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
