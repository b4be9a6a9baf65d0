"""What people see happen in their chats, numbered, so that a page can resume where it was."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from bot.local.bell import Bell
from bot.local.people import Json


class Event(NamedTuple):
    number: int
    audience: Collection[int]
    content: Json


class EventLog:
    """All events since the start. Their numbers go on rising when the server is restarted."""

    def __init__(self, first_number: int) -> None:
        self.news = Bell()
        self._first = first_number
        self._events: list[Event] = []

    @property
    def last_number(self) -> int:
        return self._first + len(self._events) - 1

    def add(self, audience: Collection[int], content: Json) -> None:
        self._events.append(Event(self.last_number + 1, audience, content))
        self.news.ring()

    def after(self, number: int, user_id: int) -> Iterator[Event]:
        start = max(number + 1 - self._first, 0)
        for event in self._events[start:]:
            if user_id in event.audience:
                yield event
