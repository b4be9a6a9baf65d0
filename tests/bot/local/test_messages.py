"""Messages, keyboards and files keep Telegram's rules and get its error texts."""

import asyncio
import base64

import httpx
import pytest
from telegram import (
    Bot,
    Message,
    ReplyParameters,
)
from telegram.error import BadRequest

from bot.local.server import LocalServer
from tests.bot.crowd import Time
from tests.bot.local.bots import ANNA, GROUP, call, keyboard, telegram_bot
from tests.bot.local_client import Person, chat_client, control

pytestmark = pytest.mark.anyio

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJg"
    "gg=="
)


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
    await bot.send_document(ANNA, b"1", caption="я" * 1024)
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.send_document(ANNA, b"1", caption="я" * 1025)


async def test_texts_are_trimmed_and_cleaned(bot: Bot) -> None:
    message = await bot.send_message(ANNA, "\n  a\tb\r\n<b> c </b>\u202e ", parse_mode="HTML")
    assert message.text == "a b\n c"
    assert message.text_html == "a b\n <b>c</b>"


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
    edited = await bot.edit_message_text("<i>нет</i>", ANNA, message.message_id, parse_mode="HTML")
    assert isinstance(edited, Message)
    assert edited.edit_date
    assert not edited.reply_markup
    assert (await anna.messages())[0].text_html == "<i>нет</i>"


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot) -> None:
    message = await bot.send_message(ANNA, "<b>да</b>", parse_mode="HTML", reply_markup=keyboard())
    with pytest.raises(BadRequest, match="Message is not modified"):
        await message.edit_text("<b>да</b>", parse_mode="HTML", reply_markup=keyboard())
    await message.edit_text("да", reply_markup=keyboard())  # the entities differ


async def test_what_can_not_be_edited(bot: Bot, http: httpx.AsyncClient) -> None:
    incoming = (await Person(http, ANNA, GROUP).send("Моё"))[0]
    document = await bot.send_document(GROUP, b"1")
    text = await bot.send_message(GROUP, "да")
    refused = [
        (bot.edit_message_text("нет", GROUP, 1), "Message to edit not found"),
        (bot.edit_message_text("нет", GROUP, incoming.message_id), "Message can't be edited"),
        (bot.edit_message_text("нет", GROUP, document.message_id), "There is no text in the"),
        (text.edit_text("я" * 4097), "Message_too_long"),
    ]
    for request, reason in refused:
        with pytest.raises(BadRequest, match=reason):
            await request


async def test_ids_do_not_repeat_after_a_restart(bot: Bot, anna: Person, clock: Time) -> None:
    await anna.send("раз")
    update = (await bot.get_updates())[0]
    clock.pass_by(seconds=1)
    later = LocalServer(clock=clock)
    await later.start()
    async with telegram_bot(later) as bot_again, chat_client(later.url) as http:
        message = (await Person(http, ANNA).send("два"))[0]
        assert (await bot_again.get_updates())[0].update_id > update.update_id
        assert update.message
        assert message.message_id > update.message.message_id
    await later.stop()


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
    bot: Bot, anna: Person, clock: Time, http: httpx.AsyncClient
) -> None:
    message = await bot.send_message(ANNA, "да", reply_markup=keyboard())
    stale = "Query is too old and response timeout expired or query id is invalid"
    query_id = await anna.tap(message.message_id, "1")
    await bot.answer_callback_query(query_id)
    with pytest.raises(BadRequest, match=stale):
        await bot.answer_callback_query(query_id)
    query_id = await anna.tap(message.message_id, "1")
    clock.pass_by(minutes=1)
    with pytest.raises(BadRequest, match=stale):
        await bot.answer_callback_query(query_id)
    await control(http, stale_queries=True)
    query_id = await anna.tap(message.message_id, "1")
    with pytest.raises(BadRequest, match=stale):
        await bot.answer_callback_query(query_id)


async def test_a_tap_on_a_message_that_is_gone(bot: Bot, anna: Person) -> None:
    message = (await anna.send("да"))[0]
    await anna.delete(message.message_id)
    await anna.tap(message.message_id, "r:1:9")
    query = (await bot.get_updates())[-1].callback_query
    assert query
    assert query.message
    assert not query.message.is_accessible


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
