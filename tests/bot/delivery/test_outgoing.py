"""Limits and orders to wait: they hold up one chat. A group that moved is followed."""

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from telegram.error import RetryAfter

from bot.delivery.outgoing import ALL_CHATS, RESERVED, Outgoing, Turn
from bot.local import people
from bot.local.server import LocalServer
from db.engine import Sessions
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client, control
from tests.bot.talking import ANYA, BORIS, EMILY, GROUP, REVIEW, all_done, deliver, message, reviews

pytestmark = pytest.mark.anyio

NAME = f"@{people.BOT['username']}"
SUPERGROUP = -1_000_000_001_001
AT_MOST = 5.0  # seconds; a busy machine is slow, and what is waited for is 60


async def test_a_groups_limit_holds_up_no_other_chat(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot(), chat_client(telegram.url) as http:
        await control(http, rate_limit={"next": 1000, "retry_after": 60, "chat": GROUP})
        group = [Person(http, user, GROUP) for user in (ANYA, BORIS, EMILY)]
        for number in range(30):
            for person in group:  # more than are handled at once
                await person.send(f"/rate {REVIEW} {number}")
        await asyncio.sleep(0.2)
        for user in (ANYA, EMILY):
            await Person(http, user).ask(REVIEW, AT_MOST)
            await Person(http, user).ask("/help", AT_MOST)
        assert await group[0].from_bot() == []


async def test_a_private_chats_limit_holds_up_no_other_chat(
    running_bot: RunningBot, telegram: LocalServer
) -> None:
    async with running_bot(), chat_client(telegram.url) as http:
        await control(http, rate_limit={"next": 1000, "retry_after": 60, "chat": ANYA})
        anya = Person(http, ANYA)
        for _ in range(40):
            await anya.send(REVIEW)
            await anya.send("/help")
        await asyncio.sleep(0.2)
        await Person(http, EMILY).ask(REVIEW, AT_MOST)
        await Person(http, EMILY, GROUP).ask(f"{NAME} {REVIEW}", AT_MOST)
        assert await anya.from_bot() == []


async def test_the_answer_comes_when_the_wait_is_over_and_once(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot(), chat_client(telegram.url) as http:
        await control(http, rate_limit={"next": 3, "retry_after": 1, "chat": GROUP})
        anya = Person(http, ANYA, GROUP)
        for number in range(5):
            await anya.send(f"/rate {REVIEW} {number}")
        await anya.wait_until(lambda messages: len(messages) == 10)
        await all_done(read)
        assert len(await anya.from_bot()) == 5
    assert all(review.reply_message_id for review in await reviews(read))


async def test_no_limit_of_the_menu_delays_an_answer(
    running_bot: RunningBot, telegram: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = {"ok": False, "error_code": 429, "parameters": {"retry_after": 1128}}
    async with chat_client(telegram.url) as http:
        body = json.dumps(limited)
        odd = {"status": 429, "body": body, "seconds": 0}
        await control(http, odd={"method": "setMyCommands", "next": 1, **odd})
        async with running_bot():
            anya = Person(http, ANYA)
            await anya.ask(REVIEW, AT_MOST)
            assert await anya.commands() == {}
        # And the stop did not wait for it either.


async def test_the_menu_comes_after_trouble(
    running_bot: RunningBot, telegram: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.views.menu.pause_before", lambda retry: 0.02)
    async with chat_client(telegram.url) as http:
        await control(http, fail={"method": "setMyCommands", "next": 3, "status": 500})
        async with running_bot():
            async with asyncio.timeout(30):
                while len(await Person(http, BORIS).commands()) < 10:
                    await asyncio.sleep(0.02)


# --- the turns


async def test_a_minutes_messages_may_go_at_once_and_then_each_in_its_time() -> None:
    turn = Turn((20, 1.0))
    began = time.monotonic()
    for _ in range(20):
        await turn.wait(at_once=True)
    with pytest.raises(RetryAfter) as first:
        await turn.wait(at_once=True)
    with pytest.raises(RetryAfter) as second:
        await turn.wait(at_once=True)
    assert timedelta() < first.value._retry_after < second.value._retry_after
    for _ in range(10):
        await turn.wait(at_once=False)
    assert time.monotonic() - began >= 0.45


async def test_few_calls_wait_for_a_chat_and_none_for_long() -> None:
    turn = Turn((20, 1.0))
    turn.hold(0.3)
    waiting = [asyncio.create_task(turn.wait(at_once=False)) for _ in range(10)]
    done, _ = await asyncio.wait(waiting)
    assert sum(task.exception() is None for task in done) == 3
    turn.hold(1128)
    with pytest.raises(RetryAfter) as refused:
        await turn.wait(at_once=False)
    assert 1127 < refused.value._retry_after.total_seconds() < 1129


async def test_calls_that_name_no_chat_wait_for_their_own_kind_alone() -> None:
    calls: list[str] = []

    async def limited(endpoint: str, data: dict[str, Any]) -> bool:
        calls.append(endpoint)
        if endpoint == "setMyCommands":
            raise RetryAfter(1128)
        return True

    async def never(old: int, new: int) -> None:
        raise AssertionError

    async def call(endpoint: str, rate_limit_args: str | None = None, **data: Any) -> Any:
        return await Outgoing.process_request(
            outgoing, limited, (endpoint, data), {}, endpoint, data, rate_limit_args
        )

    outgoing = Outgoing(never, lambda: None)
    for _ in range(2):  # the second is not even made
        with pytest.raises(RetryAfter):
            await call("setMyCommands")
    assert await call("answerCallbackQuery")
    assert await call("sendMessage", RESERVED, chat_id=1)
    assert calls == ["setMyCommands", "answerCallbackQuery", "sendMessage"]


async def test_what_is_no_message_takes_nothing_from_the_messages_of_a_second() -> None:
    async def done(*_: Any) -> bool:
        return True

    async def never(old: int, new: int) -> None:
        raise AssertionError

    outgoing = Outgoing(never, lambda: None)
    for chat in range(1, 201):
        data = {"chat_id": chat}
        await outgoing.process_request(done, ("",), {}, "sendChatAction", data, None)
    for chat in range(1, ALL_CHATS + 1):  # all that one second has
        await outgoing.reserve()
        await outgoing.process_request(done, ("",), {}, "sendMessage", {"chat_id": chat}, RESERVED)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await outgoing.reserve()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await outgoing.process_request(done, ("",), {}, "sendMessage", {"chat_id": 1}, None)


# --- a group that becomes a supergroup


@pytest.fixture
def supergroup(monkeypatch: pytest.MonkeyPatch) -> int:
    chat = {"id": SUPERGROUP, "type": "supergroup", "title": "Киноклуб"}
    monkeypatch.setitem(people.CHATS, SUPERGROUP, chat)
    monkeypatch.setitem(people.MEMBERS, SUPERGROUP, people.MEMBERS[GROUP])
    return SUPERGROUP


async def test_answers_follow_a_group_to_its_supergroup(
    supergroup: int, running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot(), chat_client(telegram.url) as http:
        anya = Person(http, ANYA, GROUP)
        await anya.ask(f"/rate {REVIEW}")
        await control(http, move={"group": GROUP, "supergroup": supergroup})
        await anya.send(f"/rate {REVIEW} Ещё раз.")
        await anya.send("/help")
        there = Person(http, ANYA, supergroup)
        answers = await there.wait_until(lambda messages: len(messages) == 2)
        await all_done(read)
    assert any("8 из 10" in (answer.text or "") for answer in answers)
    assert not any(answer.reply_to_message for answer in answers)
    stored = await reviews(read)
    assert [review.chat_id for review in stored] == [supergroup, supergroup]
    assert all(review.message_id < 0 for review in stored)  # as no message there is numbered


@pytest.mark.parametrize("told_in", ["group", "supergroup"])
async def test_what_is_stored_follows_when_telegram_tells_of_it(
    supergroup: int, told_in: str, running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot() as bot, chat_client(telegram.url) as http:
        anya = Person(http, ANYA, GROUP)
        await anya.ask(f"/rate {REVIEW}")
        if told_in == "group":
            moved = message(chat=people.CHATS[GROUP], migrate_to_chat_id=supergroup)
        else:
            moved = message(chat=people.CHATS[supergroup], migrate_from_chat_id=GROUP)
        await deliver(bot, message=moved)
        await all_done(read)
        assert len(await anya.from_bot()) == 1
    assert [review.chat_id for review in await reviews(read)] == [supergroup]
