"""The bot was blocked, added to a group, or failed to handle an update."""

import logging

from telegram import ChatMember, Update
from telegram.constants import ParseMode
from telegram.error import Forbidden, TelegramError
from telegram.ext import ContextTypes

from bot.handlers.incoming import locale_of
from bot.services.services import Services
from bot.texts import conversation as phrases

logger = logging.getLogger(__name__)

_OUT = (ChatMember.LEFT, ChatMember.BANNED)


class Membership:
    def __init__(self, services: Services) -> None:
        self._personal = services.personal

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

    async def failed(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """An error handler: log it, and apologise to whoever waits, unless they blocked the bot.

        An error that can wait does not come here: the inbox tries such an update again.
        """
        ids = {"update_id": update.update_id} if isinstance(update, Update) else {}
        if isinstance(update, Update) and isinstance(context.error, Forbidden):
            logger.info("the bot may not write here", extra=ids)
            chat = update.effective_chat
            if chat is not None and chat.type == chat.PRIVATE:
                await self._personal.blocked(chat.id)
            return
        logger.error("update failed", exc_info=context.error, extra=ids)
        if isinstance(update, Update):
            await apologise(update)


async def apologise(update: Update) -> None:
    """Tell the chat that its update failed; if that can't be sent either, only log it."""
    if update.effective_chat is None:
        return
    try:
        text = locale_of(update)(phrases.FAILED)
        await update.get_bot().send_message(update.effective_chat.id, text, ParseMode.HTML)
    except TelegramError as error:
        ids = {"update_id": update.update_id}
        logger.warning("the apology did not arrive", exc_info=error, extra=ids)
