"""The figures of /stats are those of the rows, worked out another way."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.services.periods import SPANS
from bot.services.statistics import AnswerFigures, StatisticsService, figures_of
from db.engine import Sessions
from db.statistics import Answered
from tests.bot.live_reviews import add_live_reviews
from tests.bot.raw_rows import Rows, agree

NOW = datetime(2026, 3, 14, 15, 30, tzinfo=UTC)


@pytest.mark.anyio
@pytest.mark.parametrize("span", ["7d", "30d"])
async def test_the_figures_are_those_of_the_rows(
    write: Sessions, read: Sessions, url: str, span: str
) -> None:
    async with write.begin() as session:
        await add_live_reviews(session, 600, NOW, 20)
    overview = await StatisticsService(read, lambda: NOW).overview(SPANS[span])
    rows = Rows.read(Path(url.removeprefix("sqlite+aiosqlite:///")))
    length = SPANS[span].length
    assert length is not None
    agree(overview, rows.since(NOW - length))


def answered(given: int, rating: int | None, sentiment: int, times: int) -> Answered:
    return Answered(14, given, rating, sentiment, False, False, "cls", "v", times, 0.95 * times)


def test_figures_by_hand() -> None:
    found = figures_of(
        [
            *(answered(5, None, 0, 2), answered(4, 5, 0, 1), answered(4, 7, 1, 1)),
            *(answered(6, 6, 1, 1), answered(6, 7, 1, 1)),
            *(answered(7, 5, 0, 1), answered(7, 7, 2, 1), answered(10, 9, 2, 2)),
        ]
    )
    assert found.confusion == ((3, 1, 0), (0, 2, 0), (1, 0, 3))
    assert found.count == 10
    expected = {
        "accuracy": 0.8,
        "macro_f1": (2 * 3 / 8 + 2 * 2 / 5 + 2 * 3 / 7) / 3,
        "ece": 0.15,
        "rating_exact": 0.25,
        "rating_within_1": 0.75,
        "rating_mae": 1.125,
    }
    assert {name: found.figures[name] for name in expected} == pytest.approx(expected)


def test_figures_of_nothing_and_of_no_rating() -> None:
    assert figures_of([]) == AnswerFigures(0, ((0,) * 3,) * 3, {})
    unrated = figures_of([answered(5, None, 0, 2)])
    assert unrated.figures["accuracy"] == 1
    assert not [name for name in unrated.figures if name.startswith("rating")]
