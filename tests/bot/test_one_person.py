"""One person does the worst that a client can, 20 times a second, and another gets answers in time.

Prints how long the other waited, what the first one got, and the memory that the bot took:
`pytest -s -m slow tests/bot/test_one_person.py`.
"""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from telegram import Message

from bot.local import people
from bot.local.server import LocalServer
from bot.texts import conversation
from bot.texts.locale import RUSSIAN
from db.engine import Sessions
from db.models import Feedback
from tests import tiny
from tests.bot.crowd import invite
from tests.bot.local_client import Person, chat_client
from tests.bot.processes import bot_process
from tests.bot.talking import GROUP, PHOTO, REVIEW, rating_data

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

A_SECOND = 20  # acts of the one person
SECONDS = 12.0  # of each kind
LONGEST = 2.0  # seconds that the other may wait, at the 95th percentile
MOST_MEMORY = 1.2e9  # bytes
MANY = 100_000  # reviews of whoever exports them
LONG_TEXT = (REVIEW + " ") * 300

Act = Callable[[int], Awaitable[object]]
Kind = Callable[[Person, LocalServer], Awaitable[Act]]


async def taps(person: Person, _: LocalServer) -> Act:
    answer = await person.ask(REVIEW)
    return lambda number: person.tap(answer.message_id, rating_data(answer, 7 + number % 2))


async def taps_on_many(person: Person, _: LocalServer) -> Act:
    answers = [await person.ask(f"{REVIEW} Вечер {number}.") for number in range(9)]

    async def act(number: int) -> None:
        answer = answers[number % len(answers)]
        await person.tap(answer.message_id, rating_data(answer, number % 11))

    return act


async def forged_taps(person: Person, _: LocalServer) -> Act:
    answer = await person.ask(REVIEW)
    wrong = ("forget:yes", "rate:1:5", "x" * 64, "errors:w:all:0", "forget:no")
    return lambda number: person.tap(answer.message_id, wrong[number % len(wrong)])


async def edits(person: Person, _: LocalServer) -> Act:
    (sent,) = await person.send(REVIEW)
    await person.answer_to(sent.message_id)
    return lambda number: person.edit(sent.message_id, f"{REVIEW} Правка {number}.")


async def exports(person: Person, _: LocalServer) -> Act:
    return lambda _: person.send("/export")


async def commands(person: Person, _: LocalServer) -> Act:
    names = ("start", "help", "history", "privacy", "forget", "nonsense")
    return lambda number: person.send(f"/{names[number % len(names)]}")


async def files(person: Person, _: LocalServer) -> Act:
    def act(number: int) -> Awaitable[object]:
        text = f"{number}. {LONG_TEXT}"[:20_000]
        return person.send_file("document", ("r.txt", text.encode(), "text/plain"))

    return act


async def captions(person: Person, _: LocalServer) -> Act:
    return lambda number: person.send_file("photo", PHOTO, f"{REVIEW} Кадр {number}.")


async def albums(person: Person, server: LocalServer) -> Act:
    async def act(number: int) -> None:
        photo = [{"file_id": "x", "file_unique_id": "x", "width": 1, "height": 1}]
        content: dict[str, Any] = {"photo": photo, "media_group_id": str(number // 10)}
        server.state.post(person.user, people.USERS[person.user], content, None)

    return act


async def long_texts(person: Person, _: LocalServer) -> Act:
    return lambda number: person.send(f"{number}. {LONG_TEXT}"[:4_090])


async def mentions(person: Person, _: LocalServer) -> Act:
    group = Person(person.http, person.user, GROUP)
    return lambda number: group.send(f"@kinorate_bot {REVIEW} Раз {number}.")


async def forget_and_back(person: Person, _: LocalServer) -> Act:
    question = await person.answer_to((await person.send(REVIEW))[0].message_id)

    async def act(number: int) -> None:
        if number % 4 == 0:
            await person.send("/forget")
        elif number % 4 == 1:
            await person.tap(question.message_id, "forget:yes")
        else:
            await person.send("/start" if number % 4 == 2 else f"{REVIEW} Снова {number}.")

    return act


async def everything(person: Person, server: LocalServer) -> Act:
    kinds = (taps, edits, exports, files, captions, albums, mentions, forget_and_back)
    acts = [await kind(person, server) for kind in kinds]
    random = Random(1)
    return lambda number: random.choice(acts)(number)


KINDS: dict[str, Kind] = {
    "taps": taps,
    "taps on many": taps_on_many,
    "forged taps": forged_taps,
    "edits": edits,
    "export of 100,000 reviews": exports,
    "commands": commands,
    "files of 20,000": files,
    "captions": captions,
    "albums": albums,
    "long texts": long_texts,
    "mentions": mentions,
    "forget and back": forget_and_back,
    "everything": everything,
}
FIRST, OTHER = 5_000, 6_000  # user ids, one for each kind


@pytest.fixture
async def server() -> AsyncIterator[LocalServer]:
    with pytest.MonkeyPatch.context() as patch:
        ids = [first + kind for first in (FIRST, OTHER) for kind in range(len(KINDS))]
        invite(patch, ids)
        patch.setitem(people.MEMBERS, GROUP, people.MEMBERS[GROUP] | frozenset(ids))
        server = LocalServer()
        await server.start()
        yield server
        await server.stop()


async def test_one_person_holds_nobody_up(
    server: LocalServer, tiny_models: Path, url: str, read: Sessions, tmp_path: Path
) -> None:
    write_many(
        Path(url.partition("///")[2]), FIRST + list(KINDS).index("export of 100,000 reviews")
    )
    settings = {
        "telegram_token": server.token,
        "bot_api_url": server.url,
        "database_url": url,
        "models": tiny_models,
    }
    waits: dict[str, list[float]] = {}
    acts_of: dict[str, int] = {}
    async with chat_client(server.url) as http, bot_process(tmp_path, **settings) as process:
        await Person(http, people.LOCAL_ADMIN_ID).ask("/help", patience=60)
        for place, (name, kind) in enumerate(KINDS.items()):
            person = Person(http, FIRST + place)
            flooding = asyncio.create_task(flood(person, kind, server))
            waits[name] = await reviews_of_the_other(http, OTHER + place, flooding)
            acts = acts_of[name] = await flooding
            got = got_by(await person.from_bot())
            print(
                f"{name}: {acts} acts; the other waited {p95(waits[name]):.2f} s at p95,"
                f" {max(waits[name]):.2f} s at most, of {len(waits[name])}; got {dict(got)};"
                f" {memory(process.pid) / 1e6:.0f} MB"
            )
            assert got["told"] <= 11  # as many as the limit on commands, and that sentence
            assert got.total() <= 60
        everyone = [wait for each in waits.values() for wait in each]
        print(f"all: {p95(everyone):.2f} s at p95, {max(everyone):.2f} s at most")
        await last_tap_is_stored(http, read, FIRST, 7 + (acts_of["taps"] - 1) % 2)
        sizes = await export_arrives(http)
        print(f"the export of {MANY} reviews came in {len(sizes)} parts: {sizes}")
        most = memory(process.pid)
        print(f"memory: {most / 1e6:.0f} MB at most")
        assert p95(everyone) < LONGEST
        assert most < MOST_MEMORY


async def flood(person: Person, kind: Kind, server: LocalServer) -> int:
    act = await kind(person, server)
    started = time.monotonic()
    for number in count():
        if time.monotonic() > started + SECONDS:
            return number
        await act(number)
        await asyncio.sleep(started + (number + 1) / A_SECOND - time.monotonic())
    raise AssertionError


async def reviews_of_the_other(
    http: httpx.AsyncClient, user: int, flooding: asyncio.Task[int]
) -> list[float]:
    """How long each took to be answered, in seconds."""
    other = Person(http, user)
    waits = []
    for row in tiny.make_rows(9, seed=user):  # below the limit of a minute
        started = time.monotonic()
        answer = await other.ask(str(row["content"]), patience=60)
        waits.append(time.monotonic() - started)
        assert answer.reply_markup is not None
        if flooding.done():
            break
        await asyncio.sleep(max(0.0, SECONDS / 9 - waits[-1]))
    return waits


def got_by(messages: list[Message]) -> Counter[str]:
    told = {
        RUSSIAN(conversation.TOO_MANY, messages=10),
        RUSSIAN(conversation.EXPORT_LATER, minutes=5),
    }
    return Counter(
        "file"
        if message.document
        else "told"
        if message.text in told
        else "answer"
        if message.reply_markup
        else "sentence"
        for message in messages
    )


async def last_tap_is_stored(
    http: httpx.AsyncClient, read: Sessions, user_id: int, tapped: int
) -> None:
    """Those above the limit wait for a minute; of each message the last one counts."""
    person = Person(http, user_id)
    async with asyncio.timeout(120):
        while f"Ваша оценка: {tapped}" not in ((await person.from_bot())[0].text or ""):
            await asyncio.sleep(0.5)
    async with read() as session:
        stored = await session.scalars(select(Feedback.rating).where(Feedback.user_id == user_id))
        assert list(stored) == [tapped]


async def export_arrives(http: httpx.AsyncClient) -> list[int]:
    """The sizes of its files, in bytes."""
    person = Person(http, FIRST + list(KINDS).index("export of 100,000 reviews"))

    def files(messages: list[Message]) -> list[Message]:
        return [message for message in messages if message.document]

    def all_there(messages: list[Message]) -> bool:
        return bool(found := files(messages)) and (
            f"{len(found)} из {len(found)}" in (found[-1].caption or "")
        )

    found = files(await person.wait_until(all_there, 300))
    return [message.document.file_size or 0 for message in found if message.document]


def write_many(database: Path, user_id: int) -> None:
    """Reviews of one user, each with its predictions, of letters that hardly compress."""
    now = "2026-03-01 00:00:00.000000"
    with sqlite3.connect(database) as connection:
        connection.execute(
            "INSERT INTO users (id, language, created_at, last_seen_at, is_active)"
            " VALUES (?, 'ru', ?, ?, 1)",
            (user_id, now, now),
        )
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {MANY})"
        connection.execute(
            f"{numbers} INSERT INTO reviews"
            " (user_id, chat_id, message_id, update_id, text, source, created_at)"
            " SELECT ?, ?, i, i, hex(randomblob(500)), 'private', ? FROM n",
            (user_id, user_id, now),
        )
        for pooling in ("cls", "mean"):
            connection.execute(
                "INSERT INTO predictions (review_id, pooling, model_version, sentiment,"
                " probability_bad, probability_neutral, probability_good, rating,"
                " rating_probabilities, rating_confidence, milliseconds, created_at)"
                " SELECT id, ?, 'old', 2, 0.1, 0.2, 0.7, 8,"
                " '[0,0,0,0,0,0,0,0.1,0.8,0.1,0]', 0.9, 1.5, ? FROM reviews",
                (pooling, now),
            )


def p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]


def memory(pid: int) -> int:
    """The most that a process has taken, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])
