"""One thing at a time for each message, and of many taps on it the last one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

_MOST_TAPS = 10_000  # remembered: those that wait are far fewer


class Turns:
    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[int, int], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of_message(self, chat_id: int, message_id: int) -> AsyncIterator[None]:
        """Wait for all that began earlier with this message."""
        lock = self._locks.setdefault((chat_id, message_id), asyncio.Lock())
        async with lock:
            yield


class LatestTaps:
    """Which tap of a person on a message is the last that has arrived: it alone counts.

    One before it is not handled any more if its turn has not come, or comes again.
    """

    def __init__(self) -> None:
        self._latest: dict[str, int] = {}

    def arrived(self, user_id: int, message: tuple[int, int], update_id: int) -> None:
        place = _place(user_id, message)
        self._latest.pop(place, None)
        self._latest[place] = update_id
        if len(self._latest) > _MOST_TAPS:
            del self._latest[next(iter(self._latest))]

    def counts(self, user_id: int, message: tuple[int, int], update_id: int) -> bool:
        """Whether the tap is to be handled."""
        return self._latest.get(_place(user_id, message), update_id) == update_id


def _place(user_id: int, message: tuple[int, int]) -> str:
    return f"{user_id} {message}"  # as a string: an odd update may have a list for an id
