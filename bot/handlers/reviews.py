"""Reviews in a private chat, as text or as a file."""

from dataclasses import replace

from telegram import Message, Update
from telegram.ext import ContextTypes, filters

from bot.handlers.answering import Answering
from bot.handlers.incoming import locale_of, message_of, request_from, text_of
from bot.handlers.replying import say
from bot.services.checking import LARGEST_FILE, decode_file
from bot.services.joining import Part, join
from bot.services.services import Services
from bot.texts import conversation as phrases


class _TextFile(filters.MessageFilter):
    """Documents named .txt."""

    def filter(self, message: Message) -> bool:
        named = (message.document.file_name or "") if message.document else ""
        return named.lower().endswith(".txt")


TEXT_FILE = _TextFile()


class Reviews:
    def __init__(self, services: Services, answering: Answering) -> None:
        self._reviewing = services.reviewing
        self._joiner = services.joiner
        self._answering = answering

    async def text(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A text, which may be a part of a longer one."""
        message, user = message_of(update)
        part = Part(update.update_id, message.message_id, text_of(message))
        async with self._joiner.joined(message.chat_id, user.id, part) as parts:
            if not parts:
                return
            first, *others = parts
            if others and await self._reviewing.find(first.update_id):
                # It was stored before a kill with all its parts: what came now is none of them.
                await self._answer(update, context, [first])
                parts = others
            await self._answer(update, context, parts)

    async def _answer(
        self, update: Update, context: ContextTypes.DEFAULT_TYPE, parts: list[Part]
    ) -> None:
        message, _user = message_of(update)
        request = replace(
            request_from(update, join(parts), "private"),
            update_id=parts[0].update_id,
            message_id=min(part.message_id for part in parts),
            parts=tuple(part.update_id for part in parts[1:]),
        )
        await self._answering.answer(context.bot, request, message.date)

    async def document(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A .txt file."""
        message, _user = message_of(update)
        document, locale = message.document, locale_of(update)
        assert document is not None
        request = request_from(update, "", "document")
        if not await self._answering.admitted(context.bot, request, message.date):
            return
        if (document.file_size or 0) > LARGEST_FILE:
            await say(context.bot, request, locale(phrases.DOCUMENT_TOO_LARGE))
            return
        file = await document.get_file()
        text = decode_file(bytes(await file.download_as_bytearray()))
        if text is None:
            await say(context.bot, request, locale(phrases.DOCUMENT_UNREADABLE))
            return
        await self._answering.answer(context.bot, replace(request, text=text), message.date)
