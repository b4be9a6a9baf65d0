"""The time, passed to whatever needs it, so that a test can choose it; and waiting for so long."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the moment of the call, with its time zone, UTC."""


def utc_now() -> datetime:
    return datetime.now(UTC)


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, so long at most; whether it is set then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
