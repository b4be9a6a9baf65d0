"""What people at the chat page can do and see, and that nobody else can."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from telegram import (
    Bot,
)

from bot.local.people import LOCAL_TOKEN
from bot.local.server import LocalServer
from tests.bot.crowd import Time
from tests.bot.local.bots import ANNA, EMILY, GROUP, call, keyboard
from tests.bot.local_client import Person, chat_client

pytestmark = pytest.mark.anyio


async def test_a_long_text_is_split_as_clients_do(anna: Person) -> None:
    words = " ".join(f"слово{number}" for number in range(1500))
    sent = [message.text or "" for message in await anna.send(words)]
    assert len(sent) == 4
    assert " ".join(sent) == words
    assert all(3500 < len(text) <= 4096 for text in sent[:-1])
    emoji = [message.text or "" for message in await anna.send("😀" * 5000)]
    assert [len(text) for text in emoji] == [2048, 2048, 904]


async def test_only_members_see_a_chat(http: httpx.AsyncClient, bot: Bot) -> None:
    await bot.send_message(ANNA, "лично")
    response = await http.get("/chat/messages", params={"user": EMILY, "chat": ANNA})
    assert response.status_code == 403
    await bot.send_message(GROUP, "всем")
    group = [message.text for message in await Person(http, EMILY, GROUP).messages()]
    assert group == ["всем"]
    async with Person(http, EMILY).events(after=0) as events:
        assert (await anext(events))["message"]["text"] == "всем"


async def test_no_event_is_lost_by_who_resumes(bot: Bot, anna: Person) -> None:
    texts = [str(number) for number in range(30)]
    seen: list[str] = []
    last = 0
    for start in range(0, 30, 10):
        for text in texts[start : start + 10]:
            await bot.send_message(ANNA, text)
        async with anna.events(after=last) as events:
            for _ in range(10 if start else 5):  # hangs up in the middle of the first ten
                event = await anext(events)
                seen.append(event["message"]["text"])
                last = event["number"]
    async with anna.events(after=last) as events:
        while len(seen) < 30:
            seen.append((await anext(events))["message"]["text"])
    assert seen == texts


async def test_the_header_of_a_browser_that_reconnects(bot: Bot, http: httpx.AsyncClient) -> None:
    for text in ("раз", "два"):
        await bot.send_message(ANNA, text)
    async with Person(http, ANNA).events(after=0) as events:
        first = await anext(events)
    parameters: dict[str, str | int] = {"user": ANNA, "after": 0}
    headers = {"Last-Event-ID": str(first["number"])}
    async with http.stream("GET", "/chat/events", params=parameters, headers=headers) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                assert json.loads(line.removeprefix("data: "))["message"]["text"] == "два"
                break


async def test_events_of_all_kinds(bot: Bot, anna: Person, http: httpx.AsyncClient) -> None:
    own = (await anna.send("Привет"))[0]
    async with anna.events() as events:
        await bot.send_chat_action(ANNA, "typing")
        message = await bot.send_message(ANNA, "да", reply_markup=keyboard())
        await message.edit_text("нет")
        await bot.answer_callback_query(await anna.tap(message.message_id, "1"), show_alert=True)
        await anna.delete(own.message_id)
        await bot.set_my_commands([("start", "Начать")])
        kinds = [(await anext(events))["type"] for _ in range(6)]
    assert kinds == ["typing", "message", "edited", "callback_answer", "deleted", "commands"]


async def test_who_is_there(http: httpx.AsyncClient) -> None:
    state = (await http.get("/chat/state")).json()
    assert [user["first_name"] for user in state["users"] if user["admin"]] == ["Борис"]
    assert {chat["title"] for chat in state["chats"]} == {"Kinorate", "Киноклуб"}


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("send", {"chat": ANNA, "text": ""}, 400),
        ("send", {"chat": ANNA, "text": "\ud800"}, 400),
        ("send", {"chat": EMILY, "text": "да"}, 403),
        ("send", {"chat": ANNA, "text": "да", "reply_to": 1}, 404),
        ("edit", {"chat": ANNA, "message_id": 1, "text": "да"}, 404),
        ("tap", {"chat": ANNA, "message_id": 1, "data": "я" * 33}, 400),
        ("send_file", {"chat": ANNA, "kind": "photo"}, 400),
        ("control", {"fail": {}}, 400),
        ("fly", {}, 404),
    ],
)
async def test_what_a_person_can_not_do(
    http: httpx.AsyncClient, name: str, values: dict[str, Any], code: int
) -> None:
    body = json.dumps({"user": ANNA, **values})
    response = await http.post(
        f"/chat/{name}", content=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == code
    assert response.json()["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "["},
        {"Host": "[::1"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "127.0.0.1@evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_other_sites_are_kept_out(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    for address in ("/chat/send", f"/bot{LOCAL_TOKEN}/sendMessage"):
        values = {"user": ANNA, "chat": ANNA, "chat_id": ANNA, "text": "да"}
        assert (await http.post(address, json=values, headers=headers)).status_code in (400, 403)
    messages = await Person(http, ANNA).messages()
    assert messages == []


async def test_the_page_itself_is_let_in(server: LocalServer, http: httpx.AsyncClient) -> None:
    values = {"user": ANNA, "chat": ANNA, "text": "да"}
    headers = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    assert (await http.post("/chat/send", json=values, headers=headers)).status_code == 200
    by_name = {"Host": f"localhost:{server.port}", "Origin": f"http://localhost:{server.port}"}
    assert (await http.post("/chat/send", json=values, headers=by_name)).status_code == 200


async def test_the_page_takes_nothing_from_elsewhere(http: httpx.AsyncClient) -> None:
    page = await http.get("/", headers={"Sec-Fetch-Site": "cross-site"})
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert (await http.get("/page/../server.py")).status_code in (403, 404)
    assert (await http.get("/page/%2e%2e/server.py")).status_code in (403, 404)


async def test_it_listens_on_loopback_only_and_on_a_free_port(server: LocalServer) -> None:
    with pytest.raises(OSError, match="in use"):
        await LocalServer(server.port).start()
    with pytest.raises(OSError, match=r".*"):
        await asyncio.open_connection("127.0.0.2", server.port)


async def test_other_machines_reach_it_where_the_operator_says_so(clock: Time) -> None:
    """127.0.0.1 is where the bot comes from, whatever the address that others use."""
    server = LocalServer(clock=clock, key="a-key_of-the-start", host="0.0.0.0")
    await server.start()
    try:
        async with chat_client(server.page) as http:
            for host, scheme in (("192.0.2.7:8081", "http"), ("chat.example.org", "https")):
                named = {"Host": host, "Origin": f"{scheme}://{host}"}
                post = {"user": ANNA, "chat": ANNA, "text": "да"}
                send = "/chat/send?key=a-key_of-the-start"
                assert (await http.post(send, json=post, headers=named)).status_code == 200
                page = await http.get("/?key=a-key_of-the-start", headers={"Host": host})
                assert page.status_code == 302
                assert page.headers["Set-Cookie"].startswith("kinorate_")
                foreign = named | {"Origin": "http://evil.example"}
                assert (await http.post(send, json=post, headers=foreign)).status_code == 403
            assert (await http.get("/", headers={"Host": "["})).status_code in (400, 403)
        async with chat_client(f"http://127.0.0.2:{server.port}") as stranger:
            assert (await stranger.get("/")).status_code == 403  # without the key
            assert (await call(stranger, "getMe"))["error_code"] == 401
    finally:
        await server.stop()


async def test_on_another_address_it_is_on_loopback_as_well(clock: Time) -> None:
    server = LocalServer(clock=clock, host="127.0.0.2")
    await server.start()
    try:
        for address in ("127.0.0.1", "127.0.0.2"):
            async with chat_client(f"http://{address}:{server.port}") as http:
                answer = await http.get("/", headers={"Host": f"localhost:{server.port}"})
                assert answer.status_code == 200
                assert (await http.get("/", headers={"Host": "evil.example"})).status_code == 403
    finally:
        await server.stop()


PLACES = ("/", "/page/chat.js", "/chat/state", "/chat/file/1", f"/chat/events?user={ANNA}")


async def test_only_who_has_the_key_sees_the_chat(clock: Time) -> None:
    server = LocalServer(clock=clock, key="a-key_of-the-start")
    await server.start()
    try:
        async with chat_client(server.url) as stranger, chat_client(server.page) as http:
            for place in PLACES:
                for wrong in ("", "wrong", "й", "%ff"):
                    given = f"{place}{'&' if '?' in place else '?'}key={wrong}"
                    assert (await stranger.get(given)).status_code in (400, 403), given
            post = {"user": ANNA, "chat": ANNA, "text": "да"}
            assert (await stranger.post("/chat/send", json=post)).status_code == 403
            assert (await call(stranger, "getMe"))["error_code"] == 401
            assert (await call(stranger, "getMe", server.token))["ok"]
            assert not stranger.cookies
            visit = await http.get(server.page)  # the address bar, and the history, lose the key
            assert (visit.status_code, visit.headers["Location"]) == (302, "/")
            assert "HttpOnly" in visit.headers["Set-Cookie"]
            assert [message.text for message in await Person(http, ANNA).send("да")] == ["да"]
    finally:
        await server.stop()
