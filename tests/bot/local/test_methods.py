"""The Bot API's envelope: tokens, methods, encodings, chats, commands and ordered trouble."""

import asyncio
import sys

import httpx
import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter

from bot.local.people import LOCAL_ADMIN_ID, LOCAL_TOKEN
from tests.bot.local.bots import ANNA, EMILY, GROUP, call, keyboard
from tests.bot.local_client import PATIENCE, Person, chat_client, control

pytestmark = pytest.mark.anyio


async def test_the_bot_is_told_who_it_is(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.username, me.is_bot) == ("kinorate_bot", True)


async def test_an_unknown_method_is_not_found(http: httpx.AsyncClient, bot: Bot) -> None:
    response = await http.get(f"/bot{LOCAL_TOKEN}/sendTelepathy")
    assert response.status_code == 404
    assert response.json() == {
        "ok": False,
        "error_code": 404,
        "description": "Not Found: method not found",
    }
    with pytest.raises(InvalidToken):
        await bot.send_dice(ANNA)


@pytest.mark.parametrize(("token", "code"), [("2:other", 401), ("nonsense", 404)])
async def test_a_wrong_token_is_refused(http: httpx.AsyncClient, token: str, code: int) -> None:
    for address in (f"/bot{token}/getMe", f"/file/bot{token}/photos/1"):
        response = await http.get(address)
        assert (response.status_code, response.json()["error_code"]) == (code, code)


async def test_methods_are_known_in_any_case_and_in_each_encoding(http: httpx.AsyncClient) -> None:
    address = f"/bot{LOCAL_TOKEN}/sendmessage"
    values = {"chat_id": str(ANNA), "text": "да", "reply_markup": keyboard().to_json()}
    answers = [
        await http.get(address, params=values),
        await http.post(address, data=values),
        await http.post(address, data=values, files={"unused": b"1"}),
        await http.post(address, json=values),
        await http.post(address, json=values | {"reply_markup": keyboard().to_dict()}),
    ]
    for answer in answers:
        message = answer.json()["result"]
        assert (message["text"], message["reply_markup"]) == ("да", keyboard().to_dict())


async def test_what_is_no_json_is_refused(http: httpx.AsyncClient) -> None:
    address = f"/bot{LOCAL_TOKEN}/sendMessage"
    for body in (b"{", b"[1]", b"1"):
        response = await http.post(
            address, content=body, headers={"Content-Type": "application/json"}
        )
        assert response.status_code == 400
    answer = await call(http, "sendMessage", chat_id=ANNA, text="да", reply_markup="{")
    assert answer["description"] == "Bad Request: can't parse reply keyboard markup JSON object"


async def test_who_blocked_the_bot_gets_nothing(bot: Bot, anna: Person) -> None:
    message = await bot.send_message(ANNA, "да")
    await anna.block()
    for request in (
        bot.send_message(ANNA, "да"),
        bot.send_chat_action(ANNA, "typing"),
        message.edit_text("нет"),
    ):
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await request
    change = (await bot.get_updates())[0].my_chat_member
    assert change
    assert (change.old_chat_member.status, change.new_chat_member.status) == ("member", "kicked")
    await anna.block(False)
    assert await bot.send_message(ANNA, "да")


async def test_the_narrowest_commands_in_the_persons_language_are_shown(
    bot: Bot, anna: Person, http: httpx.AsyncClient
) -> None:
    everyone, private = BotCommandScopeAllGroupChats(), BotCommandScopeAllPrivateChats()
    await bot.set_my_commands([BotCommand("help", "везде")])
    await bot.set_my_commands([BotCommand("rate", "в группах")], everyone)
    await bot.set_my_commands([BotCommand("start", "по-русски")], private)
    await bot.set_my_commands([BotCommand("start", "in English")], private, language_code="en")
    await bot.set_my_commands([BotCommand("stats", "итоги")], BotCommandScopeChat(LOCAL_ADMIN_ID))
    assert await anna.commands() == {"start": "по-русски"}
    assert await Person(http, EMILY).commands() == {"start": "in English"}
    assert await Person(http, EMILY, GROUP).commands() == {"rate": "в группах"}
    assert await Person(http, LOCAL_ADMIN_ID).commands() == {"stats": "итоги"}
    await bot.set_my_commands([], everyone)
    assert await Person(http, EMILY, GROUP).commands() == {"help": "везде"}
    for name, reason in (("Start", "BOT_COMMAND_INVALID"), ("команда", "BOT_COMMAND_INVALID")):
        with pytest.raises(BadRequest, match=f"(?i){reason}"):
            await bot.set_my_commands([(name, "что-то")])
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.set_my_commands([("start", "что-то")], BotCommandScopeChat(77))


async def test_a_flood_limit(bot: Bot, http: httpx.AsyncClient) -> None:
    await control(http, rate_limit={"next": 1, "retry_after": 2})
    await bot.send_chat_action(ANNA, "typing")
    with pytest.raises(RetryAfter, match="Retry in 2 seconds"):
        await bot.send_message(ANNA, "да")
    assert await bot.send_message(ANNA, "да")


async def test_a_method_that_fails(bot: Bot, http: httpx.AsyncClient, anna: Person) -> None:
    await control(http, fail={"method": "sendMessage", "next": 2, "status": 502})
    for _ in range(2):
        with pytest.raises(NetworkError, match="Bad Gateway"):
            await bot.send_message(ANNA, "да")
    message = await bot.send_message(ANNA, "да")
    assert await anna.messages() == [message]


# As a process


async def test_it_runs_alone_and_stops_when_asked() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.local", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    said = [(await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode() for _ in "123"]
    token = said[2].partition("TELEGRAM_TOKEN=")[2].strip()
    async with chat_client(said[0].strip()) as http:
        assert (await http.get("/chat/state")).is_success
        assert (await call(http, "getMe", token))["ok"]
        poll = asyncio.create_task(call(http, "getUpdates", token, timeout=30))
        await call(http, "getMe", token)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
        with pytest.raises(httpx.HTTPError):
            await poll
