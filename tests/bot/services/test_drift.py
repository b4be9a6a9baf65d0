"""The admins are told once when the reviews are no longer like those trained on."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from telegram import Bot

from bot.handlers.admin_notices import watch_drift
from bot.local.html import parse
from bot.local.server import LOCAL_TOKEN, LocalServer
from bot.prediction.live_models import LiveModels
from bot.services import drift as service
from bot.services.drift import Drift, DriftWatch
from bot.services.personal import Personal
from bot.services.wiping import Wiping
from bot.storage.temporary import Temporary
from bot.texts.drift import END
from bot.texts.locale import RUSSIAN
from bot.views.drift import notice
from classifier.evaluation import drift
from classifier.evaluation.drift import Shift
from classifier.files import write_json
from classifier.registry.registry import Registry
from db import users
from db.engine import Sessions
from db.models import Prediction, Review
from tests import tiny
from tests.bot.conftest import RunningBot
from tests.bot.jobs import run_soon
from tests.bot.local_client import Person, chat_client
from tests.bot.predictors import InventedPredictor
from tests.bot.talking import ANYA, BORIS, EMILY

pytestmark = pytest.mark.anyio

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
USUAL = (0.1, 0.1, 0.8)
_update_ids = count(1)


class Champion(InventedPredictor):
    """Stands for the pair of a version on disk."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.version = version


@pytest.fixture
def registry(tiny_models: Path, tmp_path: Path) -> Registry:
    """Its champion has learnt from long reviews, of which four in five are good."""
    registry = Registry(Path(shutil.copytree(tiny_models, tmp_path / "models")))
    champion = registry.get("champion")
    texts = [str(row["content"]) for row in tiny.make_rows(400, seed=1)]
    probabilities = np.array([USUAL] * 320 + [USUAL[::-1]] * 80)
    values = drift.of_reviews(champion.path, texts, {"cls": probabilities, "mean": probabilities})
    write_json(champion.path / "reference.json", drift.reference(values))
    return registry


class Week:
    """Time, and the reviews that come with it."""

    def __init__(self, write: Sessions, read: Sessions, registry: Registry) -> None:
        self.now = MONDAY
        self.write = write
        self.live = LiveModels(
            Champion(registry.get("champion").name), registry, lambda folder: Champion(folder.name)
        )
        self.read = read

    def watch(self) -> DriftWatch:
        """As after a restart: nothing is remembered but what the database holds."""
        return DriftWatch(self.write, self.read, self.live, lambda: self.now)

    async def tell(self, bot: Bot, *admin_ids: int) -> None:
        personal = Personal(self.write, self.read, lambda: self.now, Wiping(""), Temporary(Path()))
        await watch_drift(bot, admin_ids, self.watch(), personal)

    async def receive(self, number: int, good: float = 0.8, letters: int | None = None) -> None:
        """So many reviews, that much of them good, cut to so many letters."""
        async with self.write.begin() as session:
            for user_id, language in ((ANYA, "ru"), (BORIS, "ru"), (EMILY, "en")):
                await users.seen(session, user_id, language, self.now)
            rows = tiny.make_rows(number, seed=next(_update_ids))
            for index, row in enumerate(rows):
                shares = USUAL if index < good * number else USUAL[::-1]
                session.add(self._review(str(row["content"])[:letters], shares))

    def _review(self, text: str, shares: tuple[float, ...]) -> Review:
        update_id = next(_update_ids)
        bad, neutral, good = shares
        return Review(
            user_id=ANYA,
            chat_id=ANYA,
            message_id=update_id,
            update_id=update_id,
            text=text,
            source="private",
            reply_message_id=update_id + 1,
            created_at=self.now,
            predictions=[
                Prediction(
                    pooling=pooling,
                    model_version=self.live.version,
                    sentiment=2 if good > bad else 0,
                    probability_bad=bad,
                    probability_neutral=neutral,
                    probability_good=good,
                    rating=None,
                    rating_probabilities=None,
                    rating_confidence=None,
                    milliseconds=1.0,
                    created_at=self.now,
                )
                for pooling in ("cls", "mean")
            ],
        )


@pytest.fixture
def week(write: Sessions, read: Sessions, registry: Registry) -> Week:
    return Week(write, read, registry)


async def test_reviews_like_those_trained_on_are_no_news(week: Week) -> None:
    await week.receive(300)
    assert await week.watch().check() is None


async def test_what_has_shifted_is_named_and_nothing_else(week: Week) -> None:
    await week.receive(300, good=0.3)
    found = await week.watch().check()
    assert found is not None
    assert (found.model, found.reviews) == (week.live.version, 300)
    assert {shift.name for shift in found.shifts} == {"cls_sentiment", "mean_sentiment"}
    assert found.shifts[0].shares_now == pytest.approx((0.7, 0.0, 0.3))


async def test_few_reviews_tell_nothing(week: Week) -> None:
    await week.receive(service.FEWEST - 1, good=0.0, letters=40)
    assert await week.watch().check() is None


async def test_an_older_week_and_a_version_without_a_reference_tell_nothing(
    week: Week, registry: Registry
) -> None:
    await week.receive(200, good=0.0)
    week.now += timedelta(days=8)
    assert await week.watch().check() is None
    week.now -= timedelta(days=8)
    (registry.get("champion").path / "reference.json").unlink()
    assert await week.watch().check() is None


@pytest.fixture
async def http(telegram: LocalServer) -> AsyncIterator[httpx.AsyncClient]:
    async with chat_client(telegram.url) as client:
        yield client


@pytest.fixture
async def bot(telegram: LocalServer) -> AsyncIterator[Bot]:
    async with Bot(LOCAL_TOKEN, base_url=f"{telegram.url}/bot") as bot:
        yield bot


async def test_an_episode_is_told_once_whatever_the_days_and_restarts(
    week: Week, bot: Bot, http: httpx.AsyncClient
) -> None:
    boris = Person(http, BORIS)

    async def told() -> int:
        await week.tell(bot, BORIS)
        return len(await boris.from_bot())

    await week.receive(300)
    assert await told() == 0
    week.now += timedelta(days=7, hours=1)
    await week.receive(300, letters=60)
    assert await told() == 1
    for _ in range(3):
        week.now += timedelta(days=1)
        await week.receive(50, letters=60)
        assert await told() == 1
    week.now += timedelta(days=8)
    await week.receive(300)
    assert await told() == 1  # all is as before: the episode is over
    week.now += timedelta(days=8)
    await week.receive(300, letters=60)
    assert await told() == 2


async def test_each_admin_is_told_in_their_language_and_a_stranger_stops_nobody(
    week: Week, bot: Bot, http: httpx.AsyncClient
) -> None:
    await week.receive(300, letters=60)
    await week.tell(bot, 404, BORIS, EMILY)
    (russian,) = await Person(http, BORIS).from_bot()
    (english,) = await Person(http, EMILY).from_bot()
    assert (russian.text or "").startswith("Отзывы изменились\nЧто за неделю присылали (300 отз")
    assert "• длина: в среднем" in (russian.text or "")
    assert "→ 60 знаков (PSI " in (russian.text or "")
    assert (english.text or "").startswith("The reviews have changed\nWhat came this week (300 re")


async def test_what_nobody_was_told_is_told_the_next_time(
    week: Week, bot: Bot, http: httpx.AsyncClient
) -> None:
    await week.receive(300, letters=60)
    boris = Person(http, BORIS)
    await boris.block()
    await week.tell(bot, BORIS)
    await boris.block(blocked=False)
    await week.tell(bot, BORIS)
    assert len(await boris.from_bot()) == 1


def test_a_notice_has_a_line_for_each_shift() -> None:
    shares = ((0.13, 0.12, 0.75), (0.4, 0.2, 0.4))
    shifts = [
        Shift("length", 1.234, 0.1, 1801.4, 352.6, (), ()),
        Shift("unknown", 0.31, 0.1, 0.001, 0.0234, (), ()),
        Shift("cls_sentiment", 0.4, 0.1, 1.6, 1.0, *shares),
        Shift("mean_confidence", 0.3, 0.1, 0.914, 0.716, (), ()),
    ]
    text, _ = parse(notice(Drift("v1", 121, shifts), RUSSIAN))
    assert text.splitlines()[1:6] == [
        "Что за неделю присылали (121 отзыв), не похоже на то, на чём модели учились:",
        "• длина: в среднем 1\u00a0801 → 353 знака (PSI 1,23)",
        "• незнакомые слова и знаки: 0,1 → 2,3 % (PSI 0,31)",
        "• ответы CLS: 😞 13 → 40 %, 😐 12 → 20 %, 😊 75 → 40 % (PSI 0,40)",
        "• уверенность Mean: в среднем 91 → 72 % (PSI 0,30)",
    ]
    assert text.endswith(END.ru)


async def test_the_bot_looks_every_day(
    week: Week, registry: Registry, telegram: LocalServer, running_bot: RunningBot
) -> None:
    week.now = datetime.now(UTC)
    await week.receive(300, letters=60)
    pair = Champion(week.live.version)
    zone = ZoneInfo("Asia/Vladivostok")
    async with (
        running_bot(pair, models=registry.root, time_zone=zone) as bot,
        chat_client(telegram.url) as http,
    ):
        boris = Person(http, BORIS)
        await boris.ask("/start")
        moment = bot.parts.schedule.next_times("drift")[0]
        assert (moment.hour, moment.tzinfo) == (10, zone)
        run_soon(bot.parts.schedule, "drift")
        said = await boris.wait_until(lambda all_: len(all_) == 3)
    assert (said[-1].text or "").startswith("Отзывы изменились")
