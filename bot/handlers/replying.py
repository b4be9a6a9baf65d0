"""Where an answer goes, and what follows a tap: a toast, and another text in its message."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import IO, Any

from telegram import (
    Bot,
    CallbackQuery,
    InlineKeyboardMarkup,
    InputFile,
    MaybeInaccessibleMessage,
    Message,
    ReplyParameters,
)
from telegram.constants import ParseMode
from telegram.error import RetryAfter, TelegramError

from bot.delivery.outgoing import seconds_of
from bot.delivery.processor import can_wait, pause_after

_SECONDS_TO_SEND = 300  # a file of 45 MB may take that long
_TURNS_AWAITED = 5
_TRIES = 9

logger = logging.getLogger(__name__)


def topic_of(message: MaybeInaccessibleMessage) -> dict[str, int]:
    """The topic of a forum, or of a channel's messages, that a message is in; {} if in none.

    `message_thread_id` alone may name a chain of replies, to which nothing can be sent.
    """
    if not isinstance(message, Message):
        return {}
    if message.direct_messages_topic is not None:
        return {"direct_messages_topic_id": message.direct_messages_topic.topic_id}
    if message.is_topic_message and message.message_thread_id is not None:
        return {"message_thread_id": message.message_thread_id}
    return {}


def place_of(message: MaybeInaccessibleMessage) -> dict[str, Any]:
    """Where the answer to a message goes, as the arguments of the bot's send methods."""
    reply = ReplyParameters(message.message_id, allow_sending_without_reply=True)
    return {"chat_id": message.chat.id, "reply_parameters": reply, **topic_of(message)}


def place_of_tap(query: CallbackQuery) -> dict[str, Any]:
    """Where the answer to a tap goes; without its message, to whoever tapped."""
    return {"chat_id": query.from_user.id} if query.message is None else place_of(query.message)


async def toast(query: CallbackQuery, text: str | None = None, *, alert: bool = False) -> None:
    """Answer the query, which stops the button's spinner.

    It is worth something at this moment only, and no failure if Telegram does not take it.
    """
    try:
        await query.answer(text, alert)
    except TelegramError as error:
        if can_wait(error) and not isinstance(error, RetryAfter):
            raise
        logger.info("a tap can't be answered", extra={"why": str(error)})


def is_button(query: CallbackQuery) -> bool:
    """Whether the message has the button that was tapped, as far as Telegram shows the message.

    A client may send any data under any message: of somebody else's answer, say.
    """
    keyboard = query.message.reply_markup if isinstance(query.message, Message) else None
    rows = keyboard.inline_keyboard if keyboard else ()
    return any(button.callback_data == query.data for row in rows for button in row)


async def show(
    query: CallbackQuery, text: str, keyboard: InlineKeyboardMarkup | None = None
) -> bool:
    """Change the message under which the button is; whether it shows the text now.

    Telegram refuses for many reasons: the message is gone or too old, it has no such id any more,
    the bot may not write there. None of them undoes what the tap has done.
    """
    if query.message is None:
        return False
    try:
        await query.get_bot().edit_message_text(
            text,
            query.message.chat.id,
            query.message.message_id,
            parse_mode=ParseMode.HTML,
            reply_markup=keyboard,
        )
    except TelegramError as error:
        if can_wait(error):
            raise
        if "message is not modified" in error.message.lower():
            return True
        logger.info("a message can't be changed", extra={"why": str(error)})
        return False
    return True


async def tell(query: CallbackQuery, text: str) -> None:
    """Say what the tap has done: in the message with the button, else in a new one."""
    if await show(query, text):
        return
    await tell_beside(query, text)


async def tell_beside(query: CallbackQuery, text: str) -> None:
    """Say something about a tap in a message of its own."""
    place = place_of_tap(query)
    await query.get_bot().send_message(text=text, parse_mode=ParseMode.HTML, **place)


async def send_file(bot: Bot, document: InputFile, caption: str, place: dict[str, Any]) -> None:
    """Send a file. It waits here for its chat's turn: tried again, it would be made again."""
    for left in reversed(range(_TURNS_AWAITED)):
        try:
            await bot.send_document(
                document=document, caption=caption, write_timeout=_SECONDS_TO_SEND, **place
            )
        except RetryAfter as error:
            if not left:
                raise
            await asyncio.sleep(seconds_of(error))
        else:
            return


async def send_chart(send: Callable[[], Awaitable[object]]) -> None:
    """Send the picture that follows a text, or leave it out: else the text would come again."""
    try:
        await insist(send)
    except TelegramError as error:
        logger.warning("a chart can't be sent", extra={"why": str(error)})


async def insist(send: Callable[[], Awaitable[object]]) -> None:
    """Try again as long as Telegram is away, where nobody else will: for some minutes."""
    for retry in range(1, _TRIES):
        try:
            await send()
            return
        except Exception as error:
            if not can_wait(error):
                raise
            pause = pause_after(error, retry)
        await asyncio.sleep(pause)
    await send()


def from_disk(content: IO[bytes], name: str) -> InputFile:
    """A file as it is sent: read as it goes out, not into memory."""
    return InputFile(content, filename=name, read_file_handle=False)
