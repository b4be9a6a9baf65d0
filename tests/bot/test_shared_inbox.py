"""Two bots share an inbox on PostgreSQL: what comes to either is right, whoever answers it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime
from itertools import count
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Kinorate
from bot.local.people import USERS
from bot.local.server import LocalServer
from bot.texts import conversation
from bot.texts.locale import RUSSIAN
from db import processes
from db.engine import Sessions
from db.models import Process, Update
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.predictors import InventedPredictor
from tests.bot.talking import ANYA, BORIS, REVIEW, all_done, message, rating_data, reviews

pytestmark = pytest.mark.anyio

_update_ids = count(1)


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def predictors() -> list[InventedPredictor]:
    return [InventedPredictor(), InventedPredictor()]


@pytest.fixture
async def bots(
    running_bot: RunningBot, predictors: list[InventedPredictor], read: Sessions
) -> AsyncIterator[list[Kinorate]]:
    async with running_bot(predictors[0]) as one, running_bot(predictors[1]) as other:
        async with asyncio.timeout(60):
            while len(await living(read)) < 2:
                await asyncio.sleep(0.02)
        yield [one, other]


@pytest.fixture
async def chat(telegram: LocalServer, bots: list[Kinorate]) -> AsyncIterator[httpx.AsyncClient]:
    async with chat_client(telegram.url) as client:
        yield client


async def living(read: Sessions) -> list[str]:
    async with read() as session:
        return list(await session.scalars(select(Process.name)))


async def receive(bot: Kinorate, **content: Any) -> int:
    """Let this one of the bots receive an update; its id."""
    update_id = next(_update_ids)
    await bot.parts.inbox.receive([{"update_id": update_id, **content}])
    return update_id


def tap(user_id: int, on: int, data: str) -> dict[str, Any]:
    keyboard = {"inline_keyboard": [[{"text": "…", "callback_data": data}]]}
    from_bot = {**message(user_id, reply_markup=keyboard), "message_id": on}
    return {
        "id": str(next(_update_ids)),
        "from": USERS[user_id],
        "chat_instance": "1",
        "message": from_bot,
        "data": data,
    }


async def held_by(read: Sessions, user_id: int) -> set[str | None]:
    async with read() as session:
        theirs = select(Update.claimed_by).where(Update.user_id == user_id)
        return set(await session.scalars(theirs))


async def test_parts_that_come_to_both_are_one_review(
    bots: list[Kinorate], chat: httpx.AsyncClient, read: Sessions
) -> None:
    parts = ["Фильм тянется. " * 270, "Но финал спасает. " * 220, "И всё же смотреть стоит."]
    for number, text in enumerate(parts):
        await receive(bots[number % 2], message=message(ANYA, text=text[:4096].rstrip()))
    await all_done(read)
    (review,) = await reviews(read)
    assert review.text.startswith("Фильм тянется.")
    assert review.text.endswith("И всё же смотреть стоит.")
    assert len(await Person(chat, ANYA).from_bot()) == 1


async def test_what_one_person_sends_is_with_one_of_them_and_an_edit_waits_for_its_message(
    bots: list[Kinorate],
    predictors: list[InventedPredictor],
    chat: httpx.AsyncClient,
    read: Sessions,
) -> None:
    for predictor in predictors:
        predictor.gate.clear()
    written = message(ANYA, text=REVIEW)
    await receive(bots[0], message=written)
    edit = {**written, "text": f"{REVIEW} И музыка.", "edit_date": 1_800_000_001}
    await receive(bots[1], edited_message=edit)
    await receive(bots[1], message=message(ANYA, text=f"{REVIEW} Второй раз."))
    async with asyncio.timeout(30):
        while None in (held := await held_by(read, ANYA)):
            await asyncio.sleep(0.02)
    assert len(held) == 1
    for predictor in predictors:
        predictor.gate.set()
    await all_done(read)
    stored = {review.text: review for review in await reviews(read)}
    assert set(stored) == {REVIEW, f"{REVIEW} И музыка.", f"{REVIEW} Второй раз."}
    assert stored[f"{REVIEW} И музыка."].replaces_review_id == stored[REVIEW].id


async def test_of_taps_that_come_to_both_the_last_counts(
    bots: list[Kinorate], chat: httpx.AsyncClient, read: Sessions
) -> None:
    anya = Person(chat, ANYA)
    answer = await anya.ask(REVIEW)
    for rating in (1, 9, 2, 8, 3, 7):
        data = rating_data(answer, rating)
        await receive(bots[rating > 5], callback_query=tap(ANYA, answer.message_id, data))
    await all_done(read)
    (review,) = await reviews(read)
    assert [given.rating for given in review.feedback] == [7]
    await anya.wait_until(lambda messages: "оценка: 7" in (messages[-1].text or ""))


async def test_an_erasure_reaches_what_the_other_has_in_its_hands(
    bots: list[Kinorate],
    predictors: list[InventedPredictor],
    chat: httpx.AsyncClient,
    read: Sessions,
) -> None:
    anya = Person(chat, ANYA)
    await anya.ask(REVIEW)
    question = await anya.ask("/forget")
    for predictor in predictors:
        predictor.gate.clear()
    for number in range(3):
        await receive(bots[number % 2], message=message(ANYA, text=f"{REVIEW} Раз {number}."))
    await receive(bots[1], callback_query=tap(ANYA, question.message_id, "forget:yes"))
    await anya.edited(question.message_id, question)
    for predictor in predictors:
        predictor.gate.set()
    await all_done(read)
    assert await reviews(read) == []
    assert await held_by(read, ANYA) == set()


@pytest.mark.slow
async def test_a_burst_is_left_to_those_who_have_room(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    stuck = InventedPredictor()
    stuck.gate.clear()
    async with running_bot(stuck) as one:
        async with asyncio.timeout(60):
            while not one.parts.pulse.fetching:
                await asyncio.sleep(0.02)
        for number in range(60):
            user = {"id": 7001 + number, "is_bot": False, "first_name": "Зритель"}
            chat = {"id": user["id"], "type": "private"}
            sent = message(ANYA, chat, text=f"{REVIEW} Раз {number}.") | {"from": user}
            await receive(one, message=sent)
        async with asyncio.timeout(30):
            while one.parts.queue.waiting < 16:
                await asyncio.sleep(0.02)
        await asyncio.sleep(1)
        async with read() as session:
            claimed = select(func.count()).where(Update.claimed_by.is_not(None))
            # A batch that is predicted, one that waits, and hardly more.
            assert 16 < (await session.scalar(claimed) or 0) <= 36
        async with running_bot():
            async with asyncio.timeout(30):
                while len(await reviews(read)) < 20:
                    await asyncio.sleep(0.05)
            stuck.gate.set()
            await all_done(read)
    assert len(await reviews(read)) == 60


@pytest.mark.slow
async def test_whoever_has_room_is_woken(
    bots: list[Kinorate],
    chat: httpx.AsyncClient,
    read: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.delivery.claiming.SECONDS_BETWEEN_LOOKS", 1000.0)
    await Person(chat, BORIS).ask(REVIEW)
    await asyncio.sleep(2.5)  # the last looks without it are over
    for busy, other in (bots, bots[::-1]):
        busy.parts.claiming._is_busy, other.parts.claiming._is_busy = lambda: True, lambda: False
        await receive(busy, message=message(ANYA, text=f"{REVIEW} {busy.parts.lease.process}"))
        await all_done(read)
    assert len(await Person(chat, ANYA).from_bot()) == 2


async def test_what_nobody_announced_is_found_all_the_same(
    bots: list[Kinorate],
    chat: httpx.AsyncClient,
    read: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def announce(*_: object) -> None:
        """The process was killed right before it."""

    monkeypatch.setattr("db.updates.announce", announce)
    for bot in bots:
        monkeypatch.setattr(bot.parts.inbox.changed, "set", lambda: None)
    await receive(bots[0], message=message(ANYA, text=REVIEW))
    async with asyncio.timeout(10):
        await all_done(read)


async def test_limits_hold_for_both_together(
    telegram: LocalServer, running_bot: RunningBot, read: Sessions
) -> None:
    options = {"reviews_per_minute": 4, "waiting_reviews": 11}
    async with (
        running_bot(**options) as one,
        running_bot(**options) as other,
        chat_client(telegram.url) as http,
    ):
        async with asyncio.timeout(60):
            while [bot.parts.queue.limit for bot in (one, other)] != [5, 5]:
                await asyncio.sleep(0.05)
        for number in range(10):
            await receive(
                (one, other)[number % 2], message=message(ANYA, text=f"{REVIEW} {number}")
            )
            await all_done(read)  # so that the next may go to either
        said = [answer.text for answer in await Person(http, ANYA).from_bot()]
    assert len(await reviews(read)) == 4
    assert said.count(RUSSIAN(conversation.TOO_MANY, messages=4)) == 1
    assert len(said) == 5


async def test_one_that_stops_leaves_what_it_had_to_the_other_at_once(
    telegram: LocalServer,
    running_bot: RunningBot,
    read: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.app.SECONDS_TO_FINISH", 0.1)
    stuck = InventedPredictor()
    stuck.gate.clear()
    async with chat_client(telegram.url) as http, AsyncExitStack() as first:
        one = await first.enter_async_context(running_bot(stuck))
        anya = Person(http, ANYA)
        (sent,) = await anya.send(REVIEW)
        async with asyncio.timeout(30):
            while await held_by(read, ANYA) != {one.parts.lease.process}:
                await asyncio.sleep(0.02)
        async with running_bot() as other:
            async with asyncio.timeout(60):
                while not other.parts.pulse.is_standing_by:
                    await asyncio.sleep(0.02)
            stopping = asyncio.create_task(first.aclose())
            await anya.answer_to(sent.message_id)  # while the first is still stuck
            stuck.gate.set()
            await stopping
            await Person(http, BORIS).ask(REVIEW)  # fetched by the other
        assert len(await anya.from_bot()) == 1


async def test_who_was_taken_for_dead_answers_nothing_that_the_other_has(
    bots: list[Kinorate],
    predictors: list[InventedPredictor],
    chat: httpx.AsyncClient,
    read: Sessions,
    write: Sessions,
) -> None:
    anya = Person(chat, ANYA)
    for predictor in predictors:
        predictor.gate.clear()
    await receive(bots[0], message=message(ANYA, text=REVIEW))
    names = [bot.parts.lease.process for bot in bots]
    async with asyncio.timeout(30):
        while not (held := await held_by(read, ANYA)) <= set(names):
            await asyncio.sleep(0.02)
    slow = names.index(str(*held))
    async with write.begin() as session:  # what the other one does when the lease has run out
        theirs = update(Update).where(Update.claimed_by == names[slow])
        await session.execute(theirs.values(claimed_by=names[1 - slow]))
        await session.execute(delete(Process).where(Process.name == names[slow]))
    predictors[slow].gate.set()
    await asyncio.sleep(0.3)
    assert await reviews(read) == []
    async with write.begin() as session:
        await session.execute(update(Update).values(claimed_by=None))
    predictors[1 - slow].gate.set()
    await all_done(read)
    assert len(await reviews(read)) == 1
    assert len(await anya.from_bot()) == 1
    async with asyncio.timeout(30):  # and it is among the living again
        while set(await living(read)) != set(names):
            await asyncio.sleep(0.05)


async def test_a_return_among_the_living_that_fails_is_tried_again(
    bots: list[Kinorate],
    chat: httpx.AsyncClient,
    read: Sessions,
    write: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failures = [IntegrityError("INSERT INTO processes", {}, Exception("taken"))] * 4
    join = processes.join

    async def fails_at_first(session: AsyncSession, name: str, now: datetime) -> None:
        if failures:
            raise failures.pop()
        await join(session, name, now)

    names = {bot.parts.lease.process for bot in bots}
    anya = Person(chat, ANYA)
    monkeypatch.setattr(processes, "join", fails_at_first)
    async with write.begin() as session:  # what a third one does to those that it takes for dead
        await session.execute(delete(Process))
    await receive(bots[0], message=message(ANYA, text=REVIEW))
    await all_done(read)
    assert len(await anya.from_bot()) == 1
    assert not failures
    async with asyncio.timeout(30):
        while set(await living(read)) != names:
            await asyncio.sleep(0.05)


async def test_without_a_lease_nothing_is_sent(
    bots: list[Kinorate], chat: httpx.AsyncClient, read: Sessions
) -> None:
    for bot in bots:
        bot.parts.lease._ends_at = time.monotonic()
    anya = Person(chat, ANYA)
    (sent,) = await anya.send(REVIEW)
    await anya.answer_to(sent.message_id)  # after the next beat
    assert any(bot.parts.lease.is_held for bot in bots)
