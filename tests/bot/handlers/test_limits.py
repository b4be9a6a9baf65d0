"""A flood gets one polite sentence, and nobody else is slowed by it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.local.server import LocalServer
from bot.services.checking import Problem
from bot.services.flood import Admission, FloodLimit, SenderBook
from bot.texts import conversation
from bot.texts.conversation import PROBLEMS
from bot.texts.locale import RUSSIAN
from db.engine import Sessions
from db.models import Admissions
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client, control
from tests.bot.predictors import InventedPredictor
from tests.bot.talking import ANYA, BORIS, EMILY, REVIEW, all_done, rating_data, reviews, said_since

pytestmark = pytest.mark.anyio

START = datetime(2026, 3, 1, tzinfo=UTC)
ADMITTED, REFUSED, SILENT = Admission.ADMITTED, Admission.REFUSED, Admission.SILENT


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


async def test_so_many_a_minute_are_admitted(write: Sessions) -> None:
    limit = FloodLimit(SenderBook(write), "messages", 3)
    said = [await limit.admit(1, update, at(update)) for update in range(6)]
    assert said == [ADMITTED] * 3 + [REFUSED] + [SILENT] * 2
    assert await limit.admit(2, 100, at(3)) is ADMITTED
    assert await limit.admit(1, 6, at(60)) is ADMITTED  # the first of them is a minute ago


async def test_the_sentence_comes_again_only_after_a_quiet_minute(write: Sessions) -> None:
    limit = FloodLimit(SenderBook(write), "messages", 1)
    said = [await limit.admit(1, second, at(second)) for second in range(0, 300, 20)]
    assert said.count(REFUSED) == 1
    assert said.count(ADMITTED) == 5
    assert await limit.admit(1, 400, at(400)) is ADMITTED
    assert await limit.admit(1, 401, at(401)) is REFUSED


async def test_an_update_that_comes_once_more_counts_once(write: Sessions) -> None:
    limit = FloodLimit(SenderBook(write), "messages", 2)
    assert [await limit.admit(1, 7, at(0)) for _ in range(5)] == [ADMITTED] * 5
    assert await limit.admit(1, 8, at(1)) is ADMITTED


async def test_what_came_while_the_bot_was_away_is_no_flood(write: Sessions) -> None:
    limit = FloodLimit(SenderBook(write), "messages", 2)
    assert {await limit.admit(1, update, at(60 * update)) for update in range(100)} == {ADMITTED}


async def test_a_limit_holds_over_processes_and_for_each_kind_apart(write: Sessions) -> None:
    said = [
        await FloodLimit(SenderBook(write), "messages", 2).admit(1, update, at(0))
        for update in (1, 2, 3)
    ]
    assert said == [ADMITTED, ADMITTED, REFUSED]
    assert await FloodLimit(SenderBook(write), "messages", 2).refuse(1, at(1)) is SILENT
    assert await FloodLimit(SenderBook(write), "commands", 2).admit(1, 4, at(0)) is ADMITTED


async def test_a_limit_of_a_longer_time_forgets_no_other(write: Sessions) -> None:
    """What is needed no more is deleted now and then, whichever limit is asked just then."""
    book = SenderBook(write)
    messages = FloodLimit(book, "messages", 1)
    exports = FloodLimit(book, "exports", 1, timedelta(minutes=5))
    assert await messages.admit(1, 1, at(0)) is ADMITTED
    for user in range(2, 110):
        assert await exports.admit(user, user, at(1)) is ADMITTED
    assert await messages.admit(1, 2, at(2)) is REFUSED


async def test_at_once_no_more_are_admitted_than_one_after_the_other(write: Sessions) -> None:
    limit = FloodLimit(SenderBook(write), "messages", 3)
    said = await asyncio.gather(*(limit.admit(1, update, at(0)) for update in range(8)))
    assert said.count(ADMITTED) == 3


async def test_the_quiet_are_forgotten_and_nobody_is_named(write: Sessions) -> None:
    limit = FloodLimit(SenderBook(write), "messages", 1)
    first = 7_000_000_000  # so long that no digest has it by chance
    for number in range(250):
        await limit.admit(first + number, number, at(number))
    async with write() as session:
        kept = list(await session.scalars(select(Admissions)))
    assert len(kept) <= 250
    assert not [row for row in kept if str(first)[:7] in row.limited]


async def test_a_flood_of_reviews_gets_one_sentence(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot(reviews_per_minute=3), chat_client(telegram.url) as http:
        anya, boris = Person(http, ANYA), Person(http, BORIS)
        (first,) = await anya.send(REVIEW)
        for number in range(9):
            await anya.send(f"{REVIEW} И ещё раз {number}.")
        await anya.send_file("sticker")
        assert "8 из 10" in ((await boris.ask(REVIEW)).text or "")
        said = await said_since(anya, read, first.message_id)
        refusal = RUSSIAN(conversation.TOO_MANY, messages=3)
        assert sorted(text == refusal for text in said) == [False] * 3 + [True]
        assert [review.user_id for review in await reviews(read)].count(ANYA) == 3
        # Their data stay within reach.
        assert (await anya.ask("/forget")).text == conversation.FORGET_QUESTION.ru


async def test_a_flood_of_commands_gets_one_sentence(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot(reviews_per_minute=2), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        (first,) = await anya.send("/help")
        for _ in range(6):
            await anya.send("/export")
        assert len(await said_since(anya, read, first.message_id)) == 3
        assert (await Person(http, BORIS).ask("/help")).text


async def test_a_full_queue_gets_one_sentence_a_person(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    predictor = InventedPredictor()
    predictor.gate.clear()
    async with running_bot(predictor, waiting_reviews=1), chat_client(telegram.url) as http:
        anya, boris = Person(http, ANYA), Person(http, BORIS)
        await anya.send(REVIEW)  # in the predictor's hands
        await anya.wait_until(lambda messages: bool(messages))
        for number in range(4):
            await anya.send(f"{REVIEW} Повтор {number}.")
        (asked,) = await boris.send(REVIEW)
        assert (await boris.answer_to(asked.message_id)).text == PROBLEMS[Problem.BUSY].ru
        await Person(http, EMILY).ask("/help")
        predictor.gate.set()
        await all_done(read)
        said = [message.text for message in await anya.from_bot()]
        assert said.count(PROBLEMS[Problem.BUSY].ru) == 1
        assert len(await reviews(read)) == len(said) - 1


SECOND = timedelta(seconds=1)


async def test_of_many_taps_the_last_one_counts(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot(reviews_per_minute=2) as bot, chat_client(telegram.url) as http:
        for limit in (bot.parts.services.taps, bot.parts.services.commands):
            limit.window = SECOND
        anya, boris = Person(http, ANYA), Person(http, BORIS)
        answer = await anya.ask(REVIEW)
        async with anya.events() as events:
            for number in range(200):
                await anya.tap(answer.message_id, rating_data(answer, number % 10))
            assert "8 из 10" in ((await boris.ask(REVIEW)).text or "")
            last = await anya.tap(answer.message_id, rating_data(answer, 7))
            await anya.wait_until(lambda messages: "оценка: 7" in (messages[-1].text or ""))
            await all_done(read)
            # What was tapped last is what is stored and what is shown.
            (review, _) = await reviews(read)
            assert [given.rating for given in review.feedback] == [7]
            shown = (await anya.from_bot())[-1]
            assert "Ваша оценка: 7" in (shown.text or "")
            await boris.ask("/help")
            toasts = []
            mark = await anya.tap_and_wait(answer.message_id, "nothing")
            async for event in events:
                if event["type"] == "callback_answer":
                    toasts.append(event["text"])
                    if event["text"] == mark:
                        break
        assert last
        assert toasts.count(RUSSIAN(conversation.TOAST_TOO_MANY, minutes=1)) <= 2
        assert len(toasts) < 100


async def test_a_tap_tried_again_does_not_undo_a_later_one(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot(), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        answer = await anya.ask(REVIEW)
        odd = {"method": "answerCallbackQuery", "next": 1, "status": 0, "body": "", "seconds": 0}
        await control(http, odd=odd)
        await anya.tap(answer.message_id, rating_data(answer, 3))
        while telegram.state.faults._odd["answercallbackquery"].left:
            await asyncio.sleep(0.01)
        assert await anya.tap_and_wait(answer.message_id, rating_data(answer, 9)) == "Записано: 9"
        await all_done(read)  # the first one is tried again after a second
        assert "Ваша оценка: 9" in ((await anya.from_bot())[-1].text or "")


async def test_a_flood_of_edits_gets_one_sentence(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot(reviews_per_minute=3), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        (sent,) = await anya.send(REVIEW)
        await anya.answer_to(sent.message_id)
        for number in range(20):
            await anya.edit(sent.message_id, f"{REVIEW} Правка {number}.")
        said = await said_since(anya, read, sent.message_id)
        assert said.count(RUSSIAN(conversation.TOO_MANY, messages=3)) == 1
        assert len(said) == 4
