"""The time, passed to whatever needs it, so that a test can choose it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the moment of the call, with its time zone, UTC."""


def utc_now() -> datetime:
    return datetime.now(UTC)
