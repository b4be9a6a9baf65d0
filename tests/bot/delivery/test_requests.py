"""Faults of each call of the Bot API, and what the bot does."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.local.server import LocalServer
from bot.texts import conversation
from db.engine import Sessions
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client, control
from tests.bot.ports import free_port
from tests.bot.talking import ANYA, BORIS, REVIEW, all_done, rating_data, reviews, said_since

pytestmark = pytest.mark.anyio

PAGE = "<!DOCTYPE html><title>Wi-Fi</title><p>Sign in to go on"


def said(**answer: Any) -> str:
    return json.dumps({"ok": False, **answer})


def odd(status: int, body: str = "", seconds: float = 0.0) -> dict[str, Any]:
    return {"status": status, "body": body, "seconds": seconds}


LOST = {
    "hung up": odd(0),
    "silent": odd(200, seconds=0.8),
    "a portal's page": odd(200, PAGE),
    "a redirection": odd(302),
    **{
        f"a page with {status}": odd(status, PAGE) for status in (400, 401, 403, 404, 407, 429, 503)
    },
    "nothing": odd(200),
    "no object": odd(200, "[]"),
    "half an object": odd(200, '{"ok": true, "resu'),
    "nested too deeply": odd(200, "[" * 100_000),
    "somebody else's JSON": odd(200, '{"status": "ok"}'),
    "no result": odd(200, '{"ok": true}'),
    "an empty result": odd(200, '{"ok": true, "result": null}'),
    "another result": odd(200, '{"ok": true, "result": 1}'),
    "Telegram's 500": odd(500, said(error_code=500, description="Internal Server Error")),
    "Telegram's 502 without a word": odd(502, said()),
    "a limit": odd(429, said(error_code=429, parameters={"retry_after": 1})),
    "a limit in words": odd(429, said(error_code=429, description="retry after 1")),
    "a limit without a time": odd(429, said(error_code=429)),
    "a limit with odd parameters": odd(429, said(error_code=429, parameters="soon")),
    "a limit with 200": odd(200, said(error_code=429, parameters={"retry_after": 1.0})),
}
"""What is made again, as often as it takes: the call has its effect in the end."""

FEW = ("hung up", "a portal's page", "a page with 404", "a limit")
"""Those that stand for the others where all of them take long."""

OF_DOWNLOADS = {
    name: fault
    for name, fault in LOST.items()
    if fault["status"] != 404 and (fault["status"] != 200 or fault["body"] in ("", PAGE))
}
"""A file may hold anything else, and one that is not there is no matter of the way."""

REFUSED = {
    code: odd(code, said(error_code=code, description=f"Refused with {code}"))
    for code in (400, 403, 404, 409, 413)
}
"""What Telegram says itself, and would say again."""


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.delivery.processor.pause_before", lambda retry: 0.02)
    monkeypatch.setattr("bot.delivery.requests._seconds", lambda *_: timedelta(seconds=0.02))
    monkeypatch.setattr("bot.delivery.outgoing.PRIVATE", (10_000, 1.0))
    monkeypatch.setattr("bot.delivery.outgoing.GROUP", (10_000, 1.0))
    monkeypatch.setattr("bot.app.SECONDS_TO_ANSWER", 0.5)
    monkeypatch.setattr("bot.handlers.chat_action._PATIENCE", 0.2)
    monkeypatch.setattr("bot.handlers.chat_action._SOON", 0)
    monkeypatch.setattr("bot.services.services.EXPORT_PAUSE", timedelta())
    monkeypatch.setattr("bot.handlers.statistics._draw", lambda *_: PNG)


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c4890000000d49444154789c63f8cf"
    "c0f01f0005000 1ff89993d1d0000000049454e44ae426082".replace(" ", "")
)


async def review(anya: Person) -> None:
    answer = await anya.ask(REVIEW)
    assert "8 из 10" in (answer.text or "")


async def tap(anya: Person) -> None:
    answer = await anya.ask(REVIEW)
    await anya.tap(answer.message_id, rating_data(answer, 9))
    await anya.wait_until(lambda messages: "Ваша оценка: 9" in (messages[-1].text or ""))


async def export(anya: Person) -> None:
    assert (await anya.ask("/export")).document is not None


async def chart(anya: Person) -> None:
    await anya.ask(REVIEW)
    boris = Person(anya.http, BORIS)
    (_,) = await boris.send("/stats")
    await boris.wait_until(lambda messages: bool(messages[-1].photo))


async def document(anya: Person) -> None:
    sent = await anya.send_file("document", ("r.txt", REVIEW.encode(), "text/plain"))
    assert "8 из 10" in ((await anya.answer_to(sent.message_id)).text or "")


CALLS: dict[str, Callable[[Person], Awaitable[None]]] = {
    "sendMessage": review,
    "sendChatAction": review,
    "answerCallbackQuery": tap,
    "editMessageText": tap,
    "sendDocument": export,
    "sendPhoto": chart,
    "getFile": document,
    "file": document,
}


@pytest.mark.parametrize(
    ("method", "names"),
    [(method, FEW) for method in CALLS]
    + [pytest.param(method, tuple(LOST), marks=pytest.mark.slow) for method in CALLS],
)
async def test_what_is_lost_on_the_way_is_made_again(
    running_bot: RunningBot,
    telegram: LocalServer,
    read: Sessions,
    method: str,
    names: tuple[str, ...],
) -> None:
    possible = OF_DOWNLOADS if method == "file" else LOST
    faults = {name: possible[name] for name in names if name in possible}
    async with running_bot(), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        for name, fault in faults.items():
            await control(http, odd={"method": method, "next": 1, **fault})
            try:
                await CALLS[method](anya)
            except AssertionError as error:
                raise AssertionError(name) from error
            await all_done(read)
            if method != "sendChatAction":  # a limit spares the next one too
                assert telegram.state.faults.odd(method.lower()) is None, name
        texts = [message.text for message in await anya.from_bot()]
    assert conversation.FAILED.ru not in texts
    assert len(texts) == len(faults)  # none twice: what was lost had no effect
    assert all(one.reply_message_id for one in await reviews(read))


async def used_up(telegram: LocalServer, method: str) -> None:
    """Wait until the request that a fault was ordered for has been made."""
    async with asyncio.timeout(30):
        while telegram.state.faults._odd[method.lower()].left:
            await asyncio.sleep(0.005)


# --- at the start

START_FAULTS = LOST | {f"a refusal with {code}": fault for code, fault in REFUSED.items()}
STARTS = ("getMe", "deleteWebhook", "setWebhook", "setMyCommands")


@pytest.mark.parametrize(
    ("method", "names"),
    [(method, FEW) for method in STARTS]
    + [pytest.param(method, tuple(START_FAULTS), marks=pytest.mark.slow) for method in STARTS],
)
async def test_no_fault_keeps_the_bot_from_starting(
    running_bot: RunningBot,
    telegram: LocalServer,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    names: tuple[str, ...],
) -> None:
    for module in ("bot.serving", "bot.views.menu", "bot.delivery.retries"):
        monkeypatch.setattr(f"{module}.pause_before", lambda retry: 0.02)
    monkeypatch.setattr("bot.delivery.retries.PAUSE_OF_TOKEN", 0.02)
    port = free_port()
    hook = {"webhook_url": f"http://127.0.0.1:{port}/", "webhook_secret": "s", "webhook_port": port}
    settings = hook if method == "setWebhook" else {}
    async with chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        for name in names:
            await control(http, odd={"method": method, "next": 1, **START_FAULTS[name]})
            async with running_bot(**settings):
                assert (await anya.ask("/help")).text, name
                await used_up(telegram, method)
                if name in LOST and method == "setMyCommands":
                    async with asyncio.timeout(30):
                        while len(await anya.commands()) < len(conversation.PRIVATE_MENU):
                            await asyncio.sleep(0.02)
            telegram.state.commands = type(telegram.state.commands)()


# --- refusals

FAILED, GONE = conversation.FAILED.ru, conversation.DOCUMENT_GONE.ru


@pytest.mark.parametrize("code", REFUSED)
async def test_what_telegram_refuses_is_told_where_it_can_be(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions, code: int
) -> None:
    """403: the bot was shut out, and keeps silent. 404 may be said of the token: tried again."""
    tells = [] if code == 403 else [FAILED]
    async with running_bot(), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        said_by: dict[str, list[str]] = {}
        for method in ("sendMessage", "sendChatAction", "sendDocument", "getFile", "file"):
            await control(http, odd={"method": method, "next": 1, **REFUSED[code]})
            if method in ("getFile", "file"):
                sent = await anya.send_file("document", ("r.txt", REVIEW.encode(), "text/plain"))
            else:
                (sent,) = await anya.send("/export" if method == "sendDocument" else REVIEW)
            await used_up(telegram, method)
            said_by[method] = await said_since(anya, read, sent.message_id)
    assert said_by["getFile"] == said_by["file"] == [GONE]
    assert "8 из 10" in said_by["sendChatAction"][0]
    if code == 404:
        assert "8 из 10" in said_by["sendMessage"][0]
        assert said_by["sendDocument"] == [""]
    else:
        assert said_by["sendMessage"] == said_by["sendDocument"] == tells


@pytest.mark.parametrize("method", ["answerCallbackQuery", "editMessageText"])
async def test_no_refusal_undoes_a_tap(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions, method: str
) -> None:
    words = {
        400: (
            *("MESSAGE_ID_INVALID", "message to edit not found", "message can't be edited"),
            *("message is not modified: the same", "QUERY_ID_INVALID", "CHAT_WRITE_FORBIDDEN"),
            "query is too old and response timeout expired or query ID is invalid",
            *("chat not found", "MESSAGE_AUTHOR_REQUIRED", "something that nobody has seen yet"),
        ),
        403: ("bot was kicked from the supergroup chat", "bot was blocked by the user"),
        409: ("Conflict",),
    }
    async with running_bot(), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        answer = await anya.ask(REVIEW)
        rating = 0
        for code, reasons in words.items():
            for reason in reasons:
                rating = (rating + 1) % 11
                refusal = said(error_code=code, description=f"Bad Request: {reason}")
                await control(http, odd={"method": method, "next": 1, **odd(code, refusal)})
                if method == "editMessageText":
                    toast = await anya.tap_and_wait(answer.message_id, rating_data(answer, rating))
                    assert toast == f"Записано: {rating}"
                else:
                    await anya.tap(answer.message_id, rating_data(answer, rating))
                await used_up(telegram, method)
                await all_done(read)
                (stored,) = await reviews(read)
                assert [given.rating for given in stored.feedback] == [rating], reason
        assert len(await anya.from_bot()) == 1  # nothing broke
        assert telegram.state.blocked == set()
