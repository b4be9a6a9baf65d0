"""How much one user may send, so that others need not wait."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

WINDOW = timedelta(minutes=1)
_MANY_USERS = 1_000  # from this number on, users who send nothing are forgotten


class Admission(Enum):
    ADMITTED = auto()
    REFUSED = auto()  # and the user is to be told
    SILENT = auto()  # refused, and the user has been told already


@dataclass
class _Sender:
    admitted: deque[tuple[datetime, int]] = field(default_factory=deque)
    refused_at: datetime | None = None


class FloodLimit:
    """A limit on the messages of each user in a window, by the time at which Telegram got them.

    Not by the clock: after a pause of the bot, all that was sent meanwhile arrives at once and is
    no flood.
    """

    def __init__(self, limit: int, window: timedelta = WINDOW) -> None:
        self.limit = limit
        self.window = window
        self._senders: dict[int, _Sender] = {}

    def admit(self, user_id: int, update_id: int, sent_at: datetime) -> Admission:
        """Whether to handle an update; one that was admitted before is admitted again."""
        self._forget_the_quiet(sent_at)
        sender = self._senders.setdefault(user_id, _Sender())
        admitted = sender.admitted
        if any(update_id == earlier for _, earlier in admitted):
            return Admission.ADMITTED
        while admitted and admitted[0][0] <= sent_at - self.window:
            admitted.popleft()
        if len(admitted) < self.limit:
            admitted.append((sent_at, update_id))
            return Admission.ADMITTED
        return self.refuse(user_id, sent_at)

    def refuse(self, user_id: int, sent_at: datetime) -> Admission:
        """Refuse a message; the user is told once, until there was no refusal for a window."""
        sender = self._senders.setdefault(user_id, _Sender())
        told = sender.refused_at is not None and sent_at - sender.refused_at < self.window
        sender.refused_at = sent_at
        return Admission.SILENT if told else Admission.REFUSED

    def _forget_the_quiet(self, now: datetime) -> None:
        if len(self._senders) < _MANY_USERS:
            return
        since = now - self.window
        self._senders = {
            user_id: sender
            for user_id, sender in self._senders.items()
            if (sender.admitted and sender.admitted[-1][0] > since)
            or (sender.refused_at is not None and sender.refused_at > since)
        }
