"""The time, passed in to whoever needs it, so that a test can choose it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""The moment of the call, aware and in UTC."""


def utc_now() -> datetime:
    return datetime.now(UTC)
