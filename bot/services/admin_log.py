"""The record of what the admins did, and when."""

from typing import Any

from bot.clock import Clock
from db import admin_actions, users
from db.engine import Sessions


class AdminLog:
    def __init__(self, write: Sessions, clock: Clock) -> None:
        self._write = write
        self._clock = clock

    async def note(
        self, admin_id: int, language: str, action: str, details: dict[str, Any] | None = None
    ) -> None:
        """Log an action, such as "promote", with what it was done to."""
        now = self._clock()
        async with self._write.begin() as session:
            await users.seen(session, admin_id, language, now)  # the record names a user
            await admin_actions.add(session, admin_id, action, now, details)
