"""What /stats tells: the figures of a span of time, and how they moved."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.clock import Clock
from bot.services.comparison import Comparison
from bot.services.periods import Span
from classifier.labels import sentiment_of
from db.answers import Step, share, steps
from db.engine import Sessions
from db.measures import Period
from db.pairs import PairStatistics
from db.statistics import Statistics, collect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Point:
    """The figures of the steps up to a moment; None where nothing was answered in them."""

    moment: datetime
    accuracy: float | None
    mae: float | None


@dataclass(frozen=True)
class Overview:
    span: Span
    statistics: Statistics
    comparison: Comparison
    trend: dict[str, list[Point]]  # by pooling, from the first step with an answer on


class StatisticsService:
    def __init__(self, read: Sessions, clock: Clock) -> None:
        self._read = read
        self._clock = clock

    async def overview(self, span: Span) -> Overview:
        """All of it, as it stands at one moment."""
        period = span.before(self._clock())
        async with self._read() as session:
            statistics = await collect(session, period, sentiment_of)
            found = await steps(
                session, _with_steps_before(period, span), _seconds(span.step), sentiment_of
            )
        comparison = await asyncio.to_thread(_compare, statistics.pair)
        trend = {pooling: _trend(found, pooling, period, span) for pooling in statistics.poolings}
        return Overview(span, statistics, comparison, trend)


def _compare(pair: PairStatistics) -> Comparison:
    from bot.services.comparing import compare  # scipy takes a second to import

    return compare(pair)


def _with_steps_before(period: Period, span: Span) -> Period:
    """What the first point looks back on, too."""
    if span.length is None:
        return period
    return Period(_begin(period.since, span.step) - (span.steps - 1) * span.step, period.until)


def _trend(found: list[Step], pooling: str, period: Period, span: Span) -> list[Point]:
    by_moment = {step.begins: step for step in found if step.pooling == pooling}
    if not by_moment:
        return []
    points = []
    moment = max(_begin(period.since, span.step), min(by_moment))
    while moment < period.until:
        looked_back = (moment - back * span.step for back in range(span.steps))
        window = [by_moment[begins] for begins in looked_back if begins in by_moment]
        accuracy = share(sum(s.right for s in window), sum(s.answers for s in window))
        mae = share(sum(s.absolute_error for s in window), sum(s.rated for s in window))
        moment += span.step
        points.append(Point(min(moment, period.until), accuracy, mae))
    return points


def _begin(moment: datetime, step: timedelta) -> datetime:
    """The beginning of the step that the moment lies in."""
    return moment - (moment - _EPOCH) % step


def _seconds(step: timedelta) -> int:
    return round(step.total_seconds())
