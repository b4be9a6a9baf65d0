"""The backups that the bot makes by itself."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.clock import Clock
from bot.schedule import Schedule
from bot.storage.backups import Backups

BACKUP = "backup"
"""The name of the job."""


@dataclass(frozen=True)
class BackingUp:
    backups: Backups
    clock: Clock
    cron: str | None

    async def make(self) -> None:
        """Raises DatabaseError where there can be none."""
        await asyncio.to_thread(self.backups.make, self.clock())

    async def catch_up(self, schedule: Schedule) -> None:
        """Have one made now if none was when it came due, or if there is none at all."""
        if self.cron is None:
            return
        newest = await asyncio.to_thread(self.backups.newest) or datetime.fromtimestamp(0, UTC)
        if schedule.was_missed(self.cron, newest, self.clock()):
            schedule.run_now(BACKUP)

    def age(self) -> float | None:
        """Of the newest one, in seconds; None where there is none, or where that can't be seen."""
        try:
            newest = self.backups.newest()
        except OSError:
            return None
        return None if newest is None else max(0.0, (self.clock() - newest).total_seconds())
