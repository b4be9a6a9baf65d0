"""How much one user may send, so that others need not wait."""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any
from weakref import WeakValueDictionary

from db import admissions, installation
from db.engine import Sessions

WINDOW = timedelta(minutes=1)
_BETWEEN_CLEARINGS = 100  # admissions


class Admission(Enum):
    ADMITTED = auto()
    REFUSED = auto()  # and the user is to be told
    SILENT = auto()  # refused, and the user has been told already


@dataclass
class Sender:
    """What one limit knows of one sender: the updates admitted, and when one was refused last."""

    admitted: list[tuple[datetime, int]] = field(default_factory=list)
    refused_at: datetime | None = None

    @classmethod
    def of(cls, state: dict[str, Any]) -> "Sender":
        times = [(datetime.fromisoformat(time), number) for time, number in state.get("in", ())]
        refused_at = state.get("refused_at")
        return cls(times, datetime.fromisoformat(refused_at) if refused_at else None)

    @property
    def state(self) -> dict[str, Any]:
        times = [[time.isoformat(), number] for time, number in self.admitted]
        return {"in": times, "refused_at": self.refused_at and self.refused_at.isoformat()}

    def admit(self, update_id: int, sent_at: datetime, limit: int, window: timedelta) -> Admission:
        """Whether to handle an update; one that was admitted before is admitted again."""
        if any(update_id == earlier for _, earlier in self.admitted):
            return Admission.ADMITTED
        while self.admitted and self.admitted[0][0] <= sent_at - window:
            del self.admitted[0]
        if len(self.admitted) < limit:
            self.admitted.append((sent_at, update_id))
            return Admission.ADMITTED
        return self.refuse(sent_at, window)

    def refuse(self, sent_at: datetime, window: timedelta) -> Admission:
        """Refuse a message; the user is told once, until there was no refusal for a window."""
        told = self.refused_at is not None and sent_at - self.refused_at < window
        self.refused_at = sent_at
        return Admission.SILENT if told else Admission.REFUSED


class SenderBook:
    """Where the limits keep what they know: in the database, so that they hold in all processes.

    Nobody's id is in it: a sender has another name in each limit, which the installation's secret
    makes of the id. So an erasure need not, and does not, reset a limit.
    """

    def __init__(self, write: Sessions) -> None:
        self._write = write
        self._secret = b""
        self._changes = 0
        # What one person has sent is in one process at a time.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def change(
        self,
        whose: str,
        change: Callable[[Sender], Admission],
        sent_at: datetime,
        needed: timedelta,
    ) -> Admission:
        """Let something that was sent then change what is known, which is needed for so long."""
        async with self._locks.setdefault(whose, asyncio.Lock()), self._write.begin() as session:
            if not self._secret:
                self._secret = await installation.secret(session)
            name = hmac.digest(self._secret, f"limit:{whose}".encode(), "sha256").hex()
            before = await admissions.state(session, name)
            sender = Sender.of(before)
            admission = change(sender)
            if sender.state != before:
                await admissions.store(session, name, sender.state, sent_at + needed)
            self._changes += 1
            if self._changes % _BETWEEN_CLEARINGS == 0:
                await admissions.delete_old(session, sent_at)
            return admission


class FloodLimit:
    """A limit on the messages of each user in a window, by the time at which Telegram got them.

    Not by the clock: after a pause of the bot, all that was sent meanwhile arrives at once and is
    no flood.
    """

    def __init__(self, book: SenderBook, name: str, limit: int, window: timedelta = WINDOW) -> None:
        self._book, self._name = book, name
        self.limit = limit
        self.window = window

    async def admit(self, sender: int | str, update_id: int, sent_at: datetime) -> Admission:
        """Whether to handle an update; one that was admitted before is admitted again."""

        def admit(known: Sender) -> Admission:
            return known.admit(update_id, sent_at, self.limit, self.window)

        return await self._change(sender, admit, sent_at)

    async def refuse(self, sender: int | str, sent_at: datetime) -> Admission:
        """Refuse a message; the user is told once, until there was no refusal for a window."""
        return await self._change(sender, lambda known: known.refuse(sent_at, self.window), sent_at)

    async def _change(
        self, sender: int | str, change: Callable[[Sender], Admission], sent_at: datetime
    ) -> Admission:
        return await self._book.change(f"{self._name}:{sender}", change, sent_at, 2 * self.window)
