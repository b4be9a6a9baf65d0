"""Where there is no champion yet the bot is there all the same: it trains, tells, and keeps all."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from telegram import Message

from bot.local.server import LocalServer
from bot.monitoring.startup import Startup
from bot.prediction.live_models import LiveModels
from bot.services.first_training import FirstTraining
from classifier.registry.registry import Registry
from db.engine import Sessions
from db.models import Update
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client, control, is_from_bot
from tests.bot.ports import free_port
from tests.bot.prediction.test_live_models import loads_numbered
from tests.bot.talking import ANYA, BORIS, EMILY, OTHER_REVIEW, REVIEW

pytestmark = pytest.mark.anyio

TRAINING = """
import json, os, shutil, signal, sys, time
from pathlib import Path
trained, *options = sys.argv[1:]
given = dict(zip(options[:4:2], options[1:4:2]))
models = Path(given["--models"])
signal.signal(signal.SIGTERM, lambda *_: (models / "ended").touch() or sys.exit(130))
with (models / "started").open("a") as starts:
    print(json.dumps([os.getpid(), options[4:], "TELEGRAM_TOKEN" in os.environ]), file=starts)
def tell(**told):
    print(json.dumps(told), flush=True)
tell(said="Reviews: invented")
tell(training="CLS pooling", epochs=6, epoch=1, share=0.1, seconds_left=240)
figures = {"train_loss": 0.5, "train_accuracy": 0.75, "validation_loss": 0.625}
tell(ended={"training": "CLS pooling", "epoch": 1, "validation_accuracy": 0.7, **figures})
while not (what := next((w for w in ("succeed", "fail") if (models / w).exists()), None)):
    time.sleep(0.01)
(models / what).unlink()
if what == "fail":
    sys.exit("Error: No <encoder>.")
shutil.copytree(trained, models, dirs_exist_ok=True)
"""
"""Stands in for `python -m classifier train`: trains nothing, and ends as a file tells it to."""


@pytest.fixture
def models(tmp_path: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, for which the stand-in trains."""
    command = (sys.executable, "-c", TRAINING, str(tiny_models))
    monkeypatch.setattr("bot.services.first_training.COMMAND", command)
    monkeypatch.setattr("bot.services.first_training._SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr("bot.handlers.first_training.SECONDS_BETWEEN_EDITS", 0.02)
    monkeypatch.setattr("bot.services.champion.SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr("bot.delivery.claiming.SECONDS_BETWEEN_LOOKS", 3600)  # it must be woken
    monkeypatch.setattr("bot.app.load_models", loads_numbered)
    monkeypatch.setenv("TELEGRAM_TOKEN", "123456:secret")
    (folder := tmp_path / "models").mkdir()
    return folder


def first_training(models: Path, say: Callable[[str], None] = lambda _: None) -> FirstTraining:
    return FirstTraining(models, 5, Startup(), say, audience={BORIS: None, EMILY: "en"})


def starts(models: Path) -> list[list[object]]:
    return [json.loads(line) for line in (models / "started").read_text().splitlines()]


def is_alive(pid: object) -> bool:
    try:
        os.kill(int(str(pid)), 0)
    except ProcessLookupError:
        return False
    return True


def texts(messages: list[Message]) -> list[str]:
    """What the bot says, with plain blanks."""
    return [str(m.text).replace("\u00a0", " ") for m in messages if is_from_bot(m)]


async def until_said(person: Person, *words: str) -> str:
    """The first text of the bot with all these words."""

    def fitting(messages: list[Message]) -> list[str]:
        return [text for text in texts(messages) if all(word in text for word in words)]

    return fitting(await person.wait_until(lambda messages: bool(fitting(messages))))[0]


async def until_held(read: Sessions, count: int) -> None:
    """Wait until so many updates wait for models."""
    waiting = select(func.count()).select_from(Update).where(Update.held_at.is_not(None))
    async with asyncio.timeout(60):
        while True:
            async with read() as session:
                if await session.scalar(waiting) == count:
                    return
            await asyncio.sleep(0.01)


async def until_answered(person: Person, count: int) -> list[Message]:
    """All messages, once there are so many answers."""
    return await person.wait_until(lambda messages: len(answers(messages)) == count)


def answers(messages: list[Message]) -> list[int]:
    """The ids of the messages that are answered, in the order of the answers."""
    found = [m.reply_to_message for m in messages if "Модели согласны" in str(m.text)]
    return [message.message_id for message in found if message is not None]


async def test_the_bot_is_there_while_it_trains_and_answers_then(
    models: Path, running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    said, port = list[str](), free_port()
    training = first_training(models, said.append)
    async with (
        running_bot(training, monitoring_port=port) as bot,
        chat_client(telegram.url) as http,
    ):
        assert bot.monitoring is not None
        bot.monitoring.startup = training.startup
        anya, boris, emily = (Person(http, one) for one in (ANYA, BORIS, EMILY))
        told = await until_said(boris, "CLS, эпоха 1: потери 0,50, точность 75 %")
        assert "это займёт около 5 минут" in told
        assert "Эпоха 1 из 6\n▰▱▱▱▱▱▱▱▱▱▱▱ 10 %\nОсталось минут: 4." in told
        assert "(on new reviews 0.62 and 70%)" in await until_said(emily, "CLS, epoch 1")
        assert (await bot.monitoring.health())["status"] == "training"

        first, second = [await anya.send(text) for text in (REVIEW, OTHER_REVIEW)]
        await emily.send(REVIEW)
        await until_said(emily, "The models are still being trained.")
        await anya.edit(first[0].message_id, REVIEW + " И музыка хороша.")
        assert "Маловато" in str((await anya.ask("Скучно")).text)
        assert "две модели" in str((await anya.ask("/start")).text)
        assert "Отзывов пока нет" in str((await anya.ask("/history")).text)
        assert "учатся в первый раз" in str((await boris.ask("/models")).text)
        assert "Переобучать пока нечего" in str((await boris.ask("/retrain")).text)
        assert sum("Модели ещё учатся" in text for text in texts(await anya.messages())) == 1
        await until_held(read, 4)  # the edit, too

        (models / "succeed").touch()
        await until_said(boris, "Модели готовы и отвечают")
        answered = await until_answered(anya, 3)
        edited, other = first[0].message_id, second[0].message_id
        assert answers(answered) == [edited, other, edited]  # in the order of what was sent
        await until_said(emily, "CLS", "The models agree")
        assert "CLS" in str((await anya.ask(REVIEW + " Смотреть ещё раз.")).text)
        assert (await bot.monitoring.health())["status"] == "ok"
    assert not any("точность" in text for text in texts(answered))  # she is no admin
    assert starts(models)[0][1:] == [["--resume", "--progress"], False]  # no secret for it
    assert said[0] == "Reviews: invented"
    assert said[-1].startswith("The models are trained")


async def test_who_deletes_the_progress_is_told_of_the_end(
    models: Path, running_bot: RunningBot, telegram: LocalServer
) -> None:
    gone = {"ok": False, "error_code": 400, "description": "Bad Request: message to edit not found"}
    async with running_bot(first_training(models)), chat_client(telegram.url) as http:
        boris = Person(http, BORIS)
        await until_said(boris, "CLS, эпоха 1")
        fault = {"status": 400, "body": json.dumps(gone), "seconds": 0.0}
        await control(http, odd={"method": "editMessageText", "next": 9, **fault})
        (models / "succeed").touch()
        await until_said(boris, "Модели готовы и отвечают")


@pytest.mark.slow
async def test_a_failed_training_is_told_and_tried_again(
    models: Path, running_bot: RunningBot, telegram: LocalServer
) -> None:
    said = list[str]()
    training = first_training(models, said.append)
    async with running_bot(training), chat_client(telegram.url) as http:
        boris = Person(http, BORIS)
        (models / "fail").touch()
        told = await until_said(boris, "Модели обучить не удалось")
        assert "exit status 1: Error: No <encoder>." in told
        assert "Следующая попытка через 1 минуту" in told
        assert said[-1] == (
            "The first training failed (exit status 1: Error: No <encoder>.)."
            " It is tried again in 1 min."
        )
        assert training.startup.problem == said[-1]
        assert str((await boris.ask("/retrain")).text) == "Пробую обучить их ещё раз."
        await until_said(boris, "они учатся")
        assert training.startup.trouble is None
        while len(starts(models)) < 2:
            await asyncio.sleep(0.01)
        os.kill(int(str(starts(models)[1][0])), signal.SIGKILL)
        await until_said(boris, "не удалось", "killed by signal 9")
        await boris.ask("/retrain")
        (models / "succeed").touch()
        await until_said(boris, "Модели готовы и отвечают")


@pytest.mark.slow
async def test_a_stop_ends_the_training_and_keeps_what_was_sent(
    models: Path, running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        async with running_bot(first_training(models)):
            await until_said(Person(http, BORIS), "CLS, эпоха 1")
            (sent,) = await anya.send(REVIEW)
            await until_said(anya, "Модели ещё учатся")
        assert (models / "ended").exists()
        assert not is_alive(starts(models)[0][0])
        async with running_bot(first_training(models)):
            await anya.send(OTHER_REVIEW)
            await until_held(read, 2)
            (models / "succeed").touch()
            answered = await until_answered(anya, 2)
        assert sum("Модели ещё учатся" in text for text in texts(answered)) == 1
        assert answers(answered)[0] == sent.message_id


async def test_of_two_processes_one_trains_and_the_other_waits(models: Path) -> None:
    said = list[str]()
    lives = [LiveModels(None, Registry(models), loads_numbered) for _ in range(2)]
    trainings = [first_training(models, said.append) for _ in lives]
    for training, live in zip(trainings, lives, strict=True):
        training.start(live)
    async with asyncio.timeout(60):
        while not any("waiting for it" in line for line in said):
            await asyncio.sleep(0.01)
        (models / "succeed").touch()
        while not all(live.ready.is_set() for live in lives):
            await asyncio.gather(*(live.follow() for live in lives))
        await asyncio.gather(*(training.account.over.wait() for training in trainings))
    assert len(starts(models)) == 1
    assert sorted(training.account.is_here for training in trainings) == [False, True]
    assert lives[0].version == lives[1].version != ""
