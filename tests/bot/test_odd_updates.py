"""Among updates of every kind, spoilt in every way, each plain review is answered once."""

import asyncio
import random
from collections import Counter

import pytest
from sqlalchemy import func, select

from bot.local.people import USERS
from bot.local.server import LocalServer
from db.engine import Sessions
from db.models import Update
from tests import tiny
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.odd_updates import OddUpdates
from tests.bot.ports import free_port
from tests.bot.talking import all_done

pytestmark = pytest.mark.anyio

SECRET = "known_to-Telegram"
SHARE = 5  # odd updates for each review
SEEDS = range(1)


@pytest.mark.parametrize("by_webhook", [False, True], ids=["polling", "webhook"])
@pytest.mark.parametrize(
    ("reviews", "seed"), [(8, 0), pytest.param(200, 1, marks=pytest.mark.slow)]
)
async def test_each_plain_review_is_answered_once(
    by_webhook: bool,
    reviews: int,
    seed: int,
    telegram: LocalServer,
    running_bot: RunningBot,
    read: Sessions,
    caplog: pytest.LogCaptureFixture,
) -> None:
    webhook_port = free_port()
    webhook = {
        "webhook_url": f"http://127.0.0.1:{webhook_port}/kinorate",
        "webhook_secret": SECRET,
        "webhook_port": webhook_port,
    }
    odd, sent = OddUpdates(seed), set()
    texts = iter([row["content"] for row in tiny.make_rows(reviews)])
    kinds = [True] * reviews + [False] * reviews * SHARE
    random.Random(seed).shuffle(kinds)
    settings = {"reviews_per_minute": 100_000, **(webhook if by_webhook else {})}
    async with running_bot(**settings), chat_client(telegram.url) as http:
        people = [Person(http, user) for user in USERS]
        for number, is_review in enumerate(kinds):
            if is_review:
                (message,) = await people[number % len(people)].send(next(texts))
                sent.add((message.chat_id, message.message_id))
            else:
                put(telegram, odd)
        await all_fetched(telegram)
        await all_done(read)
        answers: Counter[tuple[int, int]] = Counter()
        for person in people:
            for message in await person.from_bot():
                assert "Traceback" not in (message.text or "")
                if message.reply_to_message is not None:
                    answers[message.chat_id, message.reply_to_message.message_id] += 1
    assert {place: answers[place] for place in sent} == dict.fromkeys(sent, 1)
    told = [(each.message, each.exc_info) for each in caplog.records if each.exc_info]
    assert told == []
    assert "Traceback" not in caplog.text
    async with read() as session:
        unreadable = await session.scalar(
            select(func.count()).select_from(Update).where(Update.unreadable)
        )
    print(f"{len(kinds)} updates, {unreadable} unreadable, {len(answers)} answers")


def put(telegram: LocalServer, odd: OddUpdates) -> None:
    """Add an update of any kind, as an older or a newer server would."""
    queue = telegram.state.updates
    queue.waiting.append({"update_id": queue.next_id, **odd.content()})
    queue.next_id += 1
    queue.listeners.wake()


async def all_fetched(telegram: LocalServer) -> None:
    async with asyncio.timeout(300):
        while telegram.state.updates.waiting:
            await asyncio.sleep(0.02)
