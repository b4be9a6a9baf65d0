"""What is stored for some days only, deleted when they are over."""

import asyncio
import logging
from dataclasses import dataclass

from bot.clock import Clock
from bot.storage.backups import Backups
from db import admissions, updates
from db.engine import Sessions

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Retention:
    write: Sessions
    clock: Clock
    backups: Backups

    async def enforce(self) -> None:
        """Delete old updates from the inbox, and old backups. Raises nothing of the file system."""
        now = self.clock()
        async with self.write.begin() as session:
            deleted = await updates.delete_old(session, now)
            await admissions.delete_old(session, now)
        try:
            backups = await asyncio.to_thread(self.backups.delete_old, now)
        except OSError as error:  # no permission: a day later again
            logger.warning("old backups can't be deleted", exc_info=error)
        else:
            logger.info("old data deleted", extra={"updates": deleted, "backups": backups})
