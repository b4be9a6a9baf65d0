"""Who can be reached: a bot blocked, unblocked, taken into a group."""

import logging

from telegram import ChatMember, Update
from telegram.constants import ParseMode
from telegram.error import Forbidden
from telegram.ext import ApplicationHandlerStop, ContextTypes

from bot.handlers.incoming import locale_of
from bot.services.services import Services
from bot.texts import conversation as phrases

logger = logging.getLogger(__name__)

_OUT = (ChatMember.LEFT, ChatMember.BANNED)


class Membership:
    def __init__(self, services: Services) -> None:
        self._personal = services.personal

    async def changed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A user blocked the bot; or somebody took it into a group, which gets a short hello."""
        change = update.my_chat_member
        assert change is not None
        came = change.old_chat_member.status in _OUT and change.new_chat_member.status not in _OUT
        if change.chat.type == change.chat.PRIVATE:
            if change.new_chat_member.status in _OUT:
                await self._personal.blocked(change.chat.id)
        elif came and change.chat.type != change.chat.CHANNEL:
            hello = locale_of(update)(phrases.HELLO_GROUP)
            await context.bot.send_message(change.chat.id, hello, ParseMode.HTML)

    async def unreachable(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """An error handler: nothing is sent any more to a user who blocked the bot."""
        if not isinstance(context.error, Forbidden) or not isinstance(update, Update):
            return
        chat = update.effective_chat
        if chat is not None and chat.type == chat.PRIVATE:
            await self._personal.blocked(chat.id)
        logger.info("the bot may not write here", extra={"update_id": update.update_id})
        raise ApplicationHandlerStop  # a sorry sentence would not arrive either
