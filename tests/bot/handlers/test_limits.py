"""A flood gets one polite sentence, and nobody else is slowed by it."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.local.server import LocalServer
from bot.services.checking import Problem
from bot.services.flood import Admission, FloodLimit
from bot.texts import conversation
from bot.texts.conversation import PROBLEMS
from bot.texts.locale import RUSSIAN
from db.engine import Sessions
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.predictors import InventedPredictor
from tests.bot.talking import ANYA, BORIS, EMILY, REVIEW, all_done, reviews, said_since

pytestmark = pytest.mark.anyio

START = datetime(2026, 3, 1, tzinfo=UTC)
ADMITTED, REFUSED, SILENT = Admission.ADMITTED, Admission.REFUSED, Admission.SILENT


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_so_many_a_minute_are_admitted() -> None:
    limit = FloodLimit(3)
    said = [limit.admit(1, update, at(update)) for update in range(6)]
    assert said == [ADMITTED] * 3 + [REFUSED] + [SILENT] * 2
    assert limit.admit(2, 100, at(3)) is ADMITTED
    assert limit.admit(1, 6, at(60)) is ADMITTED  # the first of them is a minute ago


def test_the_sentence_comes_again_only_after_a_quiet_minute() -> None:
    limit = FloodLimit(1)
    said = [limit.admit(1, second, at(second)) for second in range(0, 300, 20)]
    assert said.count(REFUSED) == 1
    assert said.count(ADMITTED) == 5
    assert limit.admit(1, 400, at(400)) is ADMITTED
    assert limit.admit(1, 401, at(401)) is REFUSED


def test_an_update_that_comes_once_more_counts_once() -> None:
    limit = FloodLimit(2)
    assert [limit.admit(1, 7, at(0)) for _ in range(5)] == [ADMITTED] * 5
    assert limit.admit(1, 8, at(1)) is ADMITTED


def test_what_came_while_the_bot_was_away_is_no_flood() -> None:
    limit = FloodLimit(2)
    assert {limit.admit(1, update, at(60 * update)) for update in range(100)} == {ADMITTED}


def test_the_quiet_are_forgotten() -> None:
    limit = FloodLimit(1)
    for user in range(5000):
        limit.admit(user, user, at(user))
    assert len(limit._senders) <= 1001


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
