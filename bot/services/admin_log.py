"""The record of what the admins did, and when."""

from dataclasses import dataclass
from typing import Any

from bot.clock import Clock
from db import admin_actions, users
from db.engine import Sessions


@dataclass(frozen=True)
class AdminLog:
    write: Sessions
    clock: Clock

    async def note(
        self, admin_id: int, language: str, action: str, details: dict[str, Any] | None = None
    ) -> None:
        """Log an action, such as "promote", with what it changed."""
        now = self.clock()
        async with self.write.begin() as session:
            await users.seen(session, admin_id, language, now)  # the record names a user
            await admin_actions.add(session, admin_id, action, now, details)
