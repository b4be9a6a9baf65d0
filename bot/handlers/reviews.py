"""Reviews in a private chat: text, documents, edits."""

from dataclasses import replace

from telegram import Message, MessageOriginChannel, Update
from telegram.ext import ContextTypes, filters

from bot.handlers.answering import Answering, say
from bot.handlers.asking import asked, message_of, text_of
from bot.handlers.groups import text_in_question
from bot.services.documents import LARGEST, decode
from bot.services.joining import LIMIT, Part, join, units
from bot.services.services import Services
from bot.texts import texts_for


class _FromChannel(filters.MessageFilter):
    """Posts forwarded from a channel."""

    def filter(self, message: Message) -> bool:
        return isinstance(message.forward_origin, MessageOriginChannel)


class _TextFile(filters.MessageFilter):
    """Documents named .txt."""

    def filter(self, message: Message) -> bool:
        named = (message.document.file_name or "") if message.document else ""
        return named.lower().endswith(".txt")


FROM_CHANNEL = _FromChannel()
TEXT_FILE = _TextFile()


class Reviews:
    def __init__(self, services: Services, answering: Answering) -> None:
        self._reviewing = services.reviewing
        self._joiner = services.joiner
        self._turns = services.turns
        self._answering = answering

    async def text(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A text, which may be a part of a longer one."""
        message, user = message_of(update)
        part = Part(update.update_id, message.message_id, text_of(message))
        async with (
            self._turns.of_message(message.chat_id, message.message_id),
            self._joiner.joined(message.chat_id, user.id, part) as parts,
        ):
            if parts is None:
                return
            if await self._reviewing.find(update.update_id):
                # A kill came after it was stored, with its other parts: these are none of it.
                await self._answer(update, context, parts[:1])
                parts = parts[1:]
            if parts:
                await self._answer(update, context, parts)

    async def _answer(
        self, update: Update, context: ContextTypes.DEFAULT_TYPE, parts: list[Part]
    ) -> None:
        message, _ = message_of(update)
        asking = replace(
            asked(update, join(parts), "private"),
            update_id=parts[0].update_id,
            message_id=min(part.message_id for part in parts),
            parts=tuple(part.update_id for part in parts[1:]),
        )
        await self._answering.answer(context.bot, asking, message.date)

    async def document(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A .txt file is a review."""
        message, user = message_of(update)
        assert message.document is not None
        texts = texts_for(user.language_code)
        asking = asked(update, "", "document")
        async with self._turns.of_message(message.chat_id, message.message_id):
            if not await self._answering.admitted(context.bot, asking, message.date):
                return
            if (message.document.file_size or 0) > LARGEST:
                await say(context.bot, asking, texts.document_too_large)
            else:
                file = await message.document.get_file()
                text = decode(bytes(await file.download_as_bytearray()))
                if text is None:
                    await say(context.bot, asking, texts.document_unreadable)
                else:
                    asking = replace(asking, text=text)
                    await self._answering.answer(context.bot, asking, message.date)

    async def edited(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A review whose text has changed gets a new prediction; any other edit gets no answer."""
        message, user = message_of(update)
        async with self._turns.of_message(message.chat_id, message.message_id):
            earlier = await self._reviewing.of_message(message.chat_id, message.message_id)
            if earlier is None or earlier.user_id != user.id or earlier.source == "document":
                return
            private = message.chat.type == message.chat.PRIVATE
            text = text_of(message) if private else text_in_question(message, context.bot.bot)
            asking = replace(asked(update, text, "edit"), replaces=earlier.id)
            sent_at = message.edit_date or message.date
            if earlier.update_id == update.update_id:  # stored before a kill
                await self._answering.answer(context.bot, asking, sent_at)
            elif units(earlier.text) > LIMIT:
                if not earlier.text.startswith(text) and await self._answering.admitted(
                    context.bot, asking, sent_at
                ):
                    texts = texts_for(user.language_code)
                    await say(context.bot, asking, texts.edited_in_parts)
            elif text and text != earlier.text:
                await self._answering.answer(context.bot, asking, sent_at)
