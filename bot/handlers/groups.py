"""Groups: the bot is silent unless /rate or a mention addresses it."""

from telegram import Message, MessageEntity, Update, User
from telegram.ext import ContextTypes, filters

from bot.handlers.answering import Answering
from bot.handlers.incoming import (
    entities_of,
    is_mention,
    message_of,
    request_from,
    text_of,
    without,
)
from bot.services.checking import ReviewText, check
from bot.texts import conversation as phrases


class _Mentioned(filters.MessageFilter):
    """Messages that name this bot."""

    def filter(self, message: Message) -> bool:
        bot: User = message.get_bot().bot
        return any(is_mention(entity, text, bot) for entity, text in entities_of(message).items())


MENTIONED = _Mentioned()


class Groups:
    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def rate(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """/rate or the bot's name, as a reply to a review or beside its text."""
        message, _user = message_of(update)
        request = request_from(update, text_in_question(message, context.bot.bot), "group")
        if message.sender_chat is not None:
            await self._answering.decline(request, phrases.RATE_ANONYMOUS)
        elif not request.text:
            await self._answering.decline(request, phrases.RATE_EXPLAINED)
        else:
            await self._answering.answer(request)


def text_in_question(message: Message, bot: User) -> str:
    """The text that a message in a group wants rated.

    Its own words if they are a review, else the message it replies to unless the bot wrote that.
    """
    entities = [
        entity
        for entity, text in entities_of(message).items()
        if is_mention(entity, text, bot)
        or (entity.type == MessageEntity.BOT_COMMAND and entity.offset == 0)
    ]
    own = without(text_of(message), entities)
    replied = message.reply_to_message
    if isinstance(check(own), ReviewText) or replied is None:
        return own
    if replied.from_user is not None and replied.from_user.id == bot.id:
        return own
    return text_of(replied) or own
