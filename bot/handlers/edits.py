"""Edited messages."""

from dataclasses import replace

from telegram import Update
from telegram.ext import ContextTypes

from bot.handlers.answering import Answering
from bot.handlers.groups import text_in_question
from bot.handlers.incoming import locale_of, message_of, request_from, text_of
from bot.handlers.replying import say
from bot.services.joining import LIMIT, NEAR_LIMIT, units
from bot.services.services import Services
from bot.texts import conversation as phrases


class Edits:
    def __init__(self, services: Services, answering: Answering) -> None:
        self._reviewing = services.reviewing
        self._answering = answering

    async def edited(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A review whose text has changed gets a new prediction; any other edit gets no answer."""
        message, user = message_of(update)
        earlier = await self._reviewing.of_message(message.chat_id, message.message_id)
        if earlier is None or earlier.user_id != user.id or earlier.source == "document":
            return
        private = message.chat.type == message.chat.PRIVATE
        text = text_of(message) if private else text_in_question(message, context.bot.bot)
        request = replace(request_from(update, text, "edit"), replaces=earlier.id)
        sent_at = message.edit_date or message.date
        if earlier.update_id == update.update_id:  # stored before a kill, perhaps not answered
            await self._answering.answer(context.bot, request, sent_at)
            return
        if not text or _is_same(text, earlier.text):
            return
        if units(earlier.text) <= LIMIT:
            await self._answering.answer(context.bot, request, sent_at)
        elif await self._answering.admitted(context.bot, request, sent_at):
            await say(context.bot, request, locale_of(update)(phrases.EDITED_IN_PARTS))


def _is_same(text: str, earlier: str) -> bool:
    """Whether a message still has the text of its review, or of the first part of it."""
    if units(earlier) > LIMIT and units(text) >= NEAR_LIMIT:
        return earlier.startswith(text)
    return text == earlier
