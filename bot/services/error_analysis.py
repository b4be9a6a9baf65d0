"""The reviews on which the models err or differ most, and all of them as a file."""

import asyncio
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.clock import Clock
from bot.services.periods import Span
from bot.services.review_table import ReviewTable
from classifier.labels import sentiment_of
from db.engine import Sessions
from db.hard_reviews import Group, HardReview, HardReviews
from db.statistics import collect

PAGE = 3
"""Reviews a message."""

ON_THE_PAGE = 200
"""Reviews of each kind on the exported page; the table has all of them."""

LARGEST = 45_000_000
"""Bytes of a file: Telegram takes 50 MB from a bot."""


class Order(Enum):
    """Which reviews come first; the value stands for it in a button."""

    WORST = "w"
    DISAGREED = "d"


@dataclass(frozen=True)
class Page:
    order: Order
    span: Span
    number: int  # from 0
    count: int  # reviews on all pages
    reviews: list[HardReview]

    @property
    def last(self) -> int:
        return max(0, (self.count - 1) // PAGE)


@dataclass(frozen=True)
class Analysis:
    """What the exported page shows."""

    span: Span
    made: datetime
    reviews: int
    rated: int
    by_length: list[Group]
    by_sentiment: list[Group]
    by_confidence: list[Group]
    by_disagreement: list[Group]
    by_version: list[Group]
    worst: list[HardReview]
    worst_count: int
    disagreed: list[HardReview]
    disagreed_count: int


class TooLarge(Exception):  # noqa: N818  (it is no error, but an answer)
    """The table is too large to be sent, even zipped."""


class ErrorAnalysis:
    def __init__(self, read: Sessions, clock: Clock) -> None:
        self._read = read
        self._clock = clock

    async def page(self, order: Order, span: Span, number: int) -> Page:
        """A page, or the last one there is where reviews were erased meanwhile."""
        async with self._hard_reviews(span) as hard:
            if order is Order.WORST:
                count, reviews = await hard.count_worst(), hard.worst
            else:
                count, reviews = await hard.count_disagreed(), hard.disagreed
            number = min(number, max(0, (count - 1) // PAGE))
            return Page(order, span, number, count, await reviews(PAGE, PAGE * number))

    async def analysis(self, span: Span) -> Analysis:
        made = self._clock()
        async with self._read() as session:
            period = span.before(made)
            hard = HardReviews(session, period, sentiment_of)
            totals = await collect(session, period, sentiment_of)
            return Analysis(
                span=span,
                made=made,
                reviews=totals.reviews,
                rated=totals.reviews_with_feedback,
                by_length=await hard.by_length(),
                by_sentiment=await hard.by_sentiment(),
                by_confidence=await hard.by_confidence(),
                by_disagreement=await hard.by_disagreement(),
                by_version=await hard.by_version(),
                worst=await hard.worst(ON_THE_PAGE),
                worst_count=await hard.count_worst(),
                disagreed=await hard.disagreed(ON_THE_PAGE),
                disagreed_count=await hard.count_disagreed(),
            )

    @asynccontextmanager
    async def table(self, span: Span) -> AsyncIterator[tuple[Path, int]]:
        """Every review as a CSV file, zipped if it is large, and how many; gone afterwards."""
        with TemporaryDirectory(prefix="kinorate-") as folder:
            file = Path(folder) / f"kinorate-{span.name}.csv"
            count = await self._write(file, span)
            yield await asyncio.to_thread(_sendable, file), count

    async def _write(self, file: Path, span: Span) -> int:
        count = 0
        with ReviewTable(file) as table:
            async with self._hard_reviews(span) as hard:
                async for reviews in hard.all():
                    await asyncio.to_thread(table.add, reviews)
                    count += len(reviews)
        return count

    @asynccontextmanager
    async def _hard_reviews(self, span: Span) -> AsyncIterator[HardReviews]:
        async with self._read() as session:
            yield HardReviews(session, span.before(self._clock()), sentiment_of)


def _sendable(file: Path) -> Path:
    if file.stat().st_size <= LARGEST:
        return file
    zipped = file.with_suffix(".zip")
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file, file.name)
    if zipped.stat().st_size > LARGEST:
        raise TooLarge
    return zipped
