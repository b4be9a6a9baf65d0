"""From the start to the stop; trouble with Telegram is waited out, or told in a sentence."""

import asyncio
import sqlite3

import pytest
from sqlalchemy import func, select

from bot.app import OF_ONE_PERSON
from bot.errors import BotError
from bot.local.server import LocalServer
from bot.serving import serve
from db.engine import Sessions
from db.models import Update
from tests.bot.conftest import NewBot, RunningBot
from tests.bot.local_client import Person, chat_client, control
from tests.bot.predictors import InventedPredictor
from tests.bot.talking import ANYA, REVIEW, reviews

pytestmark = pytest.mark.anyio

PATIENCE = 60.0  # seconds


async def test_a_second_poller_stops_with_a_sentence_and_the_first_goes_on(
    telegram: LocalServer,
    running_bot: RunningBot,
    new_bot: NewBot,
    read: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.delivery.retries.CONFLICTS", 2)  # the pauses grow after each
    async with running_bot(), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        await anya.ask(REVIEW)
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(BotError, match="Another program fetches this bot's updates: stop"):
                await serve(*new_bot(), asyncio.Event())
        await anya.ask(REVIEW + " И музыка хороша.")
    assert len(await reviews(read)) == 2


async def test_a_refused_token_is_told_in_a_sentence(
    new_bot: NewBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.retries.PAUSE_OF_TOKEN", 0.0)
    with pytest.raises(BotError, match="Telegram refused TELEGRAM_TOKEN"):
        await serve(*new_bot(token="2:revoked"), asyncio.Event())


async def test_the_start_waits_until_telegram_can_be_reached(
    telegram: LocalServer, new_bot: NewBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.serving.pause_before", lambda retry: 0.05)
    await telegram.stop()
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(*new_bot(), stop))
    await asyncio.sleep(0.2)
    await telegram.start()
    async with chat_client(telegram.url) as http:
        await Person(http, ANYA).ask(REVIEW)
    stop.set()
    await serving


async def test_a_start_that_waits_can_be_stopped(
    telegram: LocalServer, new_bot: NewBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.serving.pause_before", lambda retry: 600.0)
    await telegram.stop()
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(*new_bot(), stop))
    await asyncio.sleep(0.1)
    stop.set()
    async with asyncio.timeout(PATIENCE):
        await serving


async def test_it_can_be_stopped_while_it_catches_up(new_bot: NewBot) -> None:
    before = asyncio.all_tasks()
    for moment in range(30):  # it looks into the database in the first milliseconds
        application, _ = new_bot()
        await application.initialize()
        await application.start()
        await asyncio.sleep(moment * 0.0006)
        await application.stop()
        await application.shutdown()
        left = asyncio.all_tasks() - before
        for task in left:
            task.cancel()
        if left:
            _, hanging = await asyncio.wait(left, timeout=2)
            assert not hanging, moment


async def test_it_works_without_its_menu(telegram: LocalServer, running_bot: RunningBot) -> None:
    async with chat_client(telegram.url) as http:
        await control(http, fail={"method": "setMyCommands", "next": 100, "status": 500})
        async with running_bot():
            await Person(http, ANYA).ask(REVIEW)
            assert await Person(http, ANYA).commands() == {}


async def test_a_stop_finishes_what_is_in_hand(
    telegram: LocalServer, new_bot: NewBot, read: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.app.SECONDS_TO_FINISH", PATIENCE)  # a busy machine may need more
    predictor = InventedPredictor()
    predictor.gate.clear()
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(*new_bot(predictor), stop))
    async with chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        sent = [(await anya.send(f"{REVIEW} Часть {number}.")) for number in range(OF_ONE_PERSON)]
        while await _begun(read) < len(sent):
            await asyncio.sleep(0.01)
        stop.set()
        await asyncio.sleep(0.1)
        predictor.gate.set()
        await serving
        answers = await anya.from_bot()
    assert len(answers) == len(sent)
    assert all(review.reply_message_id for review in await reviews(read))


async def _begun(read: Sessions) -> int:
    async with read() as session:
        begun = select(func.count()).select_from(Update).where(Update.attempts > 0)
        return await session.scalar(begun) or 0


@pytest.mark.parametrize("name", ["fetching updates", "claiming", "renewing the lease"])
async def test_a_task_that_ends_ends_the_bot_with_a_sentence(
    telegram: LocalServer, new_bot: NewBot, name: str
) -> None:
    serving = asyncio.create_task(serve(*new_bot(), asyncio.Event()))
    async with chat_client(telegram.url) as http:
        await Person(http, ANYA).ask(REVIEW)
    (ended,) = [task for task in asyncio.all_tasks() if task.get_name() == name]
    ended.cancel()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(BotError, match=f"{name} has ended"):
            await serving


async def test_a_stop_ends_in_time_while_another_process_has_locked_the_database(
    telegram: LocalServer,
    new_bot: NewBot,
    url: str,
    read: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.serving.SECONDS_TO_STOP", 0.5)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(*new_bot(), stop))
    async with chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        await anya.ask(REVIEW)
        file = url.removeprefix("sqlite+aiosqlite:///")
        with sqlite3.connect(file, check_same_thread=False) as other:
            # The bot, which ends a transaction of its own now, runs in this thread.
            await asyncio.to_thread(other.execute, "BEGIN EXCLUSIVE")
            await anya.send(REVIEW + " И музыка хороша.")
            await asyncio.sleep(0.2)
            stop.set()
            async with asyncio.timeout(5):
                await serving
            other.rollback()
        closing = [each for each in asyncio.all_tasks() if "_close" in repr(each.get_coro())]
        assert closing
        await asyncio.wait(closing, timeout=PATIENCE)


async def test_a_failed_poll_is_waited_out(telegram: LocalServer, running_bot: RunningBot) -> None:
    async with chat_client(telegram.url) as http:
        await control(http, fail={"method": "getUpdates", "next": 1, "status": 502})
        async with running_bot():
            await Person(http, ANYA).ask(REVIEW)


async def test_flood_limits_are_waited_out(
    telegram: LocalServer, running_bot: RunningBot, read: Sessions
) -> None:
    async with running_bot(), chat_client(telegram.url) as http:
        await control(http, rate_limit={"next": 2, "retry_after": 1})
        await Person(http, ANYA).ask(REVIEW)
    (review,) = await reviews(read)
    assert review.reply_message_id
