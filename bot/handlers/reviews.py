"""Reviews in a private chat, as text or as a file, and reviews that are edited anywhere."""

import asyncio
import json
from dataclasses import replace
from typing import Any

from telegram import Bot, Message, MessageOrigin, Update, User
from telegram.ext import ContextTypes, filters

from bot.delivery.raw_updates import RawUpdate, UnreadableError, read
from bot.handlers.answering import Answering
from bot.handlers.downloading import download
from bot.handlers.groups import text_in_question
from bot.handlers.incoming import message_of, request_from, text_of
from bot.services.checking import LARGEST_FILE
from bot.services.joining import LIMIT, NEAR_LIMIT, Part, join, units
from bot.services.services import Services
from bot.services.turns import Turns
from bot.texts import conversation as phrases
from bot.texts.locale import Phrase
from classifier.data.decoding import decode


class _TextFile(filters.MessageFilter):
    """Documents named .txt."""

    def filter(self, message: Message) -> bool:
        named = (message.document.file_name or "") if message.document else ""
        return named.lower().endswith(".txt")


TEXT_FILE = _TextFile()
PLAIN = filters.UpdateType.MESSAGE & filters.TEXT & ~filters.COMMAND
_OF_THE_MESSAGE = ("date", "message_id")  # of a forwarded message's origin; the rest is the author


class Reviews:
    def __init__(self, services: Services, answering: Answering) -> None:
        self._reviewing = services.reviewing
        self._joiner = services.joiner
        self._answering = answering
        self._files = Turns()

    async def text(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A text, which may be a part of a longer one."""
        _message, user = message_of(update)

        own = _part_of(update)

        async def inbox() -> list[Part]:
            # A short text ends a review, and so has no use for what may come after it.
            if units(own.text) < NEAR_LIMIT and self._reviewing.is_only_one(update.update_id):
                return [own]
            waiting = await self._reviewing.waiting(user.id)
            return [part for each in waiting if (part := _part_in(each, update.get_bot()))]

        async with self._joiner.collect(own, inbox) as parts:
            if not parts:
                return
            try:
                await self._answer_parts(update, parts)
            except Exception as error:
                if not self._joiner.is_tried_again(error):
                    await self._settle(parts)
                raise
            await self._settle(parts)

    async def _answer_parts(self, update: Update, parts: list[Part]) -> None:
        first, *others = parts
        if others and await self._reviewing.find(first.update_id):
            # It was stored with all its parts before a kill: what came now is another text.
            await self._answer(update, [first])
            parts = others
        await self._answer(update, parts)

    async def _settle(self, parts: list[Part]) -> None:
        """Note that all parts are done: some were taken from the inbox before their turn."""
        if len(parts) > 1:
            await self._reviewing.handled([part.update_id for part in parts])

    async def _answer(self, update: Update, parts: list[Part]) -> None:
        request = replace(
            request_from(update, join(parts), "private"),
            update_id=parts[0].update_id,
            message_id=min(part.message_id for part in parts),
            parts=tuple(part.update_id for part in parts[1:]),
        )
        await self._answering.answer(request)

    async def document(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A .txt file."""
        message, _user = message_of(update)
        document = message.document
        assert document is not None
        request = request_from(update, "", "document")
        if not await self._answering.admitted(request):
            return
        if (document.file_size or 0) > LARGEST_FILE:
            await self._answering.decline(request, phrases.DOCUMENT_TOO_LARGE)
            return
        async with self._files.of_message(request.user_id, 0):  # of each person one at a time
            content = await download(document)
            if isinstance(content, Phrase):
                await self._answering.decline(request, content)
                return
            text = await asyncio.to_thread(decode, content)
            if text is None:
                await self._answering.decline(request, phrases.DOCUMENT_UNREADABLE)
                return
            await self._answering.answer(replace(request, text=text))

    async def edited(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A review whose text has changed gets a new prediction; any other edit gets no answer."""
        message, user = message_of(update)
        earlier = await self._reviewing.of_message(message.chat_id, message.message_id)
        if earlier is None and await self._is_held(message, user):
            request = request_from(update, "", "edit")
            if await self._answering.admitted(request):
                await self._reviewing.hold(request)
        if earlier is None or earlier.user_id != user.id or earlier.source == "document":
            return
        private = message.chat.type == message.chat.PRIVATE
        text = text_of(message) if private else text_in_question(message, context.bot.bot)
        request = replace(request_from(update, text, "edit"), replaces=earlier.id)
        # Stored before a kill, it may not have been answered yet.
        is_stored = earlier.update_id == update.update_id
        if not is_stored and (not text or _is_same(text, earlier.text)):
            return
        if is_stored or units(earlier.text) <= LIMIT:
            await self._answering.answer(request)
        else:
            await self._answering.decline(request, phrases.EDITED_IN_PARTS)

    async def _is_held(self, message: Message, user: User) -> bool:
        """Whether the message, which is edited now, waits for models."""
        if self._reviewing.has_models:
            return False
        waiting = await self._reviewing.waiting(user.id)
        parts = (_part_in(each, message.get_bot()) for each in waiting)
        place = (message.chat_id, message.message_id)
        return any(part and (part.place[0], part.message_id) == place for part in parts)


def _part_of(update: Update) -> Part:
    message, user = message_of(update)
    origin = message.forward_origin
    author = "" if origin is None else _author(origin)
    return Part(
        update_id=update.update_id,
        message_id=message.message_id,
        text=text_of(message),
        place=(message.chat_id, user.id, message.message_thread_id),
        sent=message.date,
        author=author if PLAIN.check_update(update) else None,
        written=message.date if origin is None else origin.date,
    )


def _author(origin: MessageOrigin) -> str:
    known = {name: value for name, value in origin.to_dict().items() if name not in _OF_THE_MESSAGE}
    return json.dumps(known, sort_keys=True)


def _part_in(payload: dict[str, Any], bot: Bot) -> Part | None:
    """An update in the inbox as a part of a text, if it is a new message."""
    try:
        update = read(RawUpdate(payload["update_id"], payload), bot)
    except UnreadableError:
        return None  # skipped when its turn comes
    return _part_of(update) if update.message and update.message.from_user else None


def _is_same(text: str, earlier: str) -> bool:
    """Whether a message still has the text of its review, or of the first part of it."""
    if units(earlier) > LIMIT and units(text) >= NEAR_LIMIT:
        return earlier.startswith(text)
    return text == earlier
