"""The local Bot API server keeps Telegram's rules, and answers in Telegram's words."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
    MessageEntity,
    ReplyParameters,
    Update,
)
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter
from telegram.request import HTTPXRequest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from bot.local.people import LOCAL_ADMIN_ID, LOCAL_TOKEN
from bot.local.server import LocalServer
from tests.bot.local_client import PATIENCE, Person, chat_client, control

pytestmark = pytest.mark.anyio

ANNA, EMILY, GROUP = 1001, 1003, -1001
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJg"
    "gg=="
)


class Watch:
    """A clock that a test can put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def server(watch: Watch) -> AsyncIterator[LocalServer]:
    server = LocalServer(clock=watch)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def http(server: LocalServer) -> AsyncIterator[httpx.AsyncClient]:
    async with chat_client(server.url) as http:
        yield http


@pytest.fixture
async def bot(server: LocalServer) -> AsyncIterator[Bot]:
    async with telegram_bot(server) as bot:
        yield bot


@pytest.fixture
def anna(http: httpx.AsyncClient) -> Person:
    return Person(http, ANNA)


def telegram_bot(server: LocalServer, token: str = LOCAL_TOKEN) -> Bot:
    # Without certificates, which take longer to load than most of these tests take.
    plain = {"verify": False}
    return Bot(
        token,
        base_url=f"{server.url}/bot",
        base_file_url=f"{server.url}/file/bot",
        request=HTTPXRequest(httpx_kwargs=plain),
        get_updates_request=HTTPXRequest(httpx_kwargs=plain),
    )


def keyboard(data: str = "r:1:9") -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton("9", callback_data=data)]])


async def call(http: httpx.AsyncClient, method: str, **values: Any) -> dict[str, Any]:
    """The answer to a request in JSON; `ok` or not."""
    return dict((await http.post(f"/bot{LOCAL_TOKEN}/{method}", json=values)).json())


# The bot and its methods


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


# Messages


async def test_a_message_goes_out_and_comes_back(bot: Bot, anna: Person) -> None:
    sent = await bot.send_message(ANNA, "Привет", reply_markup=keyboard())
    assert await anna.messages() == [sent]
    assert (await anna.messages())[0].to_dict() == sent.to_dict()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "message text is empty"),
        (" \n\u200b ", "text must be non-empty"),
        ("я" * 4097, "message is too long"),
        ("😀" * 2048 + "я", "message is too long"),  # an emoji is two UTF-16 units
        ("я" * 5000, "message is too long"),
    ],
)
async def test_a_text_that_does_not_fit_is_refused(bot: Bot, text: str, reason: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        await bot.send_message(ANNA, text)
    assert refusal.value.message.lower() == reason


@pytest.mark.parametrize("text", ["я" * 4096, "😀" * 2048, "<b>" + "я" * 4096 + "</b>"])
async def test_a_text_at_the_limit_is_taken(bot: Bot, text: str) -> None:
    message = await bot.send_message(ANNA, text, parse_mode="HTML")
    assert message.text == text.removeprefix("<b>").removesuffix("</b>")


async def test_a_caption_has_a_limit_of_its_own(bot: Bot) -> None:
    message = await bot.send_document(ANNA, b"1", caption="я" * 1024)
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.send_document(ANNA, b"1", caption="я" * 1025)
    with pytest.raises(BadRequest, match="Media_caption_too_long"):
        await message.edit_caption("я" * 1025)


async def test_texts_are_trimmed_and_cleaned(bot: Bot) -> None:
    message = await bot.send_message(ANNA, "\n  a\tb\r\n<b> c </b>\u202e ", parse_mode="HTML")
    assert message.text == "a b\n c"
    assert message.text_html == "a b\n<b> c</b>"


async def test_an_unknown_chat_is_not_found(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(77, "Кто здесь?")


async def test_a_reply_quotes_a_message_that_is_there(bot: Bot, anna: Person) -> None:
    question = (await anna.send("Как фильм?"))[0]
    answer = await bot.send_message(ANNA, "Хорош", reply_to_message_id=question.message_id)
    assert answer.reply_to_message
    assert answer.reply_to_message.text == "Как фильм?"
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(ANNA, "Хорош", reply_parameters=ReplyParameters(1))
    lenient = ReplyParameters(1, allow_sending_without_reply=True)
    assert not (await bot.send_message(ANNA, "Да", reply_parameters=lenient)).reply_to_message


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        ({"text": "9", "callback_data": "я" * 33}, "BUTTON_DATA_INVALID"),  # 66 bytes
        ({"text": "9", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "9", "url": "nowhere"}, "BUTTON_URL_INVALID"),
        ({"text": " ", "callback_data": "1"}, "inline keyboard button text must be non-empty"),
        (
            {"text": "9"},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
    ],
)
async def test_a_wrong_button_is_refused(
    http: httpx.AsyncClient, button: dict[str, str], reason: str
) -> None:
    markup = {"inline_keyboard": [[button]]}
    answer = await call(http, "sendMessage", chat_id=ANNA, text="да", reply_markup=markup)
    assert (answer["error_code"], answer["description"]) == (400, f"Bad Request: {reason}")


async def test_64_bytes_of_callback_data_are_taken(bot: Bot, anna: Person) -> None:
    message = await bot.send_message(ANNA, "да", reply_markup=keyboard("я" * 32))
    await anna.tap(message.message_id, "я" * 32)
    query = (await bot.get_updates())[-1].callback_query
    assert query
    assert query.data == "я" * 32


async def test_an_edit_is_seen(bot: Bot, anna: Person) -> None:
    message = await bot.send_message(ANNA, "да", reply_markup=keyboard())
    marked = await bot.edit_message_reply_markup(ANNA, message.message_id, reply_markup=None)
    assert isinstance(marked, Message)
    assert not marked.reply_markup
    assert not marked.edit_date
    edited = await bot.edit_message_text("<i>нет</i>", ANNA, message.message_id, parse_mode="HTML")
    assert isinstance(edited, Message)
    assert edited.edit_date
    assert (await anna.messages())[0].text_html == "<i>нет</i>"


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot) -> None:
    message = await bot.send_message(ANNA, "<b>да</b>", parse_mode="HTML", reply_markup=keyboard())
    with pytest.raises(BadRequest, match="Message is not modified"):
        await message.edit_text("<b>да</b>", parse_mode="HTML", reply_markup=keyboard())
    with pytest.raises(BadRequest, match="Message is not modified"):
        await message.edit_reply_markup(keyboard())
    await message.edit_text("да", reply_markup=keyboard())  # the entities differ


async def test_what_can_not_be_edited_or_deleted(bot: Bot, http: httpx.AsyncClient) -> None:
    incoming = (await Person(http, ANNA, GROUP).send("Моё"))[0]
    document = await bot.send_document(GROUP, b"1")
    text = await bot.send_message(GROUP, "да")
    refused = [
        (bot.edit_message_text("нет", GROUP, 1), "Message to edit not found"),
        (bot.edit_message_text("нет", GROUP, incoming.message_id), "Message can't be edited"),
        (bot.edit_message_text("нет", GROUP, document.message_id), "There is no text in the"),
        (bot.edit_message_caption(GROUP, text.message_id, caption="нет"), "There is no caption"),
        (text.edit_text("я" * 4097), "Message_too_long"),
        (bot.delete_message(GROUP, 1), "Message to delete not found"),
        (bot.delete_message(GROUP, incoming.message_id), "Message can't be deleted"),
    ]
    for request, reason in refused:
        with pytest.raises(BadRequest, match=reason):
            await request


async def test_old_messages_can_not_be_deleted(bot: Bot, watch: Watch, anna: Person) -> None:
    old, new = await bot.send_message(ANNA, "1"), await bot.send_message(ANNA, "2")
    await new.delete()
    assert await anna.messages() == [old]
    watch.ahead = timedelta(hours=49)
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await old.delete()


async def test_ids_do_not_repeat_after_a_restart(bot: Bot, anna: Person, watch: Watch) -> None:
    await anna.send("раз")
    update = (await bot.get_updates())[0]
    watch.ahead = timedelta(seconds=1)
    later = LocalServer(clock=watch)
    await later.start()
    async with telegram_bot(later) as bot_again, chat_client(later.url) as http:
        message = (await Person(http, ANNA).send("два"))[0]
        assert (await bot_again.get_updates())[0].update_id > update.update_id
        assert update.message
        assert message.message_id > update.message.message_id
    await later.stop()


# Formatting


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<b>а</b>", "а", [("bold", 0, 1)]),
        ("😀<b>а</b>", "😀а", [("bold", 2, 1)]),
        ("<i>а<u>б</u></i>", "аб", [("italic", 0, 2), ("underline", 1, 1)]),
        ("<STRONG >а</strong>", "а", [("bold", 0, 1)]),
        ("<b></b>а", "а", []),
        ("&lt;b&gt; &amp; &quot;&#1076;&#x430;&quot; &nbsp; & &", '<b> & "да" &nbsp; & &', []),
        ("<tg-spoiler>а</tg-spoiler>", "а", [("spoiler", 0, 1)]),
        ('<span class="tg-spoiler">а</span>', "а", [("spoiler", 0, 1)]),
        ("<blockquote>а</blockquote>", "а", [("blockquote", 0, 1)]),
        ("<blockquote expandable>а</blockquote>", "а", [("expandable_blockquote", 0, 1)]),
        ("<code>@kinorate_bot</code>", "@kinorate_bot", [("code", 0, 13)]),
        ('<pre><code class="language-py">а</code></pre>', "а", [("pre", 0, 1)]),
        (
            "<s>@anna_b</s> ya.ru",
            "@anna_b ya.ru",
            [
                ("strikethrough", 0, 7),
                ("mention", 0, 7),
                ("url", 8, 5),
            ],
        ),
    ],
)
async def test_html(bot: Bot, source: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    message = await bot.send_message(ANNA, source, parse_mode="HTML")
    assert message.text == text
    assert [(e.type, e.offset, e.length) for e in message.entities] == entities


async def test_html_attributes(bot: Bot) -> None:
    source = (
        "<a href='https://ya.ru/?a=1&amp;b=2'>да</a> <pre><code class=language-py>x</code></pre>"
    )
    link, code = (await bot.send_message(ANNA, source, parse_mode="HTML")).entities
    assert (link.type, link.url) == ("text_link", "https://ya.ru/?a=1&b=2")
    assert (code.type, code.language) == ("pre", "py")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<b>а", 'Can\'t find end tag corresponding to start tag "b"'),
        ("я <film>", 'Unsupported start tag "film" at byte offset 3'),
        ("5 < 6", 'Unsupported start tag "" at byte offset 2'),
        ("5 <6", "Unclosed start tag at byte offset 2"),
        ("а</b>", "Unexpected end tag at byte offset 2"),
        ("<b>а</i>", 'Unmatched end tag at byte offset 5, expected "</b>", found "</i>"'),
        ("<span>а</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        (
            "<a href>а</a>",
            'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0',
        ),
        ('<a href="а', "Unclosed start tag at byte offset 0"),
        ('<a ="а">', 'Empty attribute name in the tag "a" at byte offset 0'),
    ],
)
async def test_html_that_can_not_be_parsed(
    http: httpx.AsyncClient, source: str, reason: str
) -> None:
    answer = await call(http, "sendMessage", chat_id=ANNA, text=source, parse_mode="HTML")
    assert answer == {
        "ok": False,
        "error_code": 400,
        "description": f"Bad Request: can't parse entities: {reason}",
    }


async def test_entities_may_come_instead_of_html(bot: Bot) -> None:
    entities = [MessageEntity("bold", 1, 2)]
    assert (await bot.send_message(ANNA, " да", entities=entities)).text_html == "<b>да</b>"


async def test_entities_of_what_a_person_writes(anna: Person) -> None:
    text = "/rate@kinorate_bot 😀 @kinorate_bot, https://kino.ru/1. a@kino.ru #кино и/или"
    message = (await anna.send(text))[0]
    assert {entity.type: value for entity, value in message.parse_entities().items()} == {
        "bot_command": "/rate@kinorate_bot",
        "mention": "@kinorate_bot",
        "url": "https://kino.ru/1",
        "email": "a@kino.ru",
        "hashtag": "#кино",
    }


# Updates


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


# Callback queries


async def test_a_tap_is_answered(bot: Bot, anna: Person) -> None:
    message = await bot.send_message(ANNA, "да", reply_markup=keyboard())
    tap = asyncio.create_task(anna.tap_and_wait(message.message_id, "r:1:9"))
    query = (await bot.get_updates(timeout=10))[0].callback_query
    assert query
    assert (query.from_user.id, query.data) == (ANNA, "r:1:9")
    assert query.message == message
    await query.answer("Записал")
    assert await tap == "Записал"


async def test_a_query_can_be_answered_once_and_soon(
    bot: Bot, anna: Person, watch: Watch, http: httpx.AsyncClient
) -> None:
    message = await bot.send_message(ANNA, "да", reply_markup=keyboard())
    stale = "Query is too old and response timeout expired or query id is invalid"
    query_id = await anna.tap(message.message_id, "1")
    await bot.answer_callback_query(query_id)
    with pytest.raises(BadRequest, match=stale):
        await bot.answer_callback_query(query_id)
    query_id = await anna.tap(message.message_id, "1")
    watch.ahead = timedelta(minutes=1)
    with pytest.raises(BadRequest, match=stale):
        await bot.answer_callback_query(query_id)
    await control(http, stale_queries=True)
    query_id = await anna.tap(message.message_id, "1")
    with pytest.raises(BadRequest, match=stale):
        await bot.answer_callback_query(query_id)


async def test_a_tap_on_a_message_that_is_gone(bot: Bot, anna: Person) -> None:
    message = await bot.send_message(ANNA, "да", reply_markup=keyboard())
    await message.delete()
    await anna.tap(message.message_id, "r:1:9")
    query = (await bot.get_updates())[0].callback_query
    assert query
    assert query.message
    assert not query.message.is_accessible


# Files


async def test_files_go_up_and_down(bot: Bot, anna: Person, http: httpx.AsyncClient) -> None:
    review = "Отзыв".encode()
    sent = await bot.send_document(
        ANNA, review, filename="отзыв.txt", caption="<b>Вот</b>", parse_mode="HTML"
    )
    assert sent.document
    assert (sent.document.file_name, sent.document.mime_type) == ("отзыв.txt", "text/plain")
    assert sent.caption_html == "<b>Вот</b>"
    shown = await http.get(f"/chat/file/{sent.document.file_id}")
    assert shown.content == review
    assert shown.headers["Content-Type"] == "application/octet-stream"
    assert shown.headers["Content-Disposition"].startswith("attachment")

    received = await anna.send_file("document", ("a.txt", b"review", "text/plain"), caption="Мой")
    assert received.document
    file = await bot.get_file(received.document.file_id)
    assert bytes(await file.download_as_bytearray()) == b"review"
    again = await bot.send_document(ANNA, received.document.file_id)
    assert again.document == received.document


async def test_photos_have_a_size(bot: Bot, anna: Person, http: httpx.AsyncClient) -> None:
    received = await anna.send_file("photo", ("p.png", PIXEL, "image/png"))
    assert [(size.width, size.height) for size in received.photo] == [(1, 1)]
    sent = await bot.send_photo(ANNA, PIXEL, caption="График")
    shown = await http.get(f"/chat/file/{sent.photo[-1].file_id}")
    assert (shown.content, shown.headers["Content-Disposition"][:6]) == (PIXEL, "inline")
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_photo(ANNA, b"no image")


async def test_a_text_becomes_a_photo(bot: Bot) -> None:
    message = await bot.send_message(ANNA, "да", reply_markup=keyboard())
    edited = await message.edit_media(InputMediaPhoto(PIXEL, "<b>График</b>", parse_mode="HTML"))
    assert isinstance(edited, Message)
    assert (edited.text, edited.caption_html, len(edited.photo)) == (None, "<b>График</b>", 1)
    same = InputMediaPhoto(edited.photo[0].file_id, "<b>График</b>", parse_mode="HTML")
    with pytest.raises(BadRequest, match="Message is not modified"):
        await edited.edit_media(same)


async def test_unknown_files_are_refused(bot: Bot, http: httpx.AsyncClient) -> None:
    with pytest.raises(BadRequest, match="Invalid file_id"):
        await bot.get_file("nothing")
    with pytest.raises(BadRequest, match="Wrong file identifier/http url specified"):
        await bot.send_document(ANNA, "nothing")
    with pytest.raises(BadRequest, match="File must be non-empty"):
        await bot.send_document(ANNA, b"")
    assert (await http.get("/chat/file/nothing")).status_code == 404


@pytest.mark.parametrize("kind", ["voice", "sticker"])
async def test_stand_ins_for_what_a_page_can_not_record(bot: Bot, anna: Person, kind: str) -> None:
    await anna.send_file(kind)
    message = (await bot.get_updates())[0].message
    assert message
    assert message.effective_attachment == getattr(message, kind)


async def test_a_forwarded_channel_post(bot: Bot, anna: Person) -> None:
    await anna.send_file("channel_post", caption="Новость")
    message = (await bot.get_updates())[0].message
    assert message
    assert message.forward_origin
    assert (message.text, message.forward_origin.type) == ("Новость", "channel")


# Chats, people, commands


async def test_chats_and_members(bot: Bot) -> None:
    group = await bot.get_chat(GROUP)
    assert (group.type, group.title) == ("group", "Киноклуб")
    assert (await bot.get_chat_member(GROUP, ANNA)).status == "member"
    assert (await bot.get_chat_member(ANNA, EMILY)).status == "left"
    with pytest.raises(BadRequest, match="User not found"):
        await bot.get_chat_member(GROUP, 77)


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
    await bot.delete_my_commands(everyone)
    assert await Person(http, EMILY, GROUP).commands() == {"help": "везде"}
    assert [command.command for command in await bot.get_my_commands(private)] == ["start"]
    for name, reason in (("Start", "BOT_COMMAND_INVALID"), ("команда", "BOT_COMMAND_INVALID")):
        with pytest.raises(BadRequest, match=f"(?i){reason}"):
            await bot.set_my_commands([(name, "что-то")])
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.set_my_commands([("start", "что-то")], BotCommandScopeChat(77))


# Trouble to order


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


# Webhooks


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


# People


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
    async with anna.events() as events:
        await bot.send_chat_action(ANNA, "typing")
        message = await bot.send_message(ANNA, "да", reply_markup=keyboard())
        await message.edit_text("нет")
        await bot.answer_callback_query(await anna.tap(message.message_id, "1"), show_alert=True)
        await message.delete()
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


# Nobody from elsewhere


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_other_sites_are_kept_out(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    for address in ("/chat/send", f"/bot{LOCAL_TOKEN}/sendMessage"):
        values = {"user": ANNA, "chat": ANNA, "chat_id": ANNA, "text": "да"}
        assert (await http.post(address, json=values, headers=headers)).status_code == 403
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
    assert (await http.get("/page/../server.py")).status_code in (403, 404)
    assert (await http.get("/page/%2e%2e/server.py")).status_code in (403, 404)


async def test_it_listens_on_loopback_only_and_on_a_free_port(server: LocalServer) -> None:
    with pytest.raises(OSError, match="in use"):
        await LocalServer(server.port).start()
    with pytest.raises(OSError, match=r".*"):
        await asyncio.open_connection("127.0.0.2", server.port)
