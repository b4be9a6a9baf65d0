"""What is stored about a user: noted, shown, exported, erased."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from bot.clock import Clock
from bot.services.export import export_files
from bot.services.wiping import Wiping
from bot.storage.temporary import Temporary
from db import privacy, reviews, users
from db.engine import Sessions
from db.models import Review

HISTORY = 5  # how many reviews /history shows


@dataclass(frozen=True)
class Personal:
    write: Sessions
    read: Sessions
    clock: Clock
    wiping: Wiping
    temporary: Temporary

    async def seen(self, user_id: int, language: str) -> None:
        """Note that the user has written, and in which language."""
        async with self.write.begin() as session:
            await users.seen(session, user_id, language, self.clock())

    async def blocked(self, user_id: int) -> None:
        """Note that nothing can be sent to the user any more."""
        async with self.write.begin() as session:
            await users.deactivate(session, user_id)

    async def language(self, user_id: int) -> str | None:
        """The language that a user's Telegram speaks; None if nothing is stored about them."""
        async with self.read() as session:
            return await users.language(session, user_id)

    async def history(self, user_id: int) -> list[Review]:
        """The user's last reviews, newest first."""
        async with self.read() as session:
            return await reviews.last(session, HISTORY, user_id=user_id)

    def export(self, user_id: int) -> AbstractAsyncContextManager[list[Path]]:
        """Files with all that is stored about the user; they are gone afterwards."""
        return export_files(self.read, user_id, self.temporary)

    async def erase(self, user_id: int) -> dict[str, int] | None:
        """Erase all that is stored about the user: how many rows a table; None if nothing was."""
        async with self.write.begin() as session:
            erased = await privacy.erase(session, user_id, self.clock())
        await self.wiping.soon()
        return erased if erased["users"] else None
