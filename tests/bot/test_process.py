"""`python -m bot` as a process: killed at random moments, stopped, started wrongly."""

import asyncio
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.local.people import USERS
from bot.local.server import LOCAL_TOKEN, LocalServer
from db import updates
from db.engine import Sessions, create_engine, reading
from db.models import Prediction, Review, Update
from tests import tiny
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.ports import free_port
from tests.bot.processes import PATIENCE, bot_process, environment, failure
from tests.bot.talking import all_done

pytestmark = pytest.mark.anyio

KILLS = 5
REVIEWS = 200
SECONDS_TO_STOP = 12.0


class Crowd:
    """The people of the local chat, writing reviews."""

    def __init__(self, people: list[Person], read: Sessions) -> None:
        self.people = people
        self._read = read
        self.sent: dict[tuple[int, int], str] = {}  # by chat and message
        self._texts = iter([row["content"] for row in tiny.make_rows(2 * REVIEWS)])

    async def write(self, count: int) -> None:
        for number in range(count):
            person, text = self.people[number % len(self.people)], next(self._texts)
            (message,) = await person.send(text)
            self.sent[message.chat_id, message.message_id] = text

    async def answers(self) -> Counter[tuple[int, int]]:
        """How often each review was answered."""
        found: Counter[tuple[int, int]] = Counter()
        for person in self.people:
            for message in await person.from_bot():
                assert message.reply_to_message is not None
                found[message.chat_id, message.reply_to_message.message_id] += 1
        return found

    async def noted(self) -> int:
        """How many reviews the bot noted as answered: cheaper to ask than the chat."""
        async with self._read() as session:
            answered = select(func.count()).where(Review.reply_message_id.is_not(None))
            return await session.scalar(answered) or 0

    async def wait_until_noted(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.noted() < count:
                await asyncio.sleep(0.02)


@pytest.mark.slow
async def test_five_kills_lose_nothing_and_double_nothing(
    telegram: LocalServer,
    running_bot: RunningBot,
    tiny_models: Path,
    url: str,
    read: Sessions,
    tmp_path: Path,
) -> None:
    settings = {
        "telegram_token": LOCAL_TOKEN,
        "bot_api_url": telegram.url,
        "database_url": url,
        "models": tiny_models,
        "reviews_per_minute": 10_000,
    }
    chance = random.Random()
    async with chat_client(telegram.url) as http:
        crowd = Crowd([Person(http, user) for user in USERS], read)
        for _ in range(KILLS):
            async with bot_process(tmp_path, **settings) as process:
                noted = await crowd.noted()
                await crowd.write(REVIEWS // KILLS)
                await crowd.wait_until_noted(noted + 1)
                await asyncio.sleep(chance.uniform(0, 1.2))
                process.kill()
                await process.wait()
        answered_before = await crowd.noted()
        async with bot_process(tmp_path, **settings) as process:
            await crowd.wait_until_noted(REVIEWS)
            answers = await crowd.answers()
            repeated = sum(answers.values()) - REVIEWS
            print(
                f"{KILLS} kills, {answered_before} of {REVIEWS} answered before the last start, "
                f"{len(answers)} at the end, {repeated} answers repeated"
            )
            assert set(answers) == set(crowd.sent)
            assert repeated <= KILLS
            await _stop_in_the_middle(process, crowd)
        left = await _pending(read)
        async with running_bot():
            await crowd.wait_until_noted(len(crowd.sent))
        answers = await crowd.answers()
        print(f"SIGTERM left {left} updates to the next start")
        assert sum(answers.values()) == len(crowd.sent) + repeated
        assert await _pending(read) == 0
        await _check_the_books(read, crowd)


async def _stop_in_the_middle(process: asyncio.subprocess.Process, crowd: Crowd) -> None:
    answered = len(crowd.sent)
    await crowd.write(60)
    await crowd.wait_until_noted(answered + 5)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(SECONDS_TO_STOP):
        assert await process.wait() == 0
    print(
        f"SIGTERM: stopped in {time.monotonic() - started:.1f} s,"
        f" {await crowd.noted() - answered} of 60 answered"
    )


async def _pending(read: Sessions) -> int:
    async with read() as session:
        return len(await updates.pending(session))


async def _check_the_books(read: Sessions, crowd: Crowd) -> None:
    """Every review is stored once, with two predictions, and noted as answered."""
    async with read() as session:
        stored = list(await session.scalars(select(Review)))
        predicted = await session.execute(
            select(Prediction.review_id, func.count()).group_by(Prediction.review_id)
        )
        inbox = await session.scalar(select(func.count()).select_from(Update))
    assert {(row.chat_id, row.message_id): row.text for row in stored} == crowd.sent
    assert len(stored) == len(crowd.sent) == inbox
    assert {row[0]: row[1] for row in predicted} == {row.id: 2 for row in stored}
    assert all(row.reply_message_id for row in stored)
    print(f"{len(stored)} reviews stored, {2 * len(stored)} predictions, {inbox} updates done")


@pytest.mark.slow
async def test_without_a_token_it_serves_the_local_chat(tiny_models: Path, tmp_path: Path) -> None:
    async with bot_process(tmp_path, models=tiny_models, local_port=0) as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
        url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        async with chat_client(url) as http:
            page = await http.get("/")
            async with chat_client(url.partition("/?")[0]) as stranger:
                refused = await stranger.get("/")
            answer = await Person(http, 1001).ask(tiny.make_rows(1)[0]["content"], PATIENCE)
            admin = await Person(http, 1002).commands()
        process.terminate()
        async with asyncio.timeout(SECONDS_TO_STOP):
            assert await process.wait() == 0
        assert await process.stdout.read() == b""
    assert page.is_success
    assert refused.status_code == 403
    assert answer.reply_markup is not None
    assert "start" in admin
    engine = create_engine(f"sqlite+aiosqlite:///{tmp_path}/data/kinorate.db")
    assert await _count_reviews(engine) == 1
    assert url.partition("key=")[2] not in (tmp_path / "bot.log").read_text("utf-8")
    for file in (tmp_path / "data", *(tmp_path / "data").iterdir()):
        assert file.stat().st_mode & 0o077 == 0, file


async def _count_reviews(engine: AsyncEngine) -> int:
    try:
        async with reading(engine)() as session:
            return await session.scalar(select(func.count()).select_from(Review)) or 0
    finally:
        await engine.dispose()


@pytest.mark.slow
async def test_it_stops_in_ten_seconds_while_the_database_is_locked(
    telegram: LocalServer, tiny_models: Path, url: str, read: Sessions, tmp_path: Path
) -> None:
    settings = {"telegram_token": LOCAL_TOKEN, "bot_api_url": telegram.url, "database_url": url}
    text = tiny.make_rows(1)[0]["content"]
    async with (
        chat_client(telegram.url) as http,
        bot_process(tmp_path, models=tiny_models, **settings) as process,
    ):
        anya = Person(http, 1001)
        await anya.ask(text, PATIENCE)
        await all_done(read)
        with closing(sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"))) as other:
            other.execute("BEGIN EXCLUSIVE")
            (late,) = await anya.send(text + " Больше не пойду.")
            await asyncio.sleep(0.3)
            started = time.monotonic()
            process.terminate()
            assert await process.wait() == 0
            seconds = time.monotonic() - started
        print(f"SIGTERM while SQLite is locked: {seconds:.1f} s")
        assert seconds < 10
        async with bot_process(tmp_path, models=tiny_models, **settings):
            await anya.answer_to(late.message_id, PATIENCE)
            await all_done(read)


CLOSED = {
    "closed": "exec >&-",
    "full": "exec >/dev/full",
    "nobody reads": "exec > >(exec true); sleep 0.2",
    "all closed": "exec <&- >&- 2>&-",
    "logs full": "exec >/dev/full 2>&1",
}


@pytest.mark.slow
@pytest.mark.parametrize("redirection", CLOSED.values(), ids=CLOSED.keys())
async def test_it_serves_whatever_becomes_of_its_output(
    redirection: str, tiny_models: Path, tmp_path: Path
) -> None:
    port = free_port()
    # The address of the chat, with its key, is what the bot can't tell here: known to the test.
    start = "import secrets, runpy; secrets.token_urlsafe = lambda *_: 'key'; " + (
        "runpy.run_module('bot', run_name='__main__', alter_sys=True)"
    )
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", f'{redirection}; exec "$0" -c "$1"', sys.executable, start),
        cwd=tmp_path,
        env=environment(models=tiny_models, local_port=port),
    )
    try:
        async with chat_client(f"http://127.0.0.1:{port}") as http:
            await _until_it_listens(http, "/?key=key")
            await Person(http, 1001).ask(tiny.make_rows(1)[0]["content"], PATIENCE)
        process.terminate()
        async with asyncio.timeout(SECONDS_TO_STOP):
            assert await process.wait() == 0
    finally:
        with suppress(ProcessLookupError):
            process.kill()


async def _until_it_listens(http: httpx.AsyncClient, page: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(httpx.TransportError):
                if (await http.get(page, follow_redirects=True)).is_success:
                    return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"telegram_token": "hidden"}, "TELEGRAM_TOKEN must be "),
        ({}, "There are no trained models in models: `make run` "),
    ],
)
async def test_a_wrong_start_ends_with_a_sentence(
    settings: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    status, said = await failure(tmp_path, **settings)
    assert status == 1
    assert said.startswith(sentence)
    assert said.count("\n") == 1
    assert "hidden" not in said
