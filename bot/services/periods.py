"""The spans of time that an admin can ask about."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from db.measures import Period


@dataclass(frozen=True)
class Span:
    """How far back to look, and in which steps to follow what changes."""

    name: str  # as it is written after a command
    length: timedelta | None  # None: from the beginning
    step: timedelta
    steps: int  # that a rolling figure looks back over

    def before(self, now: datetime) -> Period:
        """The span that ends now."""
        since = _BEGINNING if self.length is None else now - self.length
        return Period(since, now)


_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)

SPANS = {
    span.name: span
    for span in (
        Span("24h", _DAY, _HOUR, 24),
        Span("7d", 7 * _DAY, _DAY, 7),
        Span("30d", 30 * _DAY, _DAY, 7),
        Span("all", None, _DAY, 7),
    )
}
USUAL = SPANS["7d"]


def parse_span(arguments: list[str]) -> Span | None:
    """The span that a command's arguments name; the usual one without any, None for another."""
    if not arguments:
        return USUAL
    return SPANS.get(arguments[0].lower()) if len(arguments) == 1 else None
