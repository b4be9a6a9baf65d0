"""The bot's side in the tests of the local server: python-telegram-bot's Bot, or bare requests."""

from typing import Any

import httpx
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.request import HTTPXRequest

from bot.local.people import LOCAL_TOKEN
from bot.local.server import LocalServer

ANNA, EMILY, GROUP = 1001, 1003, -1001


def telegram_bot(server: LocalServer) -> Bot:
    # Without certificates, which take longer to load than most of these tests take.
    plain = {"verify": False}
    return Bot(
        LOCAL_TOKEN,
        base_url=f"{server.url}/bot",
        base_file_url=f"{server.url}/file/bot",
        request=HTTPXRequest(httpx_kwargs=plain),
        get_updates_request=HTTPXRequest(httpx_kwargs=plain),
    )


def keyboard(data: str = "r:1:9") -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton("9", callback_data=data)]])


async def call(
    http: httpx.AsyncClient, method: str, token: str = LOCAL_TOKEN, **values: Any
) -> dict[str, Any]:
    """The answer to a request in JSON, `ok` or not."""
    return dict((await http.post(f"/bot{token}/{method}", json=values)).json())
