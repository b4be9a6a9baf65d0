"""Waking those who wait for news, without any polling."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Bell:
    """Each listener has an event of its own, so that it can also be woken for its own reasons."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Event] = set()

    def ring(self) -> None:
        for listener in self._listeners:
            listener.set()

    @contextmanager
    def listening(self, listener: asyncio.Event) -> Iterator[None]:
        self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)
