"""Whatever getUpdates answers, the next update is fetched, or the reason for the end is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from telegram import Bot, Update
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from bot.delivery.inbox import Inbox
from bot.delivery.polling import Polling, PollingRequest, next_offset
from bot.delivery.raw_updates import Json
from bot.delivery.requests import TelegramRequest
from bot.delivery.retries import Pulse
from bot.errors import BotError
from db.engine import Sessions
from tests.bot.inboxes import inbox_on

pytestmark = pytest.mark.anyio

LAST = 999
Answer = tuple[int, bytes]


def granted(result: object) -> Answer:
    return 200, json.dumps({"ok": True, "result": result}).encode()


def refused(status: int, description: str = "no", **parameters: object) -> Answer:
    answer: Json = {"ok": False, "error_code": status, "description": description}
    if parameters:
        answer["parameters"] = parameters
    return status, json.dumps(answer).encode()


class Telegram:
    """Answers getUpdates as a test has written, then with one last update."""

    def __init__(self) -> None:
        self.polls: list[Answer] = []
        self.me: list[Answer] = []  # likewise for getMe
        self.offsets: list[int] = []
        self.url = ""

    def answer(self, method: str, offset: int) -> Answer:
        if method == "getMe":
            bot = {"id": 1, "is_bot": True, "first_name": "Kinorate", "username": "kinorate_bot"}
            return self.me.pop(0) if self.me else granted(bot)
        if method != "getUpdates":
            return granted(True)
        self.offsets.append(offset)
        return self.polls.pop(0) if self.polls else granted([{"update_id": LAST}])


class _Method(RequestHandler):
    def initialize(self, telegram: Telegram) -> None:
        self.telegram = telegram

    def post(self, method: str) -> None:
        status, body = self.telegram.answer(method, int(self.get_argument("offset", "0")))
        self.set_status(status)
        self.finish(body)


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    (socket,) = bind_sockets(0, "127.0.0.1")
    telegram = Telegram()
    telegram.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    routes = [(r"/bot[^/]+/(\w+)", _Method, {"telegram": telegram})]
    server = HTTPServer(Application(routes, log_function=lambda _: None))
    server.add_sockets([socket])
    yield telegram
    server.stop()
    await server.close_all_connections()


class Fetching:
    def __init__(self, telegram: Telegram, write: Sessions) -> None:
        self.pulse = Pulse()
        self.unreadable: list[str] = []
        self._write = write
        way: dict[str, Any] = {"httpx_kwargs": {"trust_env": False, "verify": False}}
        self._request = PollingRequest(**way)
        self._bot = Bot(
            "1:secret",
            f"{telegram.url}/bot",
            request=TelegramRequest(**way),
            get_updates_request=self._request,
        )

    async def until_the_last(self) -> list[int]:
        """The ids of what is fetched until the last update is there."""
        async with self._bot:
            inbox = await inbox_on(self._write, self.unreadable.append)
            polling = Polling(self._bot, self._request, inbox, self.pulse)
            fetching = asyncio.create_task(polling.run())
            claiming = asyncio.create_task(self._claim(inbox))
            fetched: list[int] = []
            try:
                while LAST not in fetched:
                    taking = asyncio.create_task(inbox.queue.get())
                    await asyncio.wait(
                        {taking, fetching}, return_when=asyncio.FIRST_COMPLETED, timeout=30
                    )
                    if fetching.done():
                        taking.cancel()
                        fetching.result()
                    update = await asyncio.wait_for(taking, 1)
                    assert isinstance(update, Update)
                    fetched.append(update.update_id)
            finally:
                for task in (fetching, claiming):
                    task.cancel()
                await asyncio.wait({fetching, claiming})
        return fetched

    async def _claim(self, inbox: Inbox) -> None:
        while await inbox.changed.wait():
            inbox.changed.clear()
            await inbox.claim(self._bot, 100, 100)


@pytest.fixture
def fetching(
    telegram: Telegram, write: Sessions, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Fetching]:
    monkeypatch.setattr("bot.delivery.retries.LONGEST_PAUSE", 0.001)
    monkeypatch.setattr("bot.delivery.retries.PAUSE_OF_TOKEN", 0.001)
    return lambda: Fetching(telegram, write)


PAGE = b"<html>Log in to the network</html>"
NO_ANSWERS: dict[str, Answer] = {
    "portal": (200, PAGE),
    "proxy's 404": (404, PAGE),
    "proxy's 401": (401, PAGE),
    "proxy's 403 in JSON": (403, b'{"error": "blocked"}'),
    "proxy's 409": (409, PAGE),
    "nothing": (200, b""),
    "null": (200, b"null"),
    "no result": (200, b'{"ok": true}'),
    "result of a wrong type": granted(True),
    "too deep": (200, 100_000 * b"["),
    "bad gateway": (502, PAGE),
    "Telegram's 404": refused(404, "Not Found"),
    "Telegram's 401": refused(401, "Unauthorized"),
    "Telegram's 403": refused(403, "Forbidden"),
    "Telegram's 400": refused(400, "Bad Request"),
    "Telegram's 500": refused(500, "Internal Server Error"),
    "flood": refused(429, "Too Many Requests: retry after 1", retry_after=1),
    "two conflicts": refused(409, "Conflict"),
    "not Unicode": (200, b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
async def test_an_answer_that_brings_nothing_is_waited_out(
    answer: Answer,
    telegram: Telegram,
    fetching: Callable[[], Fetching],
    caplog: pytest.LogCaptureFixture,
) -> None:
    telegram.polls = [granted([{"update_id": 5}]), answer, answer, granted([{"update_id": 6}])]
    assert await fetching().until_the_last() == [5, 6, LAST]
    assert telegram.offsets[:4] == [0, 6, 6, 6]
    assert not [each for each in caplog.records if each.exc_info]
    assert "secret" not in caplog.text


async def test_a_token_is_refused_when_getme_says_so_twice(
    telegram: Telegram, fetching: Callable[[], Fetching]
) -> None:
    no = refused(401, "Unauthorized")
    telegram.polls = [no] * 3
    # The first is for the bot's own start.
    telegram.me = [
        telegram.answer("getMe", 0),
        no,
        telegram.answer("getMe", 0),
        (404, PAGE),
        no,
        no,
    ]
    with pytest.raises(BotError, match="Telegram refused TELEGRAM_TOKEN"):
        await fetching().until_the_last()
    assert telegram.me == []


@pytest.mark.parametrize(("fetched_before", "patience"), [(False, 3), (True, 6)])
async def test_conflicts_in_a_row_mean_another_poller(
    fetched_before: bool, patience: int, telegram: Telegram, fetching: Callable[[], Fetching]
) -> None:
    before = [granted([])] if fetched_before else []
    conflict = refused(409, "Conflict")
    telegram.polls = [*before, *[conflict] * (patience - 1), granted([])]
    assert await fetching().until_the_last() == [LAST]
    telegram.polls = [*before, *[conflict] * patience]
    with pytest.raises(BotError, match="Another program fetches"):
        await fetching().until_the_last()


async def test_what_is_no_update_holds_nothing_up(
    telegram: Telegram, fetching: Callable[[], Fetching]
) -> None:
    junk: list[object] = [None, 5, "text", [], {}, {"update_id": "7"}]
    telegram.polls = [
        granted([*junk, {"update_id": 20}, *junk]),
        granted(junk),
        granted([{"update_id": 21, "message": {"text": 5}}, {"update_id": 22}]),
    ]
    fetched = fetching()
    assert await fetched.until_the_last() == [20, 22, LAST]
    assert telegram.offsets[:4] == [0, 21, 21 + len(junk), 23]
    assert fetched.unreadable == ["unknown"] * 3 * len(junk) + ["message"]


async def test_a_batch_of_nothing_but_junk_is_no_hot_loop(
    telegram: Telegram, fetching: Callable[[], Fetching], caplog: pytest.LogCaptureFixture
) -> None:
    telegram.polls = [granted([{}])] * 3
    assert await fetching().until_the_last() == [LAST]
    told = [each for each in caplog.records if each.message == "fetching updates failed"]
    assert ["updates without ids" in vars(each)["error"] for each in told] == [True] * 3


@pytest.mark.parametrize(
    ("offset", "items", "after"),
    [
        (0, [], 0),
        (7, [], 7),
        (0, [{"update_id": 9}, {"update_id": 10}], 11),
        (900, [{"update_id": 5}], 6),  # Telegram starts anew after a quiet week
        (7, [{}, {}], 9),
        (0, [{}], 0),
    ],
)
def test_what_confirms_updates(offset: int, items: list[Json], after: int) -> None:
    assert next_offset(offset, list(items)) == after
