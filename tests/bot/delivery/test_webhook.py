"""Telegram brings the updates itself, and nobody else can."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import httpx
import pytest

from bot.app import Kinorate
from bot.errors import BotError
from bot.local.server import LocalServer
from bot.serving import serve
from db.engine import Sessions
from db.models import Update
from tests.bot.conftest import NewBot, RunningBot
from tests.bot.local_client import Person, chat_client, control
from tests.bot.ports import free_port
from tests.bot.talking import ANYA, REVIEW, all_done, reviews

pytestmark = pytest.mark.anyio

SECRET = "known_to-Telegram"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture
def port() -> int:
    """A free one."""
    return free_port()


@pytest.fixture
def webhook(port: int) -> dict[str, object]:
    """The settings of a webhook."""
    return {
        "webhook_url": f"http://127.0.0.1:{port}/kino.rate",
        "webhook_secret": SECRET,
        "webhook_port": port,
    }


Stranger = Callable[..., Awaitable[int]]


@pytest.fixture
async def stranger(port: int) -> AsyncIterator[Stranger]:
    """`await stranger(path, body, secret=…)`: the status of a request."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:

        async def post(path: str, body: bytes, secret: str = SECRET) -> int:
            response = await http.post(path, content=body, headers={HEADER: secret})
            return response.status_code

        yield post


async def test_a_review_comes_in_by_the_webhook_and_is_answered(
    telegram: LocalServer, running_bot: RunningBot, webhook: dict[str, object], read: Sessions
) -> None:
    async with chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        before = await anya.send(REVIEW)  # it waits until there is a webhook
        async with running_bot(**webhook):
            await anya.answer_to(before[0].message_id)
            answer = await anya.ask(REVIEW + " И музыка хороша.")
            info = (await http.get("/bot1:local/getWebhookInfo")).json()["result"]
    assert answer.reply_markup is not None
    assert info["url"] == webhook["webhook_url"]
    assert info["pending_update_count"] == 0
    assert len(await reviews(read)) == 2


async def test_whoever_lacks_the_secret_is_refused(
    telegram: LocalServer, running_bot: RunningBot, webhook: dict[str, object], read: Sessions
) -> None:
    update = {
        "update_id": 5,
        "message": {
            "message_id": 9,
            "date": 1_770_000_000,
            "chat": {"id": ANYA, "type": "private", "first_name": "Аня"},
            "from": {"id": ANYA, "is_bot": False, "first_name": "Аня"},
            "text": REVIEW,
        },
    }
    url = str(webhook["webhook_url"])
    async with running_bot(**webhook), chat_client(telegram.url) as http:
        await Person(http, ANYA).ask("/start")  # the webhook listens
        async with httpx.AsyncClient(trust_env=False) as stranger:
            headers: tuple[dict[str, str], ...] = ({}, {HEADER: ""}, {HEADER: SECRET + "x"})
            refused = [await stranger.post(url, json=update, headers=each) for each in headers]
            elsewhere = await stranger.post(
                url.replace("kino.rate", "kinoXrate"), json=update, headers={HEADER: SECRET}
            )
            taken = await stranger.post(url, json=update, headers={HEADER: SECRET})
        await all_done(read)
    assert [response.status_code for response in refused] == [403, 403, 403]
    assert elsewhere.status_code == 404
    assert taken.status_code == 200
    assert [review.update_id for review in await reviews(read)] == [5]


async def test_a_path_that_a_proxy_strips_is_told_once(
    running_bot: RunningBot,
    webhook: dict[str, object],
    stranger: Stranger,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running_bot(**webhook) as bot:
        await listening(bot)
        elsewhere = [await stranger("/", b"{}") for _ in range(5)]
        no_secret = [await stranger("/kino.rate", b"{}", secret="") for _ in range(5)]
    assert {*elsewhere, *no_secret} == {404, 403}
    (path, header) = [each for each in caplog.records if each.name == "bot.delivery.webhook"]
    assert (vars(path)["came"], vars(path)["expected"]) == ("/", "/kino.rate")
    assert "does the proxy drop the header?" in header.message
    assert SECRET not in caplog.text


BODIES = {
    "no JSON": (b"<html>", 400),
    "empty": (b"", 400),
    "no object": (b"[]", 200),
    "no id": (b'{"message": {}}', 200),
    "unreadable": (b'{"update_id": 5, "message": {"text": 5}}', 200),
    "deep": (b'{"update_id": 6, "message": ' + 200_000 * b"[" + 200_000 * b"]" + b"}", 200),
    "long number": (b'{"update_id": ' + b"9" * 9000 + b"}", 200),
    "as large as may be": (b'{"update_id": 7, "a": "' + b"a" * 1_000_000 + b'"}', 200),
}


async def test_no_body_stops_the_next_update(
    telegram: LocalServer,
    running_bot: RunningBot,
    webhook: dict[str, object],
    stranger: Stranger,
    read: Sessions,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running_bot(**webhook) as bot, chat_client(telegram.url) as http:
        await listening(bot)
        statuses = {name: await stranger("/kino.rate", body) for name, (body, _) in BODIES.items()}
        with suppress(httpx.TransportError):  # the connection is closed before all is sent
            assert await stranger("/kino.rate", b" " * 1_100_000 + b'{"update_id": 8}') == 400
        await Person(http, ANYA).ask(REVIEW)
        async with read() as session:
            assert await session.get(Update, 7)
            assert await session.get(Update, 8) is None
    assert statuses == {name: status for name, (_, status) in BODIES.items()}
    assert not [each for each in caplog.records if each.exc_info]


HEAD = f"POST /kino.rate HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\nContent-Length: 99\r\n"


@pytest.mark.parametrize("begun", ["", HEAD[:20], HEAD, HEAD + '\r\n{"update'])
async def test_a_request_that_comes_no_further_is_hung_up_on(
    begun: str,
    running_bot: RunningBot,
    webhook: dict[str, object],
    port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.delivery.webhook.SECONDS_TO_RECEIVE", 0.5)
    async with running_bot(**webhook) as bot:
        await listening(bot)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun.encode())
        async with asyncio.timeout(20):
            await reader.read()  # to the end, which is the bot's doing
        writer.close()


async def test_an_update_is_accepted_only_once_it_is_stored(
    running_bot: RunningBot,
    webhook: dict[str, object],
    stranger: Stranger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.delivery.webhook.SECONDS_TO_RECEIVE", 0.05)
    async with running_bot(**webhook) as bot:
        await listening(bot)
        with monkeypatch.context() as away:
            away.setattr(bot.parts.inbox, "receive", lambda *_: asyncio.sleep(60))
            refused = await stranger("/kino.rate", b'{"update_id": 5}')
        taken = await stranger("/kino.rate", b'{"update_id": 5}')
    assert (refused, taken) == (503, 200)


async def test_what_waits_is_answered_before_telegram_takes_the_webhook(
    telegram: LocalServer, new_bot: NewBot, running_bot: RunningBot, webhook: dict[str, object]
) -> None:
    application, _ = new_bot()
    async with chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        (sent,) = await anya.send(REVIEW)
        waiting = telegram.state.updates.waiting
        telegram.state.updates.waiting = []
        await application.parts.inbox.receive(waiting)
        await application.parts.database.close()
        await control(http, fail={"method": "setWebhook", "next": 1000, "status": 502})
        async with running_bot(**webhook):
            await anya.answer_to(sent.message_id)


async def listening(bot: Kinorate) -> None:
    async with asyncio.timeout(60):
        while not bot.parts.pulse.fetching:
            await asyncio.sleep(0.01)


async def test_a_port_that_is_taken_is_told_in_a_sentence(
    new_bot: NewBot, webhook: dict[str, object], port: int
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(BotError, match=f"WEBHOOK_PORT {port} can't be listened on"):
            await serve(*new_bot(**webhook), asyncio.Event())
