"""Where many write at once, less is read of each review: it is stored, told, shown by /stats."""

import asyncio
import re

import pytest

from bot.local.server import LocalServer
from bot.prediction.queue import PredictionQueue
from bot.texts import conversation, statistics
from db.engine import Sessions
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.predictors import CHARACTERS, Reader
from tests.bot.talking import ANYA, BORIS, EMILY, all_done, buttons_of, reviews

pytestmark = pytest.mark.anyio

TOKENS = 600
REVIEW = ("Сюжет предсказуем, зато актёры играют так, что веришь каждому слову. " * 99)[
    : TOKENS * CHARACTERS - 10
]
EACH = 7


@pytest.mark.slow
async def test_a_burst_is_answered_by_reading_less(
    telegram: LocalServer, running_bot: RunningBot, read: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(seconds_a_token=0.0002)
    defaults = PredictionQueue.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "clock", reader.clock)
    async with running_bot(reader) as bot, chat_client(telegram.url) as http:
        anya, boris, emily = (Person(http, user) for user in (ANYA, BORIS, EMILY))
        alone = await anya.ask(f"Тихо. {REVIEW}")
        assert conversation.IN_SHORT.ru not in (alone.text or "")
        reader.gate.clear()
        for number in range(EACH):
            for person in (anya, boris, emily):
                await person.send(f"Бурно {number}. {REVIEW}")
        async with asyncio.timeout(20):
            while bot.parts.queue.waiting < 16:
                await asyncio.sleep(0.005)
        reader.gate.set()
        answers = await anya.wait_until(lambda messages: len(messages) == 2 * (1 + EACH))
        await all_done(read)

        stored = await reviews(read)
        assert [row.tokens for row in stored[0].predictions] == [TOKENS - 1] * 2
        short = [row for review in stored for row in review.predictions if row.in_short]
        assert {row.tokens for row in short} <= {256, 512}
        assert sum(row.tokens == 256 for row in short) >= 2 * 16
        assert all(len({row.tokens for row in review.predictions}) == 1 for review in stored)
        of_answer = {review.reply_message_id: review.predictions[0] for review in stored}
        told = {
            one.message_id: conversation.IN_SHORT.ru in (one.text or "")
            for one in answers
            if one.message_id in of_answer
        }
        assert told == {number: of_answer[number].in_short for number in told}

        short_one = next(one for one in answers if told.get(one.message_id))
        ((_, why),) = buttons_of(short_one)[2]
        await anya.tap(short_one.message_id, why)
        await anya.wait_until(lambda messages: len(messages) == 2 * (1 + EACH) + 1)
        assert reader.batches[-1][1] == of_answer[short_one.message_id].tokens

        stats = (await boris.ask("/stats")).text or ""
        known = re.escape(statistics.IN_SHORT.ru.split(":")[0])
        assert re.search(rf"{known}: {len(short) // 2} ", stats)
        later = await anya.ask(f"Снова тихо. {REVIEW}")
        assert conversation.IN_SHORT.ru not in (later.text or "")
    assert (await reviews(read))[-1].predictions[0].tokens == TOKENS
