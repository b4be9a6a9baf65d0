"""The bot was blocked, added to a group, or failed to handle an update."""

import logging

from telegram import ChatMember, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import ContextTypes

from bot.handlers.incoming import locale_of
from bot.handlers.replying import place_of
from bot.services.services import Services
from bot.texts import conversation as phrases

logger = logging.getLogger(__name__)

_OUT = (ChatMember.LEFT, ChatMember.BANNED)
_SHUT_OUT = (
    *("not enough rights", "have no rights", "chat_write_forbidden", "chat_restricted"),
    *("chat not found", "peer_id_invalid", "topic_closed", "user_is_blocked", "kicked"),
)
"""What Telegram says with 400 where it might say 403."""


class Membership:
    def __init__(self, services: Services) -> None:
        self._personal = services.personal
        self._reviewing = services.reviewing

    async def changed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A user blocked the bot, or somebody added it to a group, which gets a short hello."""
        change = update.my_chat_member
        assert change is not None
        came = change.old_chat_member.status in _OUT and change.new_chat_member.status not in _OUT
        if change.chat.type == change.chat.PRIVATE:
            if change.new_chat_member.status in _OUT:
                await self._personal.blocked(change.chat.id)
        elif came and change.chat.type != change.chat.CHANNEL:
            hello = locale_of(update)(phrases.HELLO_GROUP)
            await context.bot.send_message(change.chat.id, hello, ParseMode.HTML)

    async def moved(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A group became a supergroup, which is told in the one and in the other."""
        message = update.message
        assert message is not None
        if message.migrate_to_chat_id is not None:
            await self._reviewing.move_chat(message.chat_id, message.migrate_to_chat_id)
        if message.migrate_from_chat_id is not None:
            await self._reviewing.move_chat(message.migrate_from_chat_id, message.chat_id)

    async def failed(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """An error handler: log it, and apologise to whoever waits, unless they blocked the bot.

        An error that can wait does not come here: the inbox tries such an update again.
        """
        ids = {"update_id": update.update_id} if isinstance(update, Update) else {}
        if isinstance(update, Update) and _may_not_write(context.error):
            logger.info("the bot may not write here", extra={**ids, "why": str(context.error)})
            chat = update.effective_chat
            if chat is not None and chat.type == chat.PRIVATE:
                await self._personal.blocked(chat.id)
            return
        if isinstance(context.error, TelegramError):  # where in the code it came up says nothing
            why = f"{type(context.error).__name__}: {context.error}"
            logger.error("update failed", extra={**ids, "why": why})
        else:
            logger.error("update failed", exc_info=context.error, extra=ids)
        if isinstance(update, Update):
            await apologise(update)


def _may_not_write(error: Exception | None) -> bool:
    """Whether nothing can be sent to the chat: it shut the bot out, or is gone."""
    if isinstance(error, BadRequest):
        return any(words in error.message.lower() for words in _SHUT_OUT)
    return isinstance(error, Forbidden)


async def apologise(update: Update) -> None:
    """Say where the question was that it failed; if that can't be sent either, only log it."""
    query, chat = update.callback_query, update.effective_chat
    message = update.effective_message if query is None else query.message
    if message is not None:
        place = place_of(message)
    elif chat is not None:
        place = {"chat_id": chat.id}
    else:
        return
    try:
        text = locale_of(update)(phrases.FAILED)
        await update.get_bot().send_message(text=text, parse_mode=ParseMode.HTML, **place)
    except TelegramError as error:
        facts = {"update_id": update.update_id, "why": f"{type(error).__name__}: {error}"}
        logger.warning("the apology did not arrive", extra=facts)
