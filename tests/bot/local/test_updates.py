"""Updates reach the bot by long polling or webhook, none lost."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from telegram import (
    Bot,
    Update,
)
from telegram.error import BadRequest, Conflict
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from bot.local.people import LOCAL_TOKEN
from bot.local.server import LocalServer
from tests.bot.local.bots import telegram_bot
from tests.bot.local_client import PATIENCE, Person

pytestmark = pytest.mark.anyio


async def test_an_update_stays_until_it_is_confirmed(bot: Bot, anna: Person) -> None:
    for text in ("раз", "два", "три"):
        await anna.send(text)
    first = await bot.get_updates(limit=2)
    assert [update.message.text for update in first if update.message] == ["раз", "два"]
    assert await bot.get_updates(limit=2) == first
    rest = await bot.get_updates(offset=first[-1].update_id + 1)
    assert [update.message.text for update in rest if update.message] == ["три"]
    assert await bot.get_updates(offset=rest[-1].update_id + 1) == ()
    assert await bot.get_updates() == ()


async def test_a_negative_offset_forgets_all_but_the_newest(bot: Bot, anna: Person) -> None:
    for text in ("раз", "два", "три"):
        await anna.send(text)
    newest = await bot.get_updates(offset=-1)
    assert [update.message.text for update in newest if update.message] == ["три"]
    assert await bot.get_updates() == newest


async def test_a_long_poll_ends_as_soon_as_there_is_an_update(bot: Bot, anna: Person) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=30))
    while not poll.done():
        await anna.send("раз")
    assert await poll


async def test_a_long_poll_ends_in_time(bot: Bot) -> None:
    assert await asyncio.wait_for(bot.get_updates(timeout=1), 5) == ()


async def test_only_the_updates_that_were_asked_for_come(bot: Bot, anna: Person) -> None:
    assert await bot.get_updates(allowed_updates=[Update.CALLBACK_QUERY]) == ()
    message = (await anna.send("раз"))[0]
    await anna.tap(message.message_id, "1")
    assert [update.callback_query is not None for update in await bot.get_updates()] == [True]
    await bot.get_updates(allowed_updates=[])  # back to the default
    await anna.send("два")
    assert len(await bot.get_updates()) == 2


async def test_a_second_poller_ends_the_poll_of_the_first(bot: Bot, server: LocalServer) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=30))
    async with telegram_bot(server) as rival:
        while not first.done():  # until its request is there to be ended
            await rival.get_updates()
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await first


async def test_a_poller_that_hung_up_is_no_rival(bot: Bot, server: LocalServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        f"GET /bot{LOCAL_TOKEN}/getUpdates?timeout=30 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await bot.get_updates() == ()
    assert reader.at_eof() or await reader.read() == b""


async def test_an_edit_by_a_person_is_an_update(bot: Bot, anna: Person) -> None:
    message = (await anna.send("раз"))[0]
    await anna.edit(message.message_id, "два")
    await anna.edit(message.message_id, "два")  # changes nothing: clients don't send it
    _, update = await bot.get_updates()
    assert update.edited_message
    assert (update.edited_message.text, bool(update.edited_message.edit_date)) == ("два", True)


class Receiver(RequestHandler):
    """A bot's webhook that takes an update only when `statuses` has run out."""

    def initialize(self, statuses: list[int], received: asyncio.Queue[Any]) -> None:
        self.statuses, self.received = statuses, received

    def post(self) -> None:
        self.set_status(self.statuses.pop(0) if self.statuses else 200)
        self.received.put_nowait((self.request.headers, json.loads(self.request.body)))


@asynccontextmanager
async def webhook(*statuses: int) -> AsyncIterator[tuple[str, asyncio.Queue[Any]]]:
    """Its address and what comes in."""
    received: asyncio.Queue[Any] = asyncio.Queue()
    values = {"statuses": list(statuses), "received": received}
    receiver = HTTPServer(Application([("/hook", Receiver, values)], log_function=lambda _: None))
    sockets = bind_sockets(0, "127.0.0.1")
    receiver.add_sockets(sockets)
    yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}/hook", received
    receiver.stop()
    await receiver.close_all_connections()


async def next_post(received: asyncio.Queue[Any]) -> tuple[HTTPHeaders, Update]:
    headers, body = await asyncio.wait_for(received.get(), PATIENCE)
    return headers, Update.de_json(body, None)


async def test_updates_are_posted_to_the_webhook_with_its_secret(bot: Bot, anna: Person) -> None:
    await anna.send("раз")  # before there is a webhook
    async with webhook() as (url, received):
        await bot.set_webhook(url, secret_token="s3cret-TOKEN_")
        await anna.send("два")
        posts = [await next_post(received) for _ in range(2)]
        assert [update.message.text for _, update in posts if update.message] == ["раз", "два"]
        headers = {headers["X-Telegram-Bot-Api-Secret-Token"] for headers, _ in posts}
        assert headers == {"s3cret-TOKEN_"}
        with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
            await bot.get_updates()
        assert (await bot.get_webhook_info()).url == url
        await bot.delete_webhook()
    assert await bot.get_updates() == ()
    assert (await bot.get_webhook_info()).url == ""


async def test_an_update_that_the_webhook_did_not_take_comes_again(bot: Bot, anna: Person) -> None:
    async with webhook(500, 404) as (url, received):
        await bot.set_webhook(url)
        await anna.send("раз")
        updates = [(await next_post(received))[1] for _ in range(3)]
        assert len({update.update_id for update in updates}) == 1
        info = await bot.get_webhook_info()
        assert info.last_error_message == "Wrong response from the webhook: 404 Not Found"


async def test_updates_wait_while_the_webhook_is_away(bot: Bot, anna: Person) -> None:
    async with webhook() as (url, _):
        pass
    await bot.set_webhook(url)
    await anna.send("раз")
    assert (await bot.get_webhook_info()).pending_update_count == 1
    await bot.delete_webhook()
    assert len(await bot.get_updates()) == 1


async def test_a_wrong_webhook_is_refused(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Bad webhook: an https url must be provided"):
        await bot.set_webhook("ftp://127.0.0.1/")
    with pytest.raises(BadRequest, match="Secret token contains unallowed characters"):
        await bot.set_webhook("http://127.0.0.1/", secret_token="a b")


async def test_a_webhook_ends_a_long_poll(bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=30))
    async with webhook() as (url, _):
        while not poll.done():
            await bot.set_webhook(url)
    with pytest.raises(Conflict, match=r"terminated by setWebhook request|while webhook"):
        await poll
