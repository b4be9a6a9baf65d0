"""A clock that a test can put forward."""

from datetime import UTC, datetime, timedelta


class Watch:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead
