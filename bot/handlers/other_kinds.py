"""What is no text, in a private chat: a kind sentence that says what to send instead."""

from telegram import Message, MessageOriginChannel, Update
from telegram.ext import ContextTypes, filters

from bot.handlers.answering import Answering, say
from bot.handlers.asking import message_of, request_from
from bot.services.checking import ReviewText, check
from bot.texts.languages import texts_for
from bot.texts.texts import Texts

_MOST_ALBUMS = 1_000  # remembered


class _FromChannel(filters.MessageFilter):
    """Posts forwarded from a channel."""

    def filter(self, message: Message) -> bool:
        return isinstance(message.forward_origin, MessageOriginChannel)


FROM_CHANNEL = _FromChannel()


class OtherKinds:
    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._albums: dict[str, int] = {}  # with the update that was answered

    async def channel_post(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        _message, user = message_of(update)
        await self._say(update, context, texts_for(user.language_code).channel_post)

    async def other(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Anything else; its caption may be a review."""
        message, user = message_of(update)
        caption = message.caption or ""
        if isinstance(check(caption), ReviewText):
            self._speaks_for_album(update)  # the other pictures have nothing to add
            request = request_from(update, caption, "private")
            await self._answering.answer(context.bot, request, message.date)
        else:
            await self._say(update, context, _said(message, texts_for(user.language_code)))

    async def _say(self, update: Update, context: ContextTypes.DEFAULT_TYPE, text: str) -> None:
        message, _user = message_of(update)
        request = request_from(update, "", "private")
        if self._speaks_for_album(update) and await self._answering.admitted(
            context.bot, request, message.date
        ):
            await say(context.bot, request, text)

    def _speaks_for_album(self, update: Update) -> bool:
        """Whether this is the first picture of its album: they come as a message each."""
        message, _user = message_of(update)
        if message.media_group_id is None:
            return True
        if len(self._albums) >= _MOST_ALBUMS:
            del self._albums[next(iter(self._albums))]
        first = self._albums.setdefault(message.media_group_id, update.update_id)
        return first == update.update_id


def _said(message: Message, texts: Texts) -> str:
    if message.sticker or message.dice or message.animation:
        return texts.sticker
    if message.photo:
        return texts.picture
    if message.voice or message.audio or message.video or message.video_note:
        return texts.voice
    if message.document:
        return texts.document_kind
    return texts.other_kind
