"""The reviews on which the models err or differ most, and all of them as a file."""

import asyncio
import csv
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.services.periods import Span
from bot.services.review_table import COLUMNS, table_row
from bot.storage.temporary import Temporary
from classifier.labels import NEAR, sentiment_of
from db.engine import Sessions
from db.hard_reviews import Group, HardReview, HardReviews, Order
from db.statistics import Written, written

PAGE = 3  # reviews a message
ON_THE_PAGE = 200  # reviews of each kind on the exported page; the table has all of them
EXPLAINED = 20  # of them, of each kind: a review costs as much as ten answers
LARGEST = 45_000_000  # bytes of a file: Telegram takes 50 MB from a bot


@dataclass(frozen=True)
class Page:
    order: Order
    span: Span
    number: int  # from 0
    count: int  # of the reviews on all pages
    reviews: list[HardReview]

    @property
    def last(self) -> int:
        return max(0, (self.count - 1) // PAGE)


@dataclass(frozen=True)
class Analysis:
    """What the exported page shows."""

    span: Span
    made: datetime
    written: Written
    groups: dict[str, list[Group]]  # as `HardReviews.groups` has them
    worst: Page
    disagreed: Page


class TooLarge(Exception):  # noqa: N818  (it is an answer, not an error)
    """The table is too large to be sent, even zipped."""


@dataclass(frozen=True)
class ErrorAnalysis:
    read: Sessions
    clock: Clock
    temporary: Temporary

    async def page(self, order: Order, span: Span, number: int) -> Page:
        """A page, or the last one there is where reviews were erased meanwhile."""
        async with self.read() as session:
            hard = self._hard_reviews(session, span)
            count = await hard.count(order)
            number = min(number, max(0, (count - 1) // PAGE))
            return Page(order, span, number, count, await hard.first(order, PAGE, PAGE * number))

    async def to_explain(self, span: Span) -> list[HardReview]:
        """The first reviews of the exported page, of both kinds in turn."""
        async with self.read() as session:
            hard = self._hard_reviews(session, span)
            both = [await hard.first(order, EXPLAINED) for order in Order]
        return [one for pair in zip_longest(*both) for one in pair if one is not None]

    async def analysis(self, span: Span) -> Analysis:
        made = self.clock()
        async with self.read() as session:
            hard = self._hard_reviews(session, span)
            worst, disagreed = [
                Page(order, span, 0, await hard.count(order), await hard.first(order, ON_THE_PAGE))
                for order in (Order.WORST, Order.DISAGREED)
            ]
            totals = await written(session, span.before(made))
            return Analysis(span, made, totals, await hard.groups(NEAR), worst, disagreed)

    @asynccontextmanager
    async def table(self, span: Span) -> AsyncIterator[tuple[Path, int]]:
        """Every review as a CSV file, zipped if it is large, and how many; gone afterwards."""
        with self.temporary.folder() as folder:
            file = folder / f"kinorate-{span.name}.csv"
            count = await self._write(file, span)
            yield await asyncio.to_thread(_sendable, file), count

    async def _write(self, file: Path, span: Span) -> int:
        count = 0
        # With the mark by which spreadsheets recognise UTF-8.
        with file.open("w", encoding="utf-8-sig", newline="") as opened:
            table = csv.writer(opened)
            table.writerow(COLUMNS)
            async with self.read() as session:
                async for reviews in self._hard_reviews(session, span).all():
                    await asyncio.to_thread(table.writerows, map(table_row, reviews))
                    count += len(reviews)
        return count

    def _hard_reviews(self, session: AsyncSession, span: Span) -> HardReviews:
        return HardReviews(session, span.before(self.clock()), sentiment_of)


def _sendable(file: Path) -> Path:
    if file.stat().st_size <= LARGEST:
        return file
    zipped = file.with_suffix(".zip")
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file, file.name)
    if zipped.stat().st_size > LARGEST:
        raise TooLarge
    return zipped
