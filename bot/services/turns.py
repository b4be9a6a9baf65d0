"""One thing at a time for each message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class Turns:
    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[int, int], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of_message(self, chat_id: int, message_id: int) -> AsyncIterator[None]:
        """Wait for all that began earlier with this message."""
        lock = self._locks.setdefault((chat_id, message_id), asyncio.Lock())
        async with lock:
            yield
