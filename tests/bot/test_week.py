"""A crowd talks with the bot for a week, in which its models change hands.

Time is injected, everything else is real: the local server, the bot on its database, tiny models.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from rich.console import Console
from telegram import Message

from bot.app import Kinorate, build_application
from bot.champion import load_pair
from bot.local.html import parse
from bot.local.server import LOCAL_TOKEN, LocalServer
from bot.services.periods import SPANS
from bot.services.statistics import Overview, StatisticsService
from bot.serving import serve
from bot.stats_message import stats_message
from bot.texts import RUSSIAN
from bot.texts.statistics import RUSSIAN_STATISTICS
from classifier.distributed import Group
from classifier.experiment import Settings as Experiment
from classifier.experiment import Surroundings, run_experiment
from classifier.narrator import Narrator
from classifier.registry import Registry
from db.engine import Sessions
from tests import tiny
from tests.bot import raw_rows
from tests.bot.conftest import NewSettings
from tests.bot.crowd import Time, Viewer, invite
from tests.bot.local_client import Person, chat_client
from tests.bot.raw_rows import Rows, details
from tests.bot.talking import BORIS, all_done, buttons_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

VIEWERS = range(2001, 2013)
LIAR = 2666


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions; the champion, the earlier one, has seen few reviews, and those not often."""
    folder = tmp_path_factory.mktemp("week")
    tiny.write_encoder(folder / "encoder")
    reviews = folder / "reviews.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) for row in tiny.make_rows(200)]
    reviews.write_text("\n".join(lines), encoding="utf-8")
    around = Surroundings(
        folder / "models",
        folder / "cache",
        Group(0, 1, torch.device("cpu")),
        Narrator(Console(quiet=True)),
    )
    for epochs in (2, 4):
        recipe = replace(tiny.RECIPE, epochs=epochs, least_steps=0)
        experiment = Experiment(str(reviews), str(folder / "encoder"), recipe)
        with torch.random.fork_rng([]):
            assert run_experiment(experiment, around, resume=False) is not None
    registry = Registry(around.models)
    registry.promote(registry.versions()[0].name)
    return around.models


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def telegram(time: Time, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalServer]:
    """The local server, with more people than usual and the week's time."""
    invite(monkeypatch, [*VIEWERS, LIAR])
    server = LocalServer(clock=time)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def bot(
    time: Time, telegram: LocalServer, models: Path, new_settings: NewSettings
) -> AsyncIterator[Kinorate]:
    """The bot with real models, served."""
    settings = new_settings(models=models)
    pair = load_pair(Registry(models).get("champion").path)
    application = build_application(
        settings, pair, token=LOCAL_TOKEN, base_url=telegram.url, clock=time
    )
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(application, settings, stop))
    yield application
    stop.set()
    await serving


@pytest.fixture
async def http(bot: Kinorate, telegram: LocalServer) -> AsyncIterator[httpx.AsyncClient]:
    async with chat_client(telegram.url) as client:
        yield client


@pytest.fixture
def rows(url: str) -> Callable[[], Rows]:
    """What the database holds at the moment."""
    return lambda: Rows.read(Path(url.removeprefix("sqlite+aiosqlite:///")))


class Week:
    """Its days, one after the other."""

    def __init__(
        self, http: httpx.AsyncClient, time: Time, models: Path, rows: Callable[[], Rows]
    ) -> None:
        self.time = time
        self.registry = Registry(models)
        self.rows = rows
        self.viewers = [Viewer(http, user_id) for user_id in VIEWERS]
        self.liar = Viewer(http, LIAR, lies=True)
        self.admin = Person(http, BORIS)

    async def day(self, reviews: int) -> None:
        """Each viewer writes so many reviews, and rates two in three; the liar three times that."""
        for number in range(reviews):
            await asyncio.gather(
                *(viewer.review(rate=(viewer.user + number) % 3 > 0) for viewer in self.viewers),
                self._lie(3),
            )
            self.time.pass_by(hours=1)
        self.time.now = (self.time.now + timedelta(days=1)).replace(hour=9)

    async def _lie(self, reviews: int) -> None:
        for _ in range(reviews):
            await self.liar.review()

    async def erase(self, number: int) -> None:
        """So many viewers have everything erased, and leave."""
        leaving, self.viewers = self.viewers[:number], self.viewers[number:]
        for viewer in leaving:
            await viewer.forget()

    async def roll_back(self) -> None:
        """The admin goes back to the champion before this one."""
        listed = await self.admin.ask("/models")
        back = next(data for _, data in _buttons(listed) if data.startswith("m:r:"))
        await self.admin.tap(listed.message_id, back)
        asked = await self.admin.edited(listed.message_id, listed)
        await self.admin.tap(asked.message_id, back.replace("m:r:", "m:r!:"))
        done = await self.admin.edited(asked.message_id, asked)
        assert (done.text or "").startswith("Готово")

    async def answered_by(self) -> str:
        """The version that answers the next review; both models are of it."""
        await self.viewers[0].review(rate=False)
        last = self.rows().predictions[-2:]
        assert {row["pooling"] for row in last} == {"cls", "mean"}
        (version,) = {row["model_version"] for row in last}
        return str(version)


async def test_a_week(
    http: httpx.AsyncClient, time: Time, models: Path, read: Sessions, rows: Callable[[], Rows]
) -> None:
    week = Week(http, time, models, rows)
    first, second = (version.name for version in week.registry.versions())
    await week.day(reviews=3)
    await week.erase(2)
    await week.day(reviews=2)
    assert await week.answered_by() == first

    week.registry.promote(second)  # as from the command line
    async with asyncio.timeout(30):
        while await week.answered_by() != second:
            await asyncio.sleep(1)
    await week.day(reviews=2)
    await week.erase(1)
    await week.roll_back()
    assert await week.answered_by() == first
    await week.day(reviews=1)

    stats = await week.admin.ask("/stats 7d")
    await all_done(read)
    stored = rows()
    here = {row["user_id"] for row in stored.reviews}
    assert here == {*VIEWERS[3:], LIAR}
    actions = [(row["admin_id"], row["action"], details(row)) for row in stored.admin_actions]
    assert actions == [(BORIS, "rollback", {"version": first})]
    assert {row["model_version"] for row in stored.predictions} == {first, second}
    overview = await StatisticsService(read, time).overview(SPANS["7d"])
    assert stats.text == parse(stats_message(overview, RUSSIAN, RUSSIAN_STATISTICS))[0]
    _agree(overview, raw_rows.figures(stored.since(time.now - timedelta(days=7))))


def _buttons(message: Message) -> list[tuple[str, str]]:
    return [button for row in buttons_of(message) for button in row]


def _agree(overview: Overview, computed: dict[str, Any]) -> None:
    """What /stats says is what the rows say."""
    found = overview.statistics
    for name in ("reviews", "users", "reviews_with_feedback"):
        assert getattr(found, name) == computed[name]
    for pooling, statistics in found.poolings.items():
        for name, expected in computed[pooling].items():
            value = getattr(statistics, name)
            if name == "versions":
                assert list(value) == list(expected)
                for version, answers in expected.items():
                    _same(value[version], answers)
            elif isinstance(expected, dict):
                _same(value, expected)
            else:
                assert value == pytest.approx(expected, abs=1e-9), f"{name} of {pooling}"
    pair = dict(computed["pair"])
    assert overview.comparison.accuracy is not None
    assert overview.comparison.accuracy.p == pytest.approx(pair.pop("mcnemar_p"))
    _same(found.pair, pair)


def _same(found: object, expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        same = value if isinstance(value, tuple) else pytest.approx(value)
        assert getattr(found, name) == same, name
