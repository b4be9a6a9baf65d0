"""Retraining: begun, watched, cancelled, killed; what passes the gate answers, nothing else."""

import asyncio
import json
import os
import re
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.local.server import LocalServer
from bot.prediction.live_models import LiveModels, load_models
from bot.schedule import Schedule
from bot.services.admin_log import AdminLog
from bot.services.lock import FileLock
from bot.services.raters import StoodOut
from bot.services.retraining import REFUSED_KEPT, NotBegun, Retraining
from bot.services.retraining_turn import RetrainingTurn
from bot.services.training_process import Progress, TrainingProcess
from bot.services.versions import VersionService
from bot.texts import retraining
from bot.texts.locale import RUSSIAN
from classifier.registry.registry import Registry
from db import feedback, privacy, reviews, training_runs, users
from db.engine import Sessions
from db.feedback import Given
from db.models import AdminAction, Review, TrainingRun
from tests import tiny
from tests.bot.conftest import RunningBot
from tests.bot.live_reviews import private_review
from tests.bot.local_client import Person, chat_client
from tests.bot.prediction.test_live_models import Numbered, loads_numbered
from tests.bot.talking import BORIS, buttons_of

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
STAND_IN = Path(__file__).parents[1] / "stand_in_training.py"
NewRetraining = Callable[..., tuple[Retraining, LiveModels]]


def stand_in(registry: Registry, what: str) -> tuple[str, ...]:
    """The command whose challenger is the earlier version."""
    return sys.executable, str(STAND_IN), what, registry.versions()[0].name


@pytest.fixture
def new_retraining(registry: Registry, write: Sessions, read: Sessions) -> NewRetraining:
    """`new_retraining(what, fewest=3)`: and what predicts."""

    def make(what: str, fewest: int = 3) -> tuple[Retraining, LiveModels]:
        def clock() -> datetime:
            return NOW

        champion = registry.get("champion").name
        live = LiveModels(Numbered(champion), registry, loads_numbered)
        versions = VersionService(live, AdminLog(write, clock), read)
        training = TrainingProcess(registry.root, stand_in(registry, what))
        turn = RetrainingTurn(FileLock(registry.root / ".retraining.lock"), read)
        return Retraining(training, versions, write, read, clock, turn, fewest), live

    return make


async def store(session: AsyncSession, user_id: int, update_id: int, text: str) -> Review:
    """A review in the user's private chat."""
    review = private_review(update_id, user_id, text, NOW)
    await reviews.add(session, review)
    return review


async def rate(write: Sessions, count: int, user_id: int = 1, held_out: bool = False) -> None:
    """So many new reviews of a user, rated."""
    async with write.begin() as session:
        await users.seen(session, user_id, "ru", NOW)
        for number in range(count):
            update_id = 1000 * user_id + 100 * held_out + number
            text = f"Отзыв {update_id}, и он длинный."
            review = await store(session, user_id, update_id, text)
            await feedback.rate(
                session, Given(review.id, user_id, 7, asked=number == 0, held_out=held_out), NOW
            )


async def runs(read: Sessions) -> list[TrainingRun]:
    async with read() as session:
        return list(await session.scalars(select(TrainingRun).order_by(TrainingRun.id)))


async def child_is_gone(registry: Registry) -> None:
    """Wait until the whole group of processes is dead."""
    pid = int((registry.root / "child").read_text())
    async with asyncio.timeout(60):
        while _lives(pid):
            await asyncio.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


async def hanging(registry: Registry) -> None:
    async with asyncio.timeout(60):
        while not (registry.root / "child").exists():
            await asyncio.sleep(0.01)


async def test_an_accepted_challenger_answers(
    new_retraining: NewRetraining, registry: Registry, write: Sessions, read: Sessions
) -> None:
    await rate(write, 3)
    await rate(write, 1, user_id=2)
    await rate(write, 1, user_id=2, held_out=True)
    async with write.begin() as session:
        await privacy.erase(session, 1, NOW)
    await rate(write, 4, user_id=3)
    retraining, live = new_retraining("accept")
    run_id = await retraining.begin("schedule")
    await retraining.wait()
    challenger = registry.versions()[0].name
    (run,) = await runs(read)
    assert (run.id, run.trigger, run.status, run.version) == (
        run_id,
        "schedule",
        "promoted",
        challenger,
    )
    assert run.figures is not None
    assert run.figures["checks"][0]["value"] == -0.01
    assert live.version == registry.get("champion").name == challenger
    # What it was trained on: nobody's who is erased, and nothing that is held out.
    lines = (registry.root / "seen.jsonl").read_text("utf-8").splitlines()
    seen = [json.loads(line) for line in lines]
    assert {int(row["content"].split()[1].rstrip(",")) // 1000 for row in seen} == {2, 3}
    assert [row["weight"] for row in seen] == [1.0, 1.0, 1.0, 2.0, 2.0]
    assert not (registry.root / ".retraining").exists(), "no review stays in a file"
    # Everything known has been learnt from.
    assert await retraining.begin("admin") is NotBegun.SKIPPED


async def test_a_refused_challenger_does_not(
    new_retraining: NewRetraining, registry: Registry, write: Sessions, read: Sessions
) -> None:
    await rate(write, 3)
    retraining, live = new_retraining("refuse")
    champion = live.version
    await retraining.begin("schedule")
    await retraining.wait()
    (run,) = await runs(read)
    assert (run.status, run.version) == ("refused", registry.versions()[0].name)
    assert live.version == registry.get("champion").name == champion


async def test_nothing_is_trained_where_the_models_are_read_only(
    new_retraining: NewRetraining,
    registry: Registry,
    write: Sessions,
    read: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await rate(write, 3)
    retraining, _ = new_retraining("accept")
    before = sorted(registry.root.iterdir())
    monkeypatch.setattr("os.access", lambda *_, **__: False)  # root may write everywhere else
    await retraining.recover()
    assert await retraining.begin("admin") is NotBegun.READ_ONLY
    assert await runs(read) == []
    assert sorted(registry.root.iterdir()) == before
    said = {record.getMessage() for record in caplog.records if record.levelname == "WARNING"}
    assert said == {"nothing is retrained here: the folder of the models is read-only"}


async def test_a_training_that_fails_says_why(
    new_retraining: NewRetraining, write: Sessions, read: Sessions
) -> None:
    await rate(write, 3)
    retraining, _ = new_retraining("fail")
    await retraining.begin("admin")
    await retraining.wait()
    (run,) = await runs(read)
    assert (run.status, run.reason) == ("failed", "exit status 1: Error: there is no champion")


async def test_too_little_feedback_is_a_stored_reason(
    new_retraining: NewRetraining, write: Sessions, read: Sessions
) -> None:
    await rate(write, 2)
    await rate(write, 5, user_id=2, held_out=True)
    retraining, _ = new_retraining("accept")
    assert await retraining.begin("schedule") is NotBegun.SKIPPED
    (run,) = await runs(read)
    assert (run.status, run.reason) == ("skipped", "2 new ratings, 3 needed")
    assert isinstance(await retraining.begin("admin"), int), "an admin may do it with fewer"
    await retraining.wait()


async def test_cancelled_midway_nothing_is_left(
    new_retraining: NewRetraining, registry: Registry, write: Sessions, read: Sessions
) -> None:
    await rate(write, 3)
    retraining, live = new_retraining("hang")
    champion = live.version
    run_id = await retraining.begin("admin")
    assert isinstance(run_id, int)
    await hanging(registry)
    assert (registry.root / ".retraining").exists()
    # Not even now is a text in a file that /forget would have to find.
    (registry.root / "seen.jsonl").unlink()  # the stand-in's own
    found = [file.read_bytes() for file in registry.root.rglob("*") if file.is_file()]
    assert not any("и он длинный".encode() in content for content in found)
    other, _ = new_retraining("accept")
    assert await other.begin("schedule") is NotBegun.BUSY, "one at a time"
    await other.recover()  # a bot that starts meanwhile leaves it alone
    assert (await runs(read))[0].status == "running"
    assert not await retraining.cancel(run_id + 1)
    assert await retraining.cancel(run_id)
    await child_is_gone(registry)
    (run,) = await runs(read)
    assert run.status == "cancelled"
    assert not (registry.root / ".retraining").exists()
    assert live.version == champion
    assert not await retraining.cancel(run_id), "it is over"


@pytest.mark.parametrize("moment", ["at once", "later"])
async def test_a_stop_interrupts(
    moment: str,
    new_retraining: NewRetraining,
    registry: Registry,
    write: Sessions,
    read: Sessions,
) -> None:
    await rate(write, 3)
    retraining, _ = new_retraining("hang")
    await retraining.begin("schedule")
    if moment == "later":
        await hanging(registry)
    await retraining.stop()
    (run,) = await runs(read)
    assert (run.status, run.reason) == ("interrupted", "the bot was stopped")
    assert not (registry.root / ".retraining").exists()


async def test_a_killed_bots_run_is_marked_at_the_next_start(
    new_retraining: NewRetraining, registry: Registry, write: Sessions, read: Sessions
) -> None:
    async with write.begin() as session:
        session.add(
            TrainingRun(
                trigger="schedule",
                status="running",
                started_at=NOW - timedelta(days=1),
                finished_at=None,
                version=None,
                figures=None,
                reason=None,
            )
        )
    (registry.root / ".retraining").mkdir()
    (registry.root / ".retraining" / "feedback.jsonl").write_text("{}")
    (registry.root / ".staging-0123abcd").mkdir()  # killed while it published
    retraining, _ = new_retraining("accept")
    await retraining.recover()
    (run,) = await runs(read)
    assert (run.status, run.reason) == ("interrupted", "the bot was killed meanwhile")
    assert not (registry.root / ".retraining").exists()
    assert not list(registry.root.glob(".staging-*"))


@pytest.mark.parametrize("who", ["itself", "another bot"])
async def test_a_start_that_clears_up_is_no_retraining(
    who: str,
    new_retraining: NewRetraining,
    write: Sessions,
    read: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with write.begin() as session:
        await training_runs.start(session, "schedule", NOW)
    await rate(write, 3)
    retraining, _ = new_retraining("refuse")
    starting = retraining if who == "itself" else new_retraining("refuse")[0]
    clearing, cleared = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def clear(_: TrainingProcess) -> None:
        loop.call_soon_threadsafe(clearing.set)
        assert cleared.wait(20)

    monkeypatch.setattr(TrainingProcess, "clear_all", clear)
    recovery = asyncio.create_task(starting.recover())
    await clearing.wait()
    loop.call_later(0.2, cleared.set)
    monkeypatch.undo()
    assert isinstance(await retraining.begin("admin"), int)
    await recovery
    await retraining.wait()
    assert [run.status for run in await runs(read)] == ["interrupted", "refused"]


class SlowToTell:
    """The admins are told by and by; `ended` says that the first one has been."""

    def __init__(self) -> None:
        self.ended_first, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def progressed(self, run_id: int, progress: Progress) -> None:
        pass

    async def ended(self, run: TrainingRun, stood_out: list[StoodOut]) -> None:
        self.ended_first.set()
        await self.may_go_on.wait()


async def test_who_was_told_of_the_end_may_begin_the_next(
    new_retraining: NewRetraining, write: Sessions, read: Sessions
) -> None:
    await rate(write, 3)
    retraining, _ = new_retraining("fail")
    retraining.watcher = watcher = SlowToTell()
    await retraining.begin("admin")
    await watcher.ended_first.wait()
    asyncio.get_running_loop().call_later(0.2, watcher.may_go_on.set)
    assert isinstance(await retraining.begin("admin"), int)
    await retraining.wait()
    assert [run.status for run in await runs(read)] == ["failed", "failed"]


async def test_of_two_at_once_one_begins(new_retraining: NewRetraining, write: Sessions) -> None:
    await rate(write, 3)
    retraining, _ = new_retraining("hang")
    begun = await asyncio.gather(retraining.begin("admin"), retraining.begin("admin"))
    assert isinstance(begun[0], int)
    assert begun[1] is NotBegun.BUSY
    await retraining.stop()


async def test_none_begins_once_the_bot_stops(
    new_retraining: NewRetraining, write: Sessions, read: Sessions
) -> None:
    await rate(write, 3)
    retraining, _ = new_retraining("hang")
    beginning = asyncio.create_task(retraining.begin("admin"))
    await asyncio.sleep(0)  # it has begun to begin
    await retraining.stop()
    assert isinstance(await beginning, int)
    assert await retraining.begin("admin") is NotBegun.BUSY
    assert [run.status for run in await runs(read)] == ["interrupted"]


async def test_of_refused_versions_the_newest_stay(
    tiny_encoder: Path, new_retraining: NewRetraining, registry: Registry, write: Sessions
) -> None:
    for seed in range(2, 3 + REFUSED_KEPT + 1):
        tiny.publish_untrained(registry.root, tiny_encoder, seed)
    names = [version.name for version in registry.versions()]
    (registry.root / "champion").write_text(f"{names[1]}\n{names[2]}\n")
    async with write.begin() as session:
        for name in names[2:]:  # the oldest of these was promoted by hand, then rolled back
            refused: dict[str, Any] = {
                "status": "refused",
                "reason": "worse",
                "version": name,
                "figures": None,
            }
            run = TrainingRun(trigger="schedule", started_at=NOW, finished_at=NOW, **refused)
            session.add(run)
    retraining, _ = new_retraining("accept")
    await retraining.recover()
    left = [version.name for version in registry.versions()]
    assert left == [*names[:3], *names[-REFUSED_KEPT:]]
    assert len(left) == len(names) - 1


async def test_what_came_due_while_the_bot_was_down(
    new_retraining: NewRetraining, write: Sessions, read: Sessions
) -> None:
    await rate(write, 3)
    retraining, _ = new_retraining("refuse")
    schedule = Schedule(ZoneInfo("UTC"))
    await retraining.catch_up(schedule, "0 4 * * *")
    assert not await runs(read), "nothing was due before the first run"
    async with write.begin() as session:
        session.add(
            TrainingRun(
                trigger="schedule",
                status="skipped",
                started_at=NOW - timedelta(days=1),
                finished_at=NOW - timedelta(days=1),
                version=None,
                figures=None,
                reason="too few",
            )
        )
    await retraining.catch_up(schedule, "0 4 * * 2")  # a Tuesday, and this is a Monday
    assert len(await runs(read)) == 1
    await retraining.catch_up(schedule, "0 4 * * *")
    await retraining.wait()
    assert [run.status for run in await runs(read)] == ["skipped", "refused"]


async def test_the_watcher_hears_of_it_and_may_fail(
    new_retraining: NewRetraining, write: Sessions, read: Sessions
) -> None:
    heard: list[Progress | str] = []

    class Watching:
        async def progressed(self, run_id: int, progress: Progress) -> None:
            heard.append(progress)
            raise OSError("no network")

        async def ended(self, run: TrainingRun, stood_out: list[StoodOut]) -> None:
            heard.append(run.status)

    await rate(write, 3)
    retraining, _ = new_retraining("refuse")
    retraining.watcher = Watching()
    await retraining.begin("admin")
    await retraining.wait()
    assert heard == [Progress(1, 3, 0.25, 90), "refused"]


async def test_it_runs_at_low_priority_and_its_threads_wait_without_spinning(
    new_retraining: NewRetraining, registry: Registry, write: Sessions
) -> None:
    await rate(write, 3)
    retraining, _ = new_retraining("hang")
    await retraining.begin("admin")
    await hanging(registry)
    pid = int((registry.root / "child").read_text())
    assert os.getpriority(os.PRIO_PROCESS, pid) == 19
    session = Path(f"/proc/{pid}/autogroup")
    if session.exists():  # Linux shares the cores among sessions before it looks at priorities
        assert session.read_text().endswith("nice 19\n")
    assert b"OMP_WAIT_POLICY=PASSIVE" in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    await retraining.stop()


@pytest.fixture
def trains(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`trains(what)`: the stand-in trains for the bots built from now on."""

    monkeypatch.setattr(
        "bot.services.training_process.NICENESS", 0
    )  # a busy machine starves the rest

    def set_up(what: str) -> None:
        training = partial(TrainingProcess, command=stand_in(registry, what))
        monkeypatch.setattr("bot.services.services.TrainingProcess", training)

    return set_up


async def test_retrain_in_the_chat(
    trains: Callable[[str], None],
    registry: Registry,
    telegram: LocalServer,
    running_bot: RunningBot,
    write: Sessions,
    read: Sessions,
) -> None:
    trains("hang")
    pair = Numbered(registry.get("champion").name)
    async with running_bot(pair, models=registry.root), chat_client(telegram.url) as http:
        boris = Person(http, BORIS)
        assert (await boris.ask("/retrain")).text == retraining.SKIPPED.ru
        await rate(write, 3)
        begun = await boris.ask("/retrain")
        going = await boris.edited(begun.message_id, begun)
        assert going.text == "Переобучаю: эпоха 1 из 3\n▰▰▰▱▱▱▱▱▱▱▱▱ 25 %\nОсталось минут: 2."
        await hanging(registry)
        assert (await boris.ask("/retrain")).text == retraining.BUSY.ru
        (((_, data),),) = buttons_of(going)
        await boris.tap(begun.message_id, data)
        await boris.wait_until(
            lambda all_: retraining.ENDINGS["cancelled"].ru in [each.text for each in all_]
        )
        toast = await boris.tap_and_wait(begun.message_id, data)
        assert toast == retraining.TOAST_NOT_RUNNING.ru
    async with read() as session:
        actions = list(await session.scalars(select(AdminAction).order_by(AdminAction.id)))
    assert [(one.admin_id, one.action) for one in actions] == [
        (BORIS, "retrain"),
        (BORIS, "cancel"),
    ]


async def test_the_admins_are_told_the_decision(
    trains: Callable[[str], None],
    registry: Registry,
    telegram: LocalServer,
    running_bot: RunningBot,
    write: Sessions,
) -> None:
    trains("refuse")
    await rate(write, 3)
    pair = Numbered(registry.get("champion").name)
    async with running_bot(pair, models=registry.root), chat_client(telegram.url) as http:
        boris = Person(http, BORIS)
        begun = await boris.ask("/retrain")
        told = await boris.answer_to(begun.message_id, patience=60)
        text = told.text or told.caption
    assert text == (
        f"⛔ Переобучение: новая версия {registry.versions()[0].name} не принята, отвечает"
        " прежняя.\n\nОтложенных отзывов: 20, оценённых пользователями: 5 (людей: 2)."
        " По оценкам не сравниваю: нужно 30 от 10 человек.\n\n"
        "✗ CLS: macro F1, нижняя граница разницы −0,010 (не ниже −0,050)"
    )


@pytest.mark.slow
async def test_a_real_training_from_feedback_to_the_next_answer(
    tmp_path: Path,
    telegram: LocalServer,
    running_bot: RunningBot,
    write: Sessions,
    read: Sessions,
    real_training: None,
) -> None:
    tiny.write_encoder(tmp_path / "encoder")
    champion = tiny.publish_mistaken(tmp_path, tiny.make_rows(400), epochs=3)
    registry = Registry(tmp_path / "models")
    rows = tiny.make_rows(500, seed=7, rated=1)
    await rate_rows(write, rows)
    written = asyncio.create_task(
        files_with([row["content"] for row in rows], registry.root, tmp_path / "cache")
    )
    pair = load_models(champion.path)
    async with running_bot(pair, models=registry.root), chat_client(telegram.url) as http:
        boris = Person(http, BORIS)
        begun = await boris.ask("/retrain")
        told = await boris.answer_to(begun.message_id, patience=180)
        assert str(told.text or told.caption).startswith("✅"), told.text
        messages = await boris.wait_until(lambda all_: bool(all_[-1].photo))
        assert messages[-1].caption == RUSSIAN(
            retraining.CHART_CAPTION,
            champion=champion.name,
            challenger=registry.get("champion").name,
        )
        answered = await boris.ask("Гениальный фильм, великолепный сюжет и потрясающий финал.")
        assert "Хорошо" in str(answered.text)
    written.cancel()
    with pytest.raises(asyncio.CancelledError):  # it would end with the first file that it finds
        await written
    (run,) = await runs(read)
    assert (run.status, run.version) == ("promoted", registry.get("champion").name)
    assert run.version != champion.name
    async with read() as session:
        review = await session.scalar(select(Review).order_by(Review.id.desc()).limit(1))
        assert review is not None
        stored = await reviews.find(session, id=review.id)
    assert stored is not None
    assert {each.model_version for each in stored.predictions} == {run.version}


async def files_with(texts: list[str], *folders: Path) -> list[Path]:
    """Those that hold one of the texts, looked at again and again until there are any."""
    forms = [
        json.dumps(text, ensure_ascii=ascii)[1:-1] for text in texts for ascii in (False, True)
    ]
    any_text = re.compile("|".join(map(re.escape, forms)).encode())
    looked_at: dict[Path, float] = {}
    while True:
        found = []
        for file in [path for folder in folders for path in folder.rglob("*")]:
            with suppress(OSError):  # it is gone already
                changed = file.stat().st_mtime
                if file.is_file() and looked_at.get(file) != changed:
                    looked_at[file] = changed
                    found += [file] * bool(any_text.search(file.read_bytes()))
        if found:
            return found
        await asyncio.sleep(0.1)


async def rate_rows(write: Sessions, rows: list[tiny.Row]) -> None:
    """Each row a review by one of ten users, who rates it; a fifth is held out."""
    async with write.begin() as session:
        for number, row in enumerate(rows):
            user_id = 1 + number % 10
            await users.seen(session, user_id, "ru", NOW)
            review = await store(session, user_id, number, row["content"])
            await feedback.rate(
                session,
                Given(
                    review.id,
                    user_id,
                    int(row["grade10"]),
                    asked=False,
                    held_out=number // 10 % 5 == 0,
                ),
                NOW,
            )
