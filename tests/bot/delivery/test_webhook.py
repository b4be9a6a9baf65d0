"""Telegram brings the updates itself, and nobody else can."""

import asyncio
import socket

import httpx
import pytest

from bot.errors import BotError
from bot.local.server import LocalServer
from bot.serving import serve
from db.engine import Sessions
from tests.bot.conftest import NewBot, RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.ports import free_port
from tests.bot.talking import ANYA, REVIEW, reviews

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
    assert [response.status_code for response in refused] == [403, 403, 403]
    assert elsewhere.status_code == 404
    assert taken.status_code == 200
    assert [review.update_id for review in await reviews(read)] == [5]


async def test_a_port_that_is_taken_is_told_in_a_sentence(
    new_bot: NewBot, webhook: dict[str, object], port: int
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(BotError, match=f"WEBHOOK_PORT {port} can't be listened on"):
            await serve(*new_bot(**webhook), asyncio.Event())
