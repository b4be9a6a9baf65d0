"""A crowd talks with the bot for a week, in which its models learn from it and change hands.

Time is injected, everything else is real: the local server, the bot on its database, the trainings
of tiny models and what the gate decides about them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from telegram import Message

from bot.app import Kinorate, build_application
from bot.local.html import parse
from bot.local.server import LOCAL_TOKEN, LocalServer
from bot.prediction.live_models import load_models
from bot.services.periods import SPANS
from bot.services.statistics import StatisticsService
from bot.serving import serve
from bot.texts import doubts, reasons
from bot.texts.locale import RUSSIAN
from bot.views.stats import stats_message
from classifier.registry.registry import Registry
from db.engine import Sessions
from tests import tiny
from tests.bot import raw_rows
from tests.bot.conftest import NewSettings
from tests.bot.crowd import Time, Viewer, invite, rate_long_ago
from tests.bot.jobs import run_soon
from tests.bot.local_client import Person, chat_client
from tests.bot.raw_rows import Rows, details
from tests.bot.talking import BORIS, all_done, buttons_of
from tests.bot.training_process import PATIENCE, SpawnedTraining

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

VIEWERS = range(2001, 2013)
LIAR = 2666
REGULARS = range(3001, 3011)
RING = range(4001, 4013)
"""More liars: each keeps to the cap, so that the gate alone can stop them."""

CAP = 50
NEVER = "0 4 29 2 *"  # the schedule goes by the real time: the test says when it comes due


@pytest.fixture
def models(tmp_path: Path) -> Path:
    tiny.write_encoder(tmp_path / "encoder")
    tiny.publish_mistaken(tmp_path, tiny.make_rows(400), epochs=3)
    return tmp_path / "models"


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
    time: Time,
    telegram: LocalServer,
    models: Path,
    new_settings: NewSettings,
    real_training: None,
) -> AsyncIterator[Kinorate]:
    """The bot with real models, served."""
    settings = new_settings(models=models, retrain_cron=NEVER)
    pair = load_models(Registry(models).get("champion").path)
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

    async def told(self, mark: str) -> None:
        """Wait until the admin is told of a retraining's end, with this mark."""

        def ended(messages: list[Message]) -> bool:
            return any((each.text or "").startswith(mark) for each in messages)

        await self.admin.wait_until(ended, PATIENCE)

    async def kill_midway(self) -> None:
        """The admin has a retraining begun, which is killed when it has got somewhere."""
        begun = await self.admin.ask("/retrain")
        going = await self.admin.edited(begun.message_id, begun, PATIENCE)
        assert "эпоха" in str(going.text)
        (await SpawnedTraining.begun(self.registry.root)).kill()
        await self.told("⚠️")

    async def roll_back(self) -> None:
        """The admin goes back to the champion before this one."""
        sent = (await self.admin.send("/models"))[-1].message_id

        def lists(
            messages: list[Message],
        ) -> list[Message]:  # the last decision's chart may come yet
            return [each for each in messages if each.message_id > sent and each.reply_markup]

        found = await self.admin.wait_until(lambda messages: bool(lists(messages)), PATIENCE)
        listed = lists(found)[0]
        back = next(data for _, data in _buttons(listed) if data.startswith("m:r:"))
        await self.admin.tap(listed.message_id, back)
        asked = await self.admin.edited(listed.message_id, listed)
        await self.admin.tap(asked.message_id, back.replace("m:r:", "m:r!:"))
        done = await self.admin.edited(asked.message_id, asked)
        assert (done.text or "").startswith("Готово")

    async def ask_why(self) -> None:
        """A viewer asks for the reasons of an answer."""
        viewer = self.viewers[0]
        answer = await viewer.review(rate=False)
        await viewer.tap(answer.message_id, dict(_buttons(answer))[reasons.BUTTON.ru])
        told = await viewer.answer_to(answer.message_id)
        assert (told.text or "").startswith("Почему так?")

    async def judge(self) -> None:
        """The admin calls the most doubtful rating wrong, takes that back, and decides anew."""
        listed = await self.admin.ask("/errors 7d")
        await self.admin.tap(listed.message_id, "j:l:s:7d:1")
        first = await self.admin.edited(listed.message_id, listed)
        await self._press(first, doubts.BUTTON_WRONG.ru)
        assert [row["rating"] for row in self.standing()] == [None]
        judged = await self.admin.edited(first.message_id, first)
        await self._press(judged, doubts.BUTTON_TAKE_BACK_LAST.ru)
        assert self.standing() == []
        again = await self.admin.edited(judged.message_id, judged)
        assert again.text == first.text
        await self._press(again, doubts.BUTTON_WRONG.ru)

    async def _press(self, message: Message, label: str) -> None:
        assert await self.admin.tap_and_wait(message.message_id, dict(_buttons(message))[label])

    def standing(self) -> list[raw_rows.Row]:
        """The admins' words that stand."""
        return [row for row in self.rows().judgements if row["stands"]]

    async def answered_by(self) -> str:
        """The version that answers the next review; both models are of it."""
        await self.viewers[0].review(rate=False)
        last = self.rows().predictions[-2:]
        assert {row["pooling"] for row in last} == {"cls", "mean"}
        (version,) = {row["model_version"] for row in last}
        return str(version)

    def check_given(self, training: SpawnedTraining) -> None:
        """It got the ratings that are stored, of each user the latest, up to the cap.

        But for the liar's, who may stand out and be left out (tests/bot/test_poisoning.py).
        """
        stored = self.rows()
        lies = {f"feedback-{row['review_id']}" for row in stored.feedback if row["user_id"] == LIAR}
        for option, is_held_out in (("--extra", 0), ("--holdout", 1)):
            of_user: dict[int, list[raw_rows.Row]] = {}
            for row in stored.feedback:
                if row["held_out"] == is_held_out and row["user_id"] != LIAR:
                    of_user.setdefault(row["user_id"], []).append(row)
            newest_first = (
                sorted(rows, key=lambda row: (row["updated_at"], row["id"]), reverse=True)
                for rows in of_user.values()
            )
            expected = {
                f"feedback-{row['review_id']}": row["rating"]
                for rows in newest_first
                for row in rows[:CAP]
            }
            given = {row["review_id"]: row["grade10"] for row in training.given(option)}
            assert {key: given[key] for key in given.keys() - lies} == expected


async def test_a_week(
    http: httpx.AsyncClient,
    bot: Kinorate,
    time: Time,
    models: Path,
    write: Sessions,
    read: Sessions,
    rows: Callable[[], Rows],
) -> None:
    week = Week(http, time, models, rows)
    first = week.registry.get("champion").name
    await rate_long_ago(write, time(), REGULARS, each=CAP)
    await rate_long_ago(write, time(), [LIAR], each=CAP * 3 // 2, lies=True)
    await week.day(reviews=2)
    await week.erase(2)
    await week.day(reviews=1)
    assert await week.answered_by() == first

    run_soon(bot.parts.schedule, "retraining")
    week.check_given(await SpawnedTraining.begun(models))
    await week.told("✅")
    second = week.registry.get("champion").name
    assert await week.answered_by() == second != first
    time.pass_by(hours=1)  # what was rated before is no news any more
    await week.day(reviews=1)

    before = {path.name for path in models.glob(".*")} - {".retraining"}
    await week.kill_midway()
    assert [version.name for version in week.registry.versions()] == [first, second]
    assert {path.name for path in models.glob(".*")} == before, "nothing is left half done"

    await rate_long_ago(write, time(), RING, each=CAP, lies=True)
    run_soon(bot.parts.schedule, "retraining")
    await week.told("⛔")
    assert await week.answered_by() == second
    await week.erase(1)
    await week.roll_back()
    assert await week.answered_by() == first
    await week.day(reviews=1)
    await week.ask_why()
    time.pass_by(hours=1)
    await week.judge()

    stats = await week.admin.ask("/stats 7d")
    await all_done(read)
    stored = rows()
    assert {row["user_id"] for row in stored.reviews} == {*VIEWERS[3:], LIAR, *REGULARS, *RING}
    _check_records(stored, first, second)
    overview = await StatisticsService(read, time).overview(SPANS["7d"])
    assert stats.text == parse(stats_message(overview, RUSSIAN))[0]
    raw_rows.agree(overview, stored.since(time.now - timedelta(days=7)))

    (word,) = week.standing()
    (judged,) = (row for row in stored.feedback if row["id"] == word["feedback_id"])
    await Viewer(http, judged["user_id"]).forget()
    after = rows()
    assert after.judgements == []
    assert judged["user_id"] not in {row["user_id"] for row in (*after.reviews, *after.feedback)}
    assert str(judged["user_id"]) not in str(after.admin_actions)


def _check_records(stored: Rows, first: str, second: str) -> None:
    """What is kept of the versions' changes, and of who made them."""
    accepted, killed, refused = stored.training_runs
    assert (accepted["trigger"], accepted["status"]) == ("schedule", "promoted")
    assert accepted["version"] == second
    assert (killed["trigger"], killed["status"]) == ("admin", "failed")
    assert "killed by signal 9" in killed["reason"]
    assert (refused["trigger"], refused["status"]) == ("schedule", "refused")
    actions = [(row["admin_id"], row["action"], details(row)) for row in stored.admin_actions]
    assert actions == [
        (BORIS, "retrain", {"run": killed["id"]}),
        (BORIS, "rollback", {"version": first}),
        (BORIS, "judge", {"word": "wrong", "ratings": 1}),
        (BORIS, "take back judgement", {"action": 3, "ratings": 1}),
        (BORIS, "judge", {"word": "wrong", "ratings": 1}),
    ]
    assert {row["model_version"] for row in stored.predictions} == {first, second}


def _buttons(message: Message) -> list[tuple[str, str]]:
    return [button for row in buttons_of(message) for button in row]
