"""What /stats shows: the figures of a span of time, and how they moved."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.clock import Clock
from bot.services.comparison import Comparison, compare
from bot.services.periods import Span
from classifier.labels import RATINGS, SENTIMENTS, sentiment_of
from db import pairs
from db.engine import Sessions
from db.measures import Period
from db.pairs import PairCounts
from db.statistics import Answered, Predicted, Step, Written, answered, predicted, steps, written

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class AnswerFigures:
    """Predictions of one pooling beside the ratings that users gave."""

    count: int
    confusion: tuple[tuple[int, ...], ...]  # counts, [true sentiment][predicted sentiment]
    figures: Mapping[str, float]  # by their keys in `figures.METRICS`, without undefined ones


@dataclass(frozen=True)
class PoolingFigures:
    """The predictions of one pooling, made in the span."""

    sentiments: tuple[int, ...]  # how often it predicted each
    median_milliseconds: float  # to a tenth
    p95_milliseconds: float
    answers: AnswerFigures  # by users who were asked to rate at random: the models are judged by it
    others: AnswerFigures  # by users who chose to, or were chosen: not a fair sample
    predictions_in_short: int  # of reviews that were not read to the end, because others waited
    in_short: AnswerFigures  # those of them that users answered, asked or not
    versions: dict[str, AnswerFigures]
    """Of each model version the `answers` to reviews that were read in whole, for one version may
    have met a crowd and another none."""

    @property
    def predictions(self) -> int:
        return sum(self.sentiments)


@dataclass(frozen=True)
class Point:
    """The figures of the steps up to a moment; None where nothing was answered in them."""

    moment: datetime
    accuracy: float | None
    mae: float | None


@dataclass(frozen=True)
class Overview:
    span: Span
    written: Written
    poolings: dict[str, PoolingFigures]  # "cls" and "mean", less one that predicted nothing
    pairs: PairCounts
    comparison: Comparison
    trend: dict[str, list[Point]]  # by pooling, from the first step with an answer on


@dataclass(frozen=True)
class StatisticsService:
    read: Sessions
    clock: Clock

    async def overview(self, span: Span) -> Overview:
        """All of it, as it stands at one moment."""
        from classifier.evaluation.calibration import BINS

        period = span.before(self.clock())
        seconds = round(span.step.total_seconds())
        async with self.read() as session:
            totals = await written(session, period)
            made = await predicted(session, period)
            rows = await answered(session, period, BINS)
            both = await pairs.count(session, period, sentiment_of)
            looked_back = _with_steps_before(period, span)
            found = await steps(session, looked_back, seconds, sentiment_of)
        poolings = {
            pooling: await asyncio.to_thread(_pooling, made, rows, pooling)
            for pooling in sorted({row.pooling for row in made})
        }
        comparison = await asyncio.to_thread(compare, both.users)
        trend = {pooling: _trend(found, pooling, period, span) for pooling in poolings}
        return Overview(span, totals, poolings, both, comparison, trend)


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _pooling(made: list[Predicted], rows: list[Answered], pooling: str) -> PoolingFigures:
    made = [row for row in made if row.pooling == pooling]
    rows = [row for row in rows if row.pooling == pooling]
    asked = [row for row in rows if row.asked]
    in_whole = [row for row in asked if not row.in_short]
    return PoolingFigures(
        sentiments=tuple(map(sum, zip(*(row.sentiments for row in made), strict=True))),
        median_milliseconds=_percentile(made, 50),
        p95_milliseconds=_percentile(made, 95),
        answers=figures_of(asked),
        others=figures_of([row for row in rows if not row.asked]),
        predictions_in_short=sum(row.in_short for row in made),
        in_short=figures_of([row for row in rows if row.in_short]),
        versions={
            version: figures_of([row for row in in_whole if row.version == version])
            for version in sorted({row.version for row in in_whole})
        },
    )


def figures_of(rows: Sequence[Answered]) -> AnswerFigures:
    """The functions of the offline evaluation, on what the database has counted."""
    import numpy as np

    from classifier.evaluation.calibration import BINS, expected_calibration_error
    from classifier.evaluation.metrics import rating_figures, sentiment_figures

    confusion = np.zeros((1, len(SENTIMENTS), len(SENTIMENTS)), dtype=np.int64)
    ratings = np.zeros((1, len(RATINGS), len(RATINGS)), dtype=np.int64)
    gaps = np.zeros(BINS)
    for row in rows:
        true = sentiment_of(row.given)
        confusion[0, true, row.sentiment] += row.times
        if row.rating is not None:
            ratings[0, row.given, row.rating] += row.times
        gaps[row.bin] += row.times * (true == row.sentiment) - row.confidence
    count = int(confusion.sum())
    if not count:
        return AnswerFigures(count, ((0, 0, 0),) * 3, {})
    found = sentiment_figures(confusion) | rating_figures(ratings)
    found["ece"] = expected_calibration_error(gaps[None, :], count)
    return AnswerFigures(
        count=count,
        confusion=tuple(map(tuple, confusion[0].tolist())),
        figures={name: float(v) for name, (v,) in found.items() if not np.isnan(v)},
    )


def _percentile(made: list[Predicted], percent: int) -> float:
    """The least latency, in milliseconds, that `percent` % of the predictions don't exceed."""
    import numpy as np

    up_to = np.cumsum([sum(row.sentiments) for row in made])
    return made[int(np.searchsorted(100 * up_to, percent * up_to[-1]))].tenths / 10


def _with_steps_before(period: Period, span: Span) -> Period:
    """With the steps that the first point looks back on."""
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
